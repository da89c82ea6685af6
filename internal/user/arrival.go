package user

import (
	"strings"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Arrival is what the DAO half says of the person who arrives.
type Arrival struct {
	// Subject is the member's user_id there.
	Subject uuid.UUID
	Email   privacy.Email
	// EmailVerified: the DAO half has proof that Email is the member's.
	EmailVerified bool
	DisplayName   *string
	// Principal is the member's IC principal; nil or "" is none.
	Principal *string
	// SignedInAs is the user that the arriving browser has a live session of
	// already; uuid.Nil for nobody.
	SignedInAs uuid.UUID
}

// Complete reports whether the arrival has what everybody's has.
func (a Arrival) Complete() bool { return a.Subject != uuid.Nil && a.Email.Reveal() != "" }

// OwnPrincipal is nil where there is none. What many have proves nothing about one:
// the empty text, the anonymous principal of every caller who has not signed in,
// and that of the management canister (Internet Computer interface specification,
// "Principals"). Linked to a user, each would be a key to that user's account.
func (a Arrival) OwnPrincipal() *string {
	if a.Principal == nil {
		return nil
	}
	switch strings.ToLower(*a.Principal) {
	case "", "2vxsx-fae", "aaaaa-aa":
		return nil
	}
	return a.Principal
}

// Candidate is a user whom an arrival points at.
type Candidate struct {
	User
	// OtherLink: the user is linked to another subject of the DAO half.
	OtherLink bool
}

// Facts is what the database knows of an arrival; nil is nobody.
type Facts struct {
	ByLink      *Candidate // has the link (dao, subject)
	ByPrincipal *Candidate // has the arrival's principal
	ByEmail     *Candidate // has the arrival's email, in canonical form
}

// Action is what becomes of an arrival that is let in.
type Action string

// The actions.
const (
	// Entered: the user was linked before.
	Entered Action = "entered"
	// Linked: an existing user got the link (dao, subject).
	Linked Action = "linked"
	// Reclaimed: linked, after everything that an unproven account could be entered
	// by was dropped.
	Reclaimed Action = "reclaimed"
	// Created: there was nobody.
	Created Action = "created"
)

// Decision is who the person is and what has to be done.
type Decision struct {
	Action Action
	// User as found; the zero User when one is to be created.
	User User
	// AddPrincipal: the arrival's principal is nobody's yet and becomes this user's.
	AddPrincipal bool
}

// Decide is section 5 of the protocol. It returns a [*Refused] that wraps
// [ErrInactive] or [ErrConflict] when the person is not let in.
func Decide(a Arrival, f Facts) (Decision, error) {
	s := situationOf(a, f)
	for _, r := range table {
		if (r.by != anyhow && r.by != s.by) || !r.when(s) {
			continue
		}
		if r.refusal != nil {
			return Decision{}, &Refused{Cause: r.refusal, UserID: s.blamed()}
		}
		return s.decision(r.action), nil
	}
	// Not reached: the table ends with a row for everybody.
	return Decision{}, &Refused{Cause: ErrConflict, UserID: s.blamed()}
}

// evidence is what a user was found by: the first of these that there is.
type evidence int

const (
	anyhow evidence = iota // in the table only: whatever it was
	byLink
	byPrincipal
	byEmail
	byNothing
)

type rule struct {
	row     int // of section 5; 0 is the sentence before its rows
	by      evidence
	when    func(situation) bool
	action  Action
	refusal error
}

// table is read from above; the first rule that fits is the answer.
//
// Pending: rows 1 and 2 do not name the status. A link or a principal says who
// somebody is, not that the FOS half has admitted them, and row 3 refuses pending
// users whose address is proven: refused here too, the side that can be undone.
//
// The privileged rule stands before the reclaiming one: else whoever verifies a
// founder's address at the DAO half would take over a founder's account whose
// address was never proven here.
var table = []rule{
	{0, anyhow, situation.stopped, "", ErrInactive},
	{1, byLink, situation.principalElsewhere, "", ErrConflict},
	{1, byLink, situation.pending, "", ErrInactive},
	{1, byLink, always, Entered, nil},
	{2, byPrincipal, situation.otherLink, "", ErrConflict},
	{2, byPrincipal, situation.pending, "", ErrInactive},
	{2, byPrincipal, always, Linked, nil},
	{3, byEmail, situation.emailUnproven, "", ErrConflict}, // anybody can write any address at the DAO half
	{3, byEmail, situation.otherLink, "", ErrConflict},
	{3, byEmail, situation.privilegedStranger, "", ErrConflict},
	{3, byEmail, situation.accountUnproven, Reclaimed, nil}, // pre-hijacking: a stranger may have made it and wait
	{3, byEmail, situation.pending, "", ErrInactive},
	{3, byEmail, always, Linked, nil},
	{4, byNothing, always, Created, nil},
}

// situation is an arrival among the facts.
type situation struct {
	arrival Arrival
	facts   Facts
	by      evidence
	found   Candidate
}

func situationOf(a Arrival, f Facts) situation {
	s := situation{arrival: a, facts: f, by: byNothing}
	switch {
	case f.ByLink != nil:
		s.by, s.found = byLink, *f.ByLink
	case f.ByPrincipal != nil:
		s.by, s.found = byPrincipal, *f.ByPrincipal
	case f.ByEmail != nil:
		s.by, s.found = byEmail, *f.ByEmail
	}
	return s
}

// shutOut is the user who was found and is stopped, nil if there is none.
//
// Link and principal are both proofs of being that user, and both are consulted
// whenever they are there: a suspended person must not come in as somebody else by
// arriving from a second DAO account with the same principal. The email is
// consulted in row 3 only; beside a link it proves nothing, and a suspended
// account that happens to have it must not shut its namesake out.
func (s situation) shutOut() *Candidate {
	for _, c := range []*Candidate{s.facts.ByLink, s.facts.ByPrincipal} {
		if c != nil && c.Status.Stopped() {
			return c
		}
	}
	if s.by == byEmail && s.found.Status.Stopped() {
		return &s.found
	}
	return nil
}

func (s situation) stopped() bool { return s.shutOut() != nil }

func (s situation) principalElsewhere() bool {
	return s.facts.ByPrincipal != nil && s.facts.ByPrincipal.ID != s.found.ID
}

func (s situation) pending() bool { return s.found.Status == Pending }

func (s situation) otherLink() bool { return s.found.OtherLink }

func (s situation) emailUnproven() bool { return !s.arrival.EmailVerified }

func (s situation) accountUnproven() bool { return !s.found.EmailVerified }

// privilegedStranger: the address is a founder's or an admin's, and nothing but
// the address says that this browser is theirs.
func (s situation) privilegedStranger() bool {
	themselves := s.arrival.SignedInAs != uuid.Nil && s.arrival.SignedInAs == s.found.ID
	return s.found.Role.Privileged() && !themselves
}

func always(situation) bool { return true }

// blamed is the user whom a refusal is about.
func (s situation) blamed() uuid.UUID {
	if c := s.shutOut(); c != nil {
		return c.ID
	}
	return s.found.ID
}

func (s situation) decision(action Action) Decision {
	return Decision{
		Action:       action,
		User:         s.found.User,
		AddPrincipal: s.arrival.OwnPrincipal() != nil && s.facts.ByPrincipal == nil,
	}
}
