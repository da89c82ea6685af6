package metrics

// words are the values that a label may have.
type words map[string]bool

// other stands for a value that is none of them: a mistake of ours, and no reason to let
// what may come from a stranger into a label.
const other = "other"

// wordsOf makes them of a closed set.
func wordsOf[Word ~string](set []Word) words {
	w := words{}
	for _, word := range set {
		w[string(word)] = true
	}
	return w
}

func (w words) label(value string) string {
	if w[value] {
		return value
	}
	return other
}

// all are the words, for figures that are to stand at 0 from the start: a rule that looks
// for a rise does not see the first one of a figure that was not there before.
func (w words) all() []string {
	list := make([]string, 0, len(w))
	for word := range w {
		list = append(list, word)
	}
	return list
}
