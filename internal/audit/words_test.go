package audit_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/audit"
)

// declared are the values of the constants of a type in a file of this package.
func declared(t testing.TB, file, typeName string) []string {
	t.Helper()
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != typeName {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Fatalf("%s: a constant that is no literal", typeName)
		}
		value, err := strconv.Unquote(literal.Value)
		if err != nil || values[value] {
			t.Errorf("%s %q stands twice, or cannot be read: %v", typeName, value, err)
		}
		values[value] = true
		return true
	})
	return slices.Sorted(maps.Keys(values))
}

func texts[Word ~string](words []Word) []string {
	list := make([]string, 0, len(words))
	for _, w := range words {
		list = append(list, string(w))
	}
	slices.Sort(list)
	return list
}

// A word that is missing in its list would be counted as "other", and no rule would see it.
func TestTheListsHaveEveryWord(t *testing.T) {
	t.Parallel()
	for _, set := range []struct {
		file, typeName string
		listed         []string
	}{
		{"audit.go", "Event", texts(audit.Events())}, {"audit.go", "Outcome", texts(audit.Outcomes())},
		{"audit.go", "Reason", texts(audit.Reasons())}, {"book.go", "Loss", texts(audit.Losses())},
	} {
		if diff := cmp.Diff(declared(t, set.file, set.typeName), set.listed); diff != "" {
			t.Errorf("%s (-declared +listed):\n%s", set.typeName, diff)
		}
	}
}
