package handoff_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// What a run of the machine must have shown to have shown anything.
const (
	seenGranted     = "granted"
	seenLastMoment  = "granted in the last millisecond"
	seenOverAtOnce  = "expired in the first millisecond"
	seenExpired     = "expired"
	seenRepeated    = "repeated"
	seenReplayed    = "replayed"
	seenBack        = "replayed, and resurrected"
	seenBurnt       = "burnt"
	seenBurntAgain  = "burnt, and the caller told again"
	seenCommitLost  = "COMMIT's answer lost, and found out"
	seenCommitDoubt = "COMMIT's answer lost, and nobody to ask"
	seenCommitNone  = "COMMIT refused, and found out"
	seenUnbound     = "another browser"
	seenNoClaims    = "Redis had lost it"
	seenForeign     = "Redis had somebody else's"
	seenSourceEnded = "signed out or barred"
	seenCrowd       = "won out of a crowd"
)

var mustBeSeen = []string{
	seenGranted, seenLastMoment, seenOverAtOnce, seenExpired, seenRepeated, seenReplayed, seenBack, seenBurnt, seenBurntAgain,
	seenCommitLost, seenCommitDoubt, seenCommitNone, seenUnbound, seenNoClaims, seenForeign, seenSourceEnded, seenCrowd,
}

// before is what the model says of a presentation that is still to come.
type before struct {
	fate
	closed bool
	left   time.Duration // of the token's minute
}

func (m *machine) foresee(j *journey, s showing) before {
	now := m.b.clock.Now()
	return before{j.fate(s, now), j.closed != nil, j.expires.Sub(now)}
}

// note counts what one presentation has shown.
func (m *machine) note(was before, s showing, told verdict) {
	opened := was.opens && s.gate != refused
	for what, happened := range map[string]bool{
		seenGranted:     told == granted && !was.closed,
		seenLastMoment:  told == granted && !was.closed && was.left == time.Millisecond,
		seenExpired:     told == expired,
		seenOverAtOnce:  told == expired && was.left == 0,
		seenRepeated:    told == granted && was.closed,
		seenReplayed:    told == used,
		seenBack:        told == used && was.row == "handoff.replayed resurrected",
		seenBurnt:       told == wrongly && !was.closed,
		seenBurntAgain:  told == wrongly && was.closed,
		seenCommitLost:  told == granted && opened && s.gate == unanswered,
		seenCommitDoubt: told == outOfOrder && opened && s.gate == unanswered,
		seenCommitNone:  told == outOfOrder && was.opens && s.gate == refused && s.get == well && s.find == well,
		seenUnbound:     told == unboundHere,
		seenNoClaims:    was.row == "handoff.refused token_unknown" && told == unknown,
		seenForeign:     was.row == "handoff.refused seal_broken" && told == unknown,
		seenSourceEnded: was.row == "handoff.refused source_ended" && told == unknown,
	} {
		if happened {
			m.seen[what]++
		}
	}
}

// wantAllSeen: what never happened was never compared.
func (m *machine) wantAllSeen(t *testing.T) {
	t.Helper()
	var figures []string
	for _, what := range slices.Sorted(maps.Keys(m.seen)) {
		figures = append(figures, fmt.Sprintf("%s %d", what, m.seen[what]))
	}
	t.Log(strings.Join(figures, "; "))
	for _, what := range mustBeSeen {
		if m.seen[what] == 0 {
			t.Errorf("%q never happened in all of the run", what)
		}
	}
}
