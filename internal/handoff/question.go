package handoff

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Question is what a person is asked before they are signed in: whether they want to go
// on as As, and whether Current, who is signed in in this browser, shall be replaced.
// Both are named in full: a masked name is what an attacker can imitate.
type Question struct {
	// Secret is the browser's, to answer with.
	Secret    token.Token
	HandoffID uuid.UUID
	As        Person
	Current   *Person // nil: nobody
	// Links: yes also links the account over there to As, a founder's or an admin's.
	Links     bool
	ExpiresAt time.Time
}

// Person is somebody as they know themselves.
type Person struct {
	DisplayName *string
	Email       privacy.Email
}

func personOf(u user.User) Person { return Person{u.DisplayName, u.Email} }

// parking is where parked claims rest, under the digest of the browser's secret.
type parking interface {
	Put(ctx context.Context, d token.Digest, sealed []byte, ttl time.Duration) error
	Get(ctx context.Context, d token.Digest) ([]byte, error)
	Retire(ctx context.Context, d token.Digest) error
	Drop(ctx context.Context, d token.Digest) error
}

// ErrNotAsked says that this browser has no open question, or another one.
var ErrNotAsked = errors.New("no question is open in this browser")

// ask records that the hand-off waits for the person, parks the claims, and returns the
// question. In this order, as at mint: a row too many is the safe side.
func (l *Login) ask(ctx context.Context, p token.Parked, who Unasked, in circumstances) (*Question, error) {
	now := l.Now()
	secret, err := token.New(l.Random)
	if err != nil {
		return nil, err
	}
	p.Name, p.Email, p.Links, p.Replaces = who.As.DisplayName, who.As.Email, who.Links, in.inside.User.ID
	if p.Until.IsZero() { // a question that is put again gives no more time
		p.Until = now.Add(token.ParkedTTL)
	}
	sealed, err := l.Sealer.SealParked(secret, p)
	if err != nil {
		return nil, err
	}
	err = l.Store.AppendUnopened(ctx, audit.Record{
		At: now, Event: audit.HandoffPending, Outcome: audit.Success, HandoffID: p.Claims.HandoffID,
		EntryProduct: p.Claims.EntryProduct, Target: p.Claims.Target, Origin: in.origin,
	}, token.ParkedTTL+repeatable)
	if err != nil {
		return nil, err
	}
	if err := l.Parking.Put(ctx, secret.Digest(), sealed, p.Until.Sub(now)); err != nil {
		return nil, err
	}
	return question(secret, p, in.inside), nil
}

func question(secret token.Token, p token.Parked, inside Inside) *Question {
	q := &Question{Secret: secret, HandoffID: p.Claims.HandoffID, As: Person{p.Name, p.Email}, Links: p.Links, ExpiresAt: p.Until}
	if inside.User.ID != uuid.Nil {
		current := personOf(inside.User)
		q.Current = &current
	}
	return q
}

// parked returns what waits for the holder of secret, or [ErrNotAsked].
func (l *Login) parked(ctx context.Context, secret token.Token) (token.Parked, error) {
	if secret.IsNone() {
		return token.Parked{}, ErrNotAsked
	}
	sealed, err := l.Parking.Get(ctx, secret.Digest())
	if err != nil {
		return token.Parked{}, err
	}
	if sealed == nil {
		return token.Parked{}, ErrNotAsked
	}
	p, err := l.Sealer.OpenParked(secret, sealed)
	switch {
	case errors.Is(err, token.ErrSealBroken):
		return token.Parked{}, ErrNotAsked // somebody writes to Redis, or a key is gone
	case err != nil:
		return token.Parked{}, err
	case !l.Now().Before(p.Until):
		return token.Parked{}, ErrNotAsked
	}
	return p, nil
}

// askedAlready returns the question that this browser was asked when it showed the same
// token before: a reload of the page, or a double click.
func (l *Login) askedAlready(ctx context.Context, request LoginRequest) (*Question, error) {
	if request.Asked.IsNone() {
		return nil, nil
	}
	p, err := l.parked(ctx, request.Asked)
	if errors.Is(err, ErrNotAsked) || err == nil && p.Shown != request.Token.Digest() {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return question(request.Asked, p, request.Inside), nil
}

// Asked returns the open question of the browser that holds secret, or [ErrNotAsked].
func (l *Login) Asked(ctx context.Context, secret token.Token, inside Inside) (*Question, error) {
	p, err := l.parked(ctx, secret)
	if err != nil {
		return nil, err
	}
	return question(secret, p, inside), nil
}

// Answer is what the person said in a browser. HandoffID says to which question: another
// tab may have been asked another one since.
type Answer struct {
	Secret    token.Token
	HandoffID uuid.UUID
	Inside    Inside
	Origin    audit.Origin
}

// answered returns what waits for the answer, or [ErrNotAsked].
func (l *Login) answered(ctx context.Context, answer Answer) (token.Parked, error) {
	p, err := l.parked(ctx, answer.Secret)
	if err == nil && p.Claims.HandoffID != answer.HandoffID {
		err = ErrNotAsked
	}
	return p, err
}

// Confirm lets the person in, or asks again where somebody else is signed in by now. Its
// errors are those of [Login.Login], and [*InvalidError] around [ErrNotAsked].
//
// The claims are left for a moment, and then go: when the answer is lost the browser may
// ask again, and finds the session that it opened.
func (l *Login) Confirm(ctx context.Context, answer Answer) (Landed, error) {
	p, err := l.answered(ctx, answer)
	if errors.Is(err, ErrNotAsked) {
		return Landed{}, &InvalidError{Reason: ReasonExpired, HandoffID: answer.HandoffID, Cause: err}
	}
	if err != nil {
		return Landed{}, &JourneyError{HandoffID: answer.HandoffID, Cause: err}
	}
	begun := l.Now()
	landed, err := l.settle(ctx, p, circumstances{inside: answer.Inside, origin: answer.Origin})
	if err != nil {
		return Landed{}, &JourneyError{HandoffID: answer.HandoffID, Cause: err}
	}
	l.Progress.answered(landed, p, begun, l.Now())
	l.forget(ctx, answer)
	return landed, nil
}

// forget ends the question soon. Losing this command is harmless: a hand-off opens one
// session, and the question ends by itself.
func (l *Login) forget(ctx context.Context, answer Answer) {
	l.tidying.Do(ctx, func(ctx context.Context) {
		if err := l.Parking.Retire(ctx, answer.Secret.Digest()); err != nil {
			l.Log.WarnContext(ctx, "a question that was answered stays until its time is over",
				"handoff_id", answer.HandoffID.String(), "error", err)
		}
	})
}

// Decline records that the person said no, and forgets the claims. It returns
// [ErrNotAsked] where there is nothing to say no to.
func (l *Login) Decline(ctx context.Context, answer Answer) error {
	p, err := l.answered(ctx, answer)
	if err != nil {
		return err
	}
	now := l.Now()
	err = l.Store.Append(ctx, audit.Record{
		At: now, Event: audit.HandoffDeclined, Outcome: audit.Success, HandoffID: p.Claims.HandoffID,
		EntryProduct: p.Claims.EntryProduct, Target: p.Claims.Target, Origin: answer.Origin,
	})
	if err != nil {
		return err
	}
	l.Progress.step(StageAsked, StageDeclined, now.Sub(askedAt(p)))
	return l.Parking.Drop(ctx, answer.Secret.Digest())
}
