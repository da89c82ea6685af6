package faulttest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/google/uuid"
)

// Told is what the callers of a test were told. It is safe for concurrent use.
type Told struct {
	mu       sync.Mutex
	handoffs map[uuid.UUID]*said
	// unminted counts the mints whose caller does not know what became of them, and
	// which hand-off it was.
	unminted int
}

// said is what was said of one hand-off.
type said struct {
	minted   bool
	attempts []string    // those that were given the claims, or a session
	sessions []uuid.UUID // that were given
	// perhaps: some caller does not know, or was turned away behind the exchange.
	perhaps bool
	// rivals are the browsers with an arrival key that were refused as used. Where two of
	// them came at once, the token may have been redeemed for nobody (I8).
	rivals []string
}

// NewTold has heard nothing yet.
func NewTold() *Told { return &Told{handoffs: map[uuid.UUID]*said{}} }

// of is what was said of a hand-off so far. The lock must be held.
func (d *Told) of(handoff uuid.UUID) *said {
	if d.handoffs[handoff] == nil {
		d.handoffs[handoff] = &said{}
	}
	return d.handoffs[handoff]
}

// Minted notes the answer to a mint.
func (d *Told) Minted(a Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case a.OK():
		d.of(a.HandoffID).minted = true
	case a.Unknown():
		d.unminted++
	}
}

// Exchanged notes the answer to a presentation of handoff's token at the DAO half.
// attempt tells it from those that are not its repeats: its Idempotency-Key, or
// something that no other call has.
func (d *Told) Exchanged(handoff uuid.UUID, attempt string, a Answer) {
	d.presented(handoff, "exchange "+attempt, a)
}

// Arrived notes the answer to an arrival with handoff's token. attempt is as in
// [Told.Exchanged]; the same word at the other half is another attempt.
func (d *Told) Arrived(handoff uuid.UUID, attempt string, a Answer) {
	d.presented(handoff, "arrival "+attempt, a)
	if a.OK() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if s := d.of(handoff); !slices.Contains(s.sessions, a.Session) {
			s.sessions = append(s.sessions, a.Session)
		}
	}
}

func (d *Told) presented(handoff uuid.UUID, attempt string, a Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.of(handoff)
	turnedAway := a.Code == "identity_conflict" || a.Code == "account_inactive"
	if !a.OK() {
		s.perhaps = s.perhaps || a.Unknown() || turnedAway
		return
	}
	if a.HandoffID != handoff {
		attempt += " (told of " + a.HandoffID.String() + ")"
	}
	if !slices.Contains(s.attempts, attempt) {
		s.attempts = append(s.attempts, attempt)
	}
}

// rivalled notes that a browser with this arrival key was refused as used.
func (d *Told) rivalled(handoff uuid.UUID, key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.of(handoff); !slices.Contains(s.rivals, key) {
		s.rivals = append(s.rivals, key)
	}
}

// Redemptions counts what callers were told of redemptions, and judges by nothing else:
// no constraint of a database hides a double one from it (I1).
type Redemptions struct {
	// Handoffs is for how many of them claims or a session were given.
	Handoffs int
	// Attempts and Sessions are the most that were told of one hand-off: how many
	// attempts, by different keys, that they had redeemed it, and how many sessions.
	Attempts, Sessions int
	// Doubles names each hand-off of which more than one was told, and who was.
	Doubles []string
}

func (r Redemptions) String() string {
	return fmt.Sprintf("%d hand-offs redeemed as callers were told, for at most %d attempts and with at most %d sessions each; %d double",
		r.Handoffs, r.Attempts, r.Sessions, len(r.Doubles))
}

// Redemptions counts what was told so far.
func (d *Told) Redemptions() Redemptions {
	d.mu.Lock()
	defer d.mu.Unlock()
	var r Redemptions
	for id, s := range d.handoffs {
		if len(s.attempts) > 0 {
			r.Handoffs++
		}
		r.Attempts, r.Sessions = max(r.Attempts, len(s.attempts)), max(r.Sessions, len(s.sessions))
		if len(s.attempts) > 1 || len(s.sessions) > 1 {
			r.Doubles = append(r.Doubles, fmt.Sprintf("I1: hand-off %v: %d attempts were told that they redeemed it (%s), with %d sessions %v",
				id, len(s.attempts), strings.Join(s.attempts, ", "), len(s.sessions), s.sessions))
		}
	}
	slices.Sort(r.Doubles)
	return r
}
