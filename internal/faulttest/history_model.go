package faulttest

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// life is the state of one token in the sequential model: what it would be if every
// call happened at one instant, one after the other.
type life struct {
	minted bool
	// attempt is who ended it, "" for nobody.
	attempt string
	// told is what that attempt was told: Unknown until somebody heard, then Done, Burnt,
	// or Used where a rival had come.
	told Outcome
	// session is what it was given, uuid.Nil while nobody has heard of it.
	session uuid.UUID
}

func (l life) open() bool { return l.minted && l.attempt == "" }

// step says whether a call with this outcome can happen to a token in this state,
// and what becomes of it.
func (l life) step(c Call) (bool, life) {
	if c.isMint() {
		return !l.minted, life{minted: true}
	}
	switch c.Outcome {
	case Done, Burnt:
		return l.end(c)
	case Unknown:
		// It takes effect here. That it never did is the same as that it does so after
		// everything else, which its open end allows.
		if l.open() {
			l.attempt, l.told = c.Attempt, Unknown
		}
		return true, l
	case Used:
		if l.open() && c.rivalled {
			l.attempt, l.told = c.Attempt, Used
			return true, l
		}
		return l.attempt != "", l
	case Unredeemed:
		return l.attempt == "", l
	case Untouched:
		return true, l
	}
	return false, l
}

// end is a call that was told that it redeemed the token, or burnt it.
func (l life) end(c Call) (bool, life) {
	switch {
	case l.open():
		return true, life{minted: true, attempt: c.Attempt, told: c.Outcome, session: c.Session}
	case l.attempt != c.Attempt:
		return false, l // I1: a second redemption, or one of a token that was never minted
	case l.told == Unknown:
		l.told = c.Outcome
	case l.told != c.Outcome:
		return false, l
	}
	if l.session == uuid.Nil {
		l.session = c.Session
	}
	return c.Session == uuid.Nil || c.Session == l.session, l // I8: the same answer
}

// model is what porcupine checks one token's history against.
var model = porcupine.Model{
	Init: func() any { return life{} },
	Step: func(state, input, _ any) (bool, any) {
		now, isLife := state.(life)
		call, isCall := input.(Call)
		possible, next := now.step(call)
		return isLife && isCall && possible, next
	},
}

// checkTimeout bounds the search over one token's history. It is long since the
// problem is NP-complete (Gibbons and Korach 1997), and short histories are the rule.
const checkTimeout = 30 * time.Second

// problemOf says what is wrong with one token's history, "" for nothing. Its search
// may take as long as within.
func problemOf(calls []Call, begun time.Time, within time.Duration) string {
	if repeatedLate(calls) {
		return "I8: an attempt was answered again more than 10 s after its redemption was known"
	}
	if twoJourneys(calls) {
		return "two calls about one token name different hand-offs"
	}
	switch porcupine.CheckOperationsTimeout(model, operations(calls, begun), within) {
	case porcupine.Ok:
		return ""
	case porcupine.Illegal:
		return "I1: no sequence of calls explains what was answered"
	case porcupine.Unknown:
	}
	return "the checker could not decide in time, which is no pass"
}

func operations(calls []Call, begun time.Time) []porcupine.Operation {
	all := make([]porcupine.Operation, 0, len(calls))
	for i, c := range telling(calls) {
		c.rivalled = isRivalled(c, calls)
		ended := c.Ended.Sub(begun).Nanoseconds()
		if c.Outcome == Unknown {
			ended = math.MaxInt64
		}
		all = append(all, porcupine.Operation{ClientId: i, Input: c, Call: c.Begun.Sub(begun).Nanoseconds(), Return: ended})
	}
	return all
}

// telling leaves out the calls that cannot change the verdict; n of unknown outcome
// would be 2^n histories. One of them matters only if it is what redeemed the token.
// Where some attempt is known to have succeeded, only a call of that attempt can be;
// where none is, it is all one which. Of several that can be, the one that was made
// first can do whatever a later one can.
func telling(calls []Call) []Call {
	winners := map[string]bool{}
	for _, c := range calls {
		if (c.Outcome == Done || c.Outcome == Burnt) && !c.isMint() {
			winners[c.Attempt] = true
		}
	}
	first := map[string]int{} // of each attempt that may have won, its first call of unknown outcome
	var kept []Call
	for _, c := range calls {
		if c.Outcome != Unknown {
			kept = append(kept, c)
			continue
		}
		name := c.Attempt
		if len(winners) == 0 {
			name = ""
		} else if !winners[name] {
			continue
		}
		if i, is := first[name]; !is {
			first[name] = len(kept)
			kept = append(kept, c)
		} else if c.Begun.Before(kept[i].Begun) {
			kept[i] = c
		}
	}
	return kept
}

// isRivalled reports whether an arrival may have redeemed the token and been refused all
// the same: another browser, with a key of its own, came before it was answered (I8).
// Then nobody gets a session.
func isRivalled(c Call, calls []Call) bool {
	return isKeyedArrival(c) && slices.ContainsFunc(calls, func(other Call) bool {
		return isKeyedArrival(other) && other.Attempt != c.Attempt && other.Begun.Before(c.Ended)
	})
}

func isKeyedArrival(c Call) bool {
	key, arrival := strings.CutPrefix(c.Attempt, "fos ")
	return arrival && !strings.HasPrefix(key, "#")
}

// repeatedLate looks at what no order of calls can show: time. An answer that had
// come bounds the redemption from above, so that no clock has to be allowed for.
func repeatedLate(calls []Call) bool {
	known := map[string]time.Time{}
	for _, c := range calls {
		if first, is := known[c.Attempt]; c.Outcome == Done && !c.isMint() && (!is || c.Ended.Before(first)) {
			known[c.Attempt] = c.Ended
		}
	}
	for _, c := range calls {
		if first, is := known[c.Attempt]; is && c.Outcome == Done && c.Begun.Sub(first) > token.RepeatWindow {
			return true
		}
	}
	return false
}

func twoJourneys(calls []Call) bool {
	var journey uuid.UUID
	for _, c := range calls {
		if c.HandoffID != uuid.Nil && journey != uuid.Nil && c.HandoffID != journey {
			return true
		}
		if c.HandoffID != uuid.Nil {
			journey = c.HandoffID
		}
	}
	return false
}
