package rollout_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// step is one line of a rotation in the operations document: what an operator does.
type step struct {
	line string
	// halves are those that are rolled out; none for what is no rollout.
	halves []string
	change environ // with OLD and NEW in it
	// store is who is told something, and what, where it is a store's administrator who acts.
	store, told string
}

var (
	rolloutLine = regexp.MustCompile(`^rollout (dao|fos|both): (.+)$`)
	storeLine   = regexp.MustCompile(`^at (dao|redis): (.+)$`)
	digestWord  = regexp.MustCompile(`SHA256\(([^)]*)\)`)
)

// The steps that are no rollouts, as they stand there.
const (
	sevenDays   = "wait 7 days"
	standsStill = "wait until OLD's last use stands still"
	handOver    = "give the service NEW"
)

// stepsOf are the lines below "#### `variable`" in docs/operations.md, literally: what the
// stories do is what the document says, and nothing else.
func stepsOf(t testing.TB, variable string) []step {
	t.Helper()
	var steps []step
	for _, line := range linesBelow(t, "#### `"+variable+"`") {
		steps = append(steps, stepOf(t, line))
	}
	if len(steps) < 3 {
		t.Fatalf("the document has %d steps for %s", len(steps), variable)
	}
	return steps
}

// linesBelow are the steps below a heading of docs/operations.md: what is indented. A line
// that is indented further belongs to the one before it.
func linesBelow(t testing.TB, heading string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("the document has no %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n#")
	var lines []string
	for line := range strings.Lines(section) {
		line, isStep := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		switch {
		case isStep && strings.HasPrefix(line, " "):
			lines[len(lines)-1] += "\n" + line
		case isStep:
			lines = append(lines, line)
		}
	}
	return lines
}

func stepOf(t testing.TB, line string) step {
	t.Helper()
	if slices.Contains([]string{sevenDays, standsStill, handOver}, line) {
		return step{line: line}
	}
	if parts := storeLine.FindStringSubmatch(line); parts != nil {
		return step{line: line, store: parts[1], told: parts[2]}
	}
	parts := rolloutLine.FindStringSubmatch(line)
	if parts == nil {
		t.Fatalf("nobody could do this: %q", line)
	}
	s := step{line: line, halves: []string{parts[1]}, change: environ{}}
	if parts[1] == "both" {
		s.halves = []string{"dao", "fos"}
	}
	for _, setting := range strings.Fields(parts[2]) {
		name, value, found := strings.Cut(setting, "=")
		if !found {
			t.Fatalf("%q sets nothing: %s", setting, line)
		}
		s.change[name] = value
	}
	return s
}

// with is the step's environment for two values.
func (s step) with(old, fresh string) environ {
	filled := environ{}
	for name, value := range s.change {
		value = strings.NewReplacer("OLD", old, "NEW", fresh).Replace(value)
		filled[name] = digestWord.ReplaceAllStringFunc(value, func(word string) string {
			sum := sha256.Sum256([]byte(digestWord.FindStringSubmatch(word)[1]))
			return hex.EncodeToString(sum[:])
		})
	}
	return filled
}

// rotation is a fleet whose operator goes by the document while people go on.
type rotation struct {
	*fleet
	dao, fos *deployment // one and the same where both halves are one process
	load     *load
}

// of are the deployments of some halves, each once, in their order or the other way round.
func (r *rotation) of(halves []string, backwards bool) []*deployment {
	var all []*deployment
	for _, half := range halves {
		d := map[string]*deployment{"dao": r.dao, "fos": r.fos}[half]
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	if backwards {
		slices.Reverse(all)
	}
	return all
}

// follow does what the document says for a variable, and demands after each rollout that
// nobody noticed. Every other step takes the halves the other way round: the document says
// that the order is nobody's business. Somebody sleeps meanwhile.
func (r *rotation) follow(t testing.TB, variable, old, fresh string) {
	t.Helper()
	asleep, since := r.people(t, 1), r.Clock.Now()
	defer func() { r.wake(t, asleep, since) }()
	for i, s := range stepsOf(t, variable) {
		t.Log(s.line)
		switch s.line {
		case sevenDays:
			r.waitSevenDays(t)
		case standsStill:
			r.wantAtRest(t, r.load, old, fresh)
		case handOver:
			r.bearer.Store(&fresh)
			r.load.turns(t, mixed) // and it is used
		default:
			for _, d := range r.of(s.halves, i%2 == 1) {
				rollOut(t, r.load, d, s.line, s.with(old, fresh))
			}
		}
	}
}

// wake demands that who has slept through all of it is signed in still, unless it took as
// long as sessions live.
func (r *rotation) wake(t testing.TB, asleep []*person, since time.Time) {
	t.Helper()
	if r.Clock.Now().Sub(since) >= 7*day {
		return
	}
	counted := newTally()
	for _, who := range asleep {
		who.refreshFOS(counted)
		who.refreshDAOInTabs(counted)
	}
	if was := counted.take(); was.troubles() > 0 || was.done.sum() == 0 {
		t.Errorf("who slept: done: %v; failed: %v; signed out: %v", was.done, was.failed, was.signedOut)
	}
}
