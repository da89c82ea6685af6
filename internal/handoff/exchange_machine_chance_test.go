package handoff_test

import (
	"slices"

	"pgregory.net/rapid"
)

// happens is the next thing that does. What should happen the more often stands there
// the more often; after the seldom ones little more can happen.
func (m *machine) happens(rt *rapid.T) {
	what := evenly(rt, "what happens", slices.Concat(
		slices.Repeat([]string{"mint"}, 14), slices.Repeat([]string{"show"}, 16), slices.Repeat([]string{"crowd"}, 4),
		slices.Repeat([]string{"time"}, 3), slices.Repeat([]string{"edge"}, 5), slices.Repeat([]string{"again"}, 6),
		slices.Repeat([]string{"redis loses all"}, 3), slices.Repeat([]string{"redis holds"}, 8),
		slices.Repeat([]string{"sign in"}, 3), []string{"sign out", "bar"},
	))
	map[string]func(*rapid.T){
		"mint": m.mints, "show": m.shows, "crowd": m.crowd, "time": m.passes, "edge": m.comesToTheEdge, "again": m.asksAgain,
		"redis loses all": m.loses, "redis holds": m.holds, "sign in": m.signIn, "sign out": m.signOut, "bar": m.bars,
	}[what](rt)
}

// in is the trouble of a call, of one in six.
func in(rt *rapid.T, call string) trouble {
	return evenly(rt, call, []trouble{well, well, well, well, well, well, well, well, well, well, refused, unanswered})
}

// atTheGate is the trouble of the call that counts, of one in three.
func atTheGate(rt *rapid.T) trouble {
	return evenly(rt, "gate", []trouble{well, well, well, well, refused, unanswered})
}

// evenly draws one of these, each as often as the next. (rapid's own SampledFrom prefers
// by far what stands first: what stands last hardly ever happens.)
func evenly[T any](rt *rapid.T, label string, of []T) T {
	return rapid.Custom(func(rt *rapid.T) T {
		n := 0
		for range 10 {
			if n <<= 1; rapid.Bool().Draw(rt, "bit") {
				n++
			}
		}
		return of[n%len(of)]
	}).Draw(rt, label)
}
