package handoff

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

type arrivalStore interface {
	// Arrive commits user, link, session and audit rows together, or nothing. It
	// returns [*Unasked] for somebody who has not consented.
	Arrive(ctx context.Context, a Arrival) (Arrived, error)
	// Append records a refusal.
	Append(ctx context.Context, r audit.Record) error
	// AppendUnopened records why a hand-off has not opened a session, and has it looked at
	// after that time whether it has by then.
	AppendUnopened(ctx context.Context, r audit.Record, after time.Duration) error
	// Revoke records a replay, and ends the session that the hand-off opened if that
	// was in another browser than this one.
	Revoke(ctx context.Context, replay audit.Record, by session.Arrival) error
}

// Arrival is what one hand-off writes.
type Arrival struct {
	Person    user.Arrival
	Session   session.New
	Claims    token.Claims
	NewUserID uuid.UUID
	Consent   Consent
	// OlderSession is the one that the browser is in: it ends, since its cookies are
	// replaced, and nobody could end it by signing out (ASVS 5.0, 7.2.4).
	OlderSession uuid.UUID
	Now          time.Time
	Origin       audit.Origin
}

// Arrived is what it led to.
type Arrived struct {
	User    user.User
	Session session.Session
	// Began: the session began now; else this repeats an arrival that opened it.
	Began bool
	rows  []audit.Record // what was recorded
}

// Consent is what the person has been asked, and has agreed to. The attack is a link
// that signs somebody in as somebody else: who then works, and pays, in the attacker's
// account, or finds their own gone from under them.
type Consent struct {
	// Needed: nobody begins to be signed in here without having been asked.
	Needed bool
	// Present is who is signed in in this browser, uuid.Nil for nobody.
	Present uuid.UUID
	// As and Replaces are whom the question named: the address of the user that the
	// person would be, and who was signed in then. Zero: they were not asked.
	As       privacy.Email
	Replaces uuid.UUID
	// Links: it said that the two accounts would be linked.
	Links bool
}

// missing reports whether the person has to be asked before they are signed in as who.
// Who is that already goes on in the same account. Anybody else is never replaced
// silently, wherever the journey began; and an answer is good for the question that was
// put: were another user present by now, they would not have been named.
//
// A founder's or an admin's account is never linked silently either. The attack is a link
// that the founder opens here: made for a member over there who has the founder's address,
// and from then on the key to the founder's account.
func (c Consent) missing(who user.Resolution) bool {
	named := c.As.Canonical() == who.User.Email.Canonical() // of one user only
	if linksPrivileged(who) && !(named && c.Links) {
		return true
	}
	switch c.Present {
	case who.User.ID:
		return false
	case uuid.Nil:
		return c.Needed && !named
	}
	return !named || c.Replaces != c.Present
}

func linksPrivileged(who user.Resolution) bool {
	return who.NewlyLinked() && who.User.Role.Privileged()
}

// repeatable is for how long at least an arrival may still be repeated, and then end
// otherwise: longer than the exchange's convergence and any request.
const repeatable = time.Minute

// Unasked says that the person has to be asked, and as whom they would be signed in.
// Links: their account over there would be linked to that user's, who is a founder or an
// admin. Nothing has been written.
type Unasked struct {
	As    user.User
	Links bool
}

func (*Unasked) Error() string { return "the person has not been asked" }

// circumstances are what an arrival meets in the browser. unasked: nobody needs to be
// asked there as long as nobody is replaced.
type circumstances struct {
	inside  Inside
	unasked bool
	origin  audit.Origin
}

// arrivalOf is what p writes when it goes well.
func (l *Login) arrivalOf(p token.Parked, in circumstances) Arrival {
	now, claims := l.Now(), p.Claims
	a := Arrival{
		Person: user.Arrival{
			Subject: claims.UserID, Email: claims.Email, EmailVerified: claims.EmailVerified,
			DisplayName: claims.DisplayName, Principal: claims.Principal,
		},
		Session: session.New{
			ID: p.SessionID, Origin: session.Handoff, HandoffID: &claims.HandoffID, EntryProduct: &claims.EntryProduct,
			Arrival: session.Arrival{Key: p.Key, Nonce: p.Nonce}, AuthTime: claims.AuthTime, AMR: claims.AMR,
			Now: now, ExpiresAt: l.Signer.SessionExpiry(now),
		},
		Claims: claims, NewUserID: p.UserID,
		Consent:      Consent{Needed: !in.unasked, Present: in.inside.User.ID, As: p.Email, Replaces: p.Replaces, Links: p.Links},
		OlderSession: in.inside.Session, Now: now, Origin: in.origin,
	}
	if in.inside.Proven {
		a.Person.SignedInAs = in.inside.User.ID
	}
	return a
}

// settle lets the person in, or asks them.
func (l *Login) settle(ctx context.Context, p token.Parked, in circumstances) (Landed, error) {
	a := l.arrivalOf(p, in)
	arrived, err := l.Store.Arrive(ctx, a)
	if unasked := (*Unasked)(nil); errors.As(err, &unasked) {
		question, err := l.ask(ctx, p, *unasked, in)
		return Landed{Question: question}, err
	}
	if err != nil {
		return Landed{}, l.turnedAway(ctx, a, err)
	}
	role := session.ActingRole(string(arrived.User.Role), arrived.Session, l.ElevatedRoles)
	pair, err := l.Signer.Pair(arrived.Session, role)
	if err != nil {
		return Landed{}, err
	}
	inside := LoggedIn{User: arrived.User, ActingRole: role, Session: arrived.Session, Pair: pair, Claims: p.Claims}
	return Landed{LoggedIn: inside, repeated: !arrived.Began}, nil
}
