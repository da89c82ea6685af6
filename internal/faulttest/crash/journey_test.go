//go:build faults

package crash_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// door is where a server's two halves are called.
type door struct{ dao, fos string }

// journey is two hand-offs by callers whose server may die at any moment. Whoever
// gets no answer repeats at one that lives.
type journey struct {
	*trip
	key string // "" for none
}

// trip is whatever somebody does at a server that may die, where it goes on.
type trip struct {
	*killing
	server  door
	restart bool // go on at a server that is started then
	lost    bool // an answer was
}

// presentation is one way to redeem a token.
type presentation func(at door, key string) faulttest.Answer

func (j *journey) run(t *testing.T) {
	t.Helper()
	token := j.begin(t)
	j.redeem(t, token, func(at door, key string) faulttest.Answer { return j.exchange(t, at.dao, token, key) })
	token = j.begin(t)
	j.redeem(t, token, func(at door, key string) faulttest.Answer { return j.arrive(t, at.fos, token, key) })
}

// goOn is what a caller does whose answer did not come.
func (r *trip) goOn(t *testing.T) {
	t.Helper()
	next := r.survivor
	if r.restart && !r.lost {
		next = faulttest.Serve(t, r.stores.Environ(), nil)
	}
	r.lost, r.server = true, door{next.DAOURL, next.FOSURL}
}

// begin gets a token, from wherever there is one. A token that nobody heard of stays
// in the ledger; that is the safe side.
func (j *journey) begin(t *testing.T) faulttest.Answer {
	t.Helper()
	minted := j.mint(t, j.server.dao, j.person(j.kills))
	if minted.Err != nil {
		j.goOn(t)
		minted = j.mint(t, j.server.dao, j.person(j.kills))
	}
	if !minted.OK() {
		t.Fatal(minted)
	}
	return minted
}

// redeem presents a token until it hears what became of it, and once more with
// another key at another server, which must be in vain.
func (j *journey) redeem(t *testing.T, minted faulttest.Answer, present presentation) {
	t.Helper()
	answer := present(j.server, j.key)
	if answer.Err != nil {
		j.goOn(t)
		answer = j.repeat(t, minted.HandoffID, present)
	}
	if answer.OK() && answer.HandoffID != minted.HandoffID {
		t.Errorf("another hand-off's answer: %v", answer)
	}
	if !answer.OK() && !answer.Refused() {
		t.Errorf("a server that lives says: %v", answer)
	}
	j.slowest = max(j.slowest, answer.Took)
	if again := present(door{j.survivor.DAOURL, j.survivor.FOSURL}, newKey()); !isUsed(again) {
		t.Errorf("I1: once more, with another key: %v", again)
	}
}

// repeat is the second try of a caller whose answer was lost: with a key it must
// succeed; without one the caller may hear that the token is used.
func (j *journey) repeat(t *testing.T, handoff uuid.UUID, present presentation) faulttest.Answer {
	t.Helper()
	redeemed := j.redeemed(t, handoff)
	answer := present(j.server, j.key)
	who := &j.keyed
	if j.key == "" {
		who = &j.keyless
	}
	who.lost++
	switch {
	case answer.OK():
	case j.key == "" && redeemed && isUsed(answer):
		who.unresolved++
	default:
		who.unresolved++
		t.Errorf("the caller repeats (key: %t; the ledger says redeemed: %t) and hears %v", j.key != "", redeemed, answer)
	}
	return answer
}

// isUsed reports whether the answer is that somebody has used the token.
func isUsed(a faulttest.Answer) bool { return a.Code == "token_used" || a.Reason == "used" }
