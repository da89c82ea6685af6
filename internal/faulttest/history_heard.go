package faulttest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// refusal is one kind of it, and who heard it.
type refusal struct {
	times   int
	outcome Outcome
	first   uuid.UUID // the hand-off of who heard it first, uuid.Nil where it is not known
	said    Answer    // to them
}

// Told is what the callers of this history were told, for [Balance].
func (h *History) Told() *Told { return h.told }

// MayHear lists the refusals (any 4xx) that a caller may hear in this story, and no
// other is then legal, whatever the model of a token would allow. Each is what was asked
// ("mint", "exchange" or "arrive"), the code, and the reason if there is one:
// "arrive handoff_invalid used". Without a list the legal ones are those that say
// something about a token; a refusal for any other reason (a bad request, a limit, a
// missing page) is never legal unasked: whoever calls here is honest.
func (h *History) MayHear(refusals ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mayHear = map[string]bool{}
	for _, name := range refusals {
		h.mayHear[name] = true
	}
}

// hear notes a refusal. The lock must be held.
func (h *History) hear(asked string, a Answer, handoff uuid.UUID) {
	if !a.Refused() {
		return
	}
	name := strings.TrimSpace(asked + " " + a.Code + " " + a.Reason)
	r := h.refusals[name]
	if r == nil {
		r = &refusal{outcome: Untouched, first: handoff, said: a}
		if asked != "mint" {
			r.outcome = OutcomeOf(a)
		}
		h.refusals[name] = r
	}
	r.times++
}

// tell notes what the presentation of a token was answered. The lock must be held.
func (h *History) tell(half, token, key string, a Answer) {
	var handoff uuid.UUID
	for _, c := range h.tokens[token] {
		if c.isMint() {
			handoff = c.HandoffID
		}
	}
	asked := map[string]string{"dao": "exchange", "fos": "arrive"}[half]
	h.hear(asked, a, handoff)
	if handoff == uuid.Nil {
		return // nobody here was told of that token
	}
	if half == "dao" {
		h.told.Exchanged(handoff, key, a)
		return
	}
	h.told.Arrived(handoff, key, a)
	if OutcomeOf(a) == Used && !strings.HasPrefix(key, "#") {
		h.told.rivalled(handoff, key)
	}
}

// outOfPlace are the refusals that were heard and are not legal here.
func (h *History) outOfPlace() []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(h.refusals)) {
		r := h.refusals[name]
		if h.mayHear[name] || h.mayHear == nil && r.outcome != Untouched {
			continue
		}
		faults = append(faults, fmt.Sprintf("%d callers were told %q, which nobody may hear in this story; the first of hand-off %v: %v",
			r.times, name, r.first, r.said))
	}
	return faults
}
