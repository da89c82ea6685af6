package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/behind"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// LoginConfig is what a Login needs. Target is the only domain whose tokens are
// taken here.
type LoginConfig struct {
	Exchanger Exchanger
	Store     arrivalStore
	Signer    *session.Signer
	Target    string
	// Parking and Sealer keep the claims of somebody who is being asked. The Sealer's
	// keys are this half's own.
	Parking parking
	Sealer  *token.Sealer
	// Unbound says what becomes of a journey that began elsewhere.
	Unbound Unbound
	// ElevatedRoles lets a founder's or admin's hand-off session act with that role
	// at once (I10).
	ElevatedRoles bool
	Now           func() time.Time
	Random        io.Reader
	Log           *slog.Logger
	Progress      Progress
}

// Unbound is HANDOFF_UNBOUND: what becomes of a token that was not made for a journey
// which this browser began here. Whoever made the browser open it may have minted it for
// an account of their own (login CSRF).
type Unbound string

// The choices.
const (
	// UnboundAllow lets such arrivals in, as front ends expect that begin each journey
	// over there.
	UnboundAllow Unbound = "allow"
	// UnboundConfirm asks the person first.
	UnboundConfirm Unbound = "confirm"
	// UnboundRefuse takes none of them, and leaves their tokens as good as they were.
	UnboundRefuse Unbound = "refuse"
)

// Login is the use case "cross-domain login".
type Login struct {
	LoginConfig
	unresolved atomic.Uint64
	tidying    *behind.Work
}

// NewLogin makes the use case.
func NewLogin(config LoginConfig) *Login {
	return &Login{LoginConfig: config, tidying: behind.New(tidyingAtOnce)}
}

// Wait returns when nothing runs behind an answer any more.
func (l *Login) Wait() { l.tidying.Wait() }

// Unresolved is how many browsers that showed no mark of their own were told 503 when their token
// was redeemed, or may have been: they cannot have it again.
func (l *Login) Unresolved() uint64 { return l.unresolved.Load() }

// LoginRequest is a token that arrived in a browser. ArrivalKey is the browser's
// own mark on this arrival, "" if it made none. Verifier is the browser's if it began a
// journey here, Asked its secret if it has an open question.
type LoginRequest struct {
	Token      token.Token
	ArrivalKey string
	Verifier   token.Verifier
	Asked      token.Token
	Inside     Inside
	Origin     audit.Origin
}

// arrival is what the browser is known again by.
func (r LoginRequest) arrival() session.Arrival {
	return session.NewArrival(r.ArrivalKey, r.Verifier.Reveal())
}

// Inside is who is signed in in a browser already; the zero Inside is nobody. Proven: as
// somebody who has proved on this half who they are.
type Inside struct {
	User    user.User
	Session uuid.UUID
	Proven  bool
}

// Landed is what became of an arrival: somebody who is in, or a question.
type Landed struct {
	LoggedIn
	Question *Question // nil: in
	repeated bool      // as it was before
}

// LoggedIn is a person who arrived.
type LoggedIn struct {
	User       user.User
	ActingRole string
	Session    session.Session
	Pair       session.Pair
	Claims     token.Claims
}

// Login turns a token into a user and a session, or into a question where the person
// has to be asked ([Consent]). Its errors are [*InvalidError] for a token that opens
// nothing, [ErrDisabled], [*JourneyError] around [user.ErrInactive] and
// [user.ErrConflict], and outages. The session's row is committed before anything is
// signed.
func (l *Login) Login(ctx context.Context, request LoginRequest) (Landed, error) {
	if open, err := l.askedAlready(ctx, request); err != nil || open != nil {
		return Landed{Question: open}, err
	}
	begun := l.Now()
	claims, bound, err := l.exchange(ctx, request)
	if err != nil {
		return Landed{}, l.refused(ctx, request.arrival(), request.Origin, err)
	}
	landed, err := l.land(ctx, request, claims, bound)
	l.Progress.arrived(landed, claims, begun, l.Now())
	if err != nil {
		l.leaveUnresolved(request, err) // the token is redeemed, whatever became of the arrival
		return Landed{}, &JourneyError{HandoffID: claims.HandoffID, Cause: err}
	}
	return landed, nil
}

// land brings in who was exchanged, or asks them.
func (l *Login) land(ctx context.Context, request LoginRequest, claims token.Claims, bound bool) (Landed, error) {
	sessionID, err := uuid.NewV7FromReader(l.Random)
	if err != nil {
		return Landed{}, fmt.Errorf("handoff: new id: %w", err)
	}
	userID, err := uuid.NewV7FromReader(l.Random)
	if err != nil {
		return Landed{}, fmt.Errorf("handoff: new id: %w", err)
	}
	by := request.arrival()
	return l.settle(ctx, token.Parked{
		Claims: claims, Shown: request.Token.Digest(), Key: by.Key, Nonce: by.Nonce,
		SessionID: sessionID, UserID: userID,
	}, circumstances{inside: request.Inside, unasked: bound || l.Unbound == UnboundAllow, origin: request.Origin})
}

// exchange reports whether the token was made for a journey that this browser began.
func (l *Login) exchange(ctx context.Context, request LoginRequest) (claims token.Claims, bound bool, err error) {
	key, err := l.idempotencyKey(request)
	if err != nil {
		return token.Claims{}, false, err
	}
	claims, bound, err = l.present(ctx, request, key)
	if err == nil {
		err = l.check(claims)
	}
	// Redis is before the gate: without it nothing is redeemed.
	down := (*outage.Error)(nil)
	if errors.As(err, &down) && down.Dependency != "redis" && !outage.TookNoEffect(err) {
		l.leaveUnresolved(request, err)
	}
	return claims, bound, err
}

// present exchanges with the browser's verifier where it has one. The token may still
// be of a journey that began elsewhere, which has no challenge: then the verifier is what
// does not fit, the token is as good as before, and is shown again without. Under the
// same key: they are one attempt.
//
// Where such journeys are refused it is not shown without one, and a browser that has
// none shows one that it does not know: nothing is consumed.
func (l *Login) present(ctx context.Context, request LoginRequest, key string) (claims token.Claims, bound bool, err error) {
	verifier := request.Verifier
	if verifier.IsNone() && l.Unbound == UnboundRefuse {
		if verifier, err = token.NewVerifier(l.Random); err != nil {
			return token.Claims{}, false, err
		}
	}
	p := Presentation{Token: request.Token, Target: l.Target, IdempotencyKey: key, Verifier: verifier.Secret}
	if !verifier.IsNone() {
		claims, err := l.Exchanger.Exchange(ctx, p)
		if !errors.Is(err, token.ErrBinding) || l.Unbound == UnboundRefuse {
			return claims, true, err
		}
		p.Verifier = privacy.Secret{}
	}
	claims, err = l.Exchanger.Exchange(ctx, p)
	return claims, false, err
}

// leaveUnresolved counts who cannot ask again after an outage behind the gate.
func (l *Login) leaveUnresolved(request LoginRequest, err error) {
	if down := (*outage.Error)(nil); request.arrival().IsNone() && errors.As(err, &down) {
		l.unresolved.Add(1)
	}
}

// clockSkew is how far the other half's clock may be behind ours.
const clockSkew = 30 * time.Second

// check does not take the other half's word for what we can see ourselves: that
// the claims are for us, and that their 60 s are not long over (I2). The attack is
// an answer to an earlier exchange, played back by whoever sits between.
func (l *Login) check(claims token.Claims) error {
	switch {
	case claims.Target != l.Target:
		return &token.Refused{Cause: token.ErrWrongTarget, HandoffID: claims.HandoffID}
	case l.Now().After(claims.ExpiresAt.Add(clockSkew)):
		return &token.Refused{Cause: token.ErrExpired, HandoffID: claims.HandoffID}
	}
	return nil
}

// idempotencyKey makes the exchange repeatable for the same browser: by the verifier
// of its journeys, which all its tabs have, else by its arrival key. Either stays on this
// half. A browser without both gets a random key, good for our own repeat after a lost
// connection and for nobody else's.
func (l *Login) idempotencyKey(request LoginRequest) (string, error) {
	var of string
	switch {
	case !request.Verifier.IsNone():
		of = "journey " + request.Verifier.Reveal()
	case request.ArrivalKey != "":
		of = "arrival " + request.ArrivalKey
	default:
		random := make([]byte, 16)
		if _, err := io.ReadFull(l.Random, random); err != nil {
			return "", fmt.Errorf("handoff: read random bytes: %w", err)
		}
		return hex.EncodeToString(random), nil
	}
	sum := sha256.Sum256([]byte(of))
	return hex.EncodeToString(sum[:]), nil
}
