package handoff

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
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
	// ElevatedRoles lets a founder's or admin's hand-off session act with that role
	// at once (I10).
	ElevatedRoles bool
	Now           func() time.Time
	Random        io.Reader
}

type arrivalStore interface {
	// Arrive commits user, link, session and audit rows together, or nothing.
	Arrive(ctx context.Context, a Arrival) (Arrived, error)
	// Append records a refusal.
	Append(ctx context.Context, r audit.Record) error
	// Revoke records a replay, and ends the session that the hand-off opened if that
	// was under another arrival key than this one.
	Revoke(ctx context.Context, replay audit.Record, by session.Arrival) error
}

// Login is the use case "cross-domain login".
type Login struct {
	LoginConfig
	unresolved atomic.Uint64
}

// NewLogin makes the use case.
func NewLogin(config LoginConfig) *Login { return &Login{LoginConfig: config} }

// Unresolved is how many browsers without an arrival key were told 503 when their token
// was redeemed, or may have been: they cannot have it again.
func (l *Login) Unresolved() uint64 { return l.unresolved.Load() }

// LoginRequest is a token that arrived in a browser. ArrivalKey is the browser's
// own mark on this arrival, "" if it made none. Verifier is the browser's if it began a
// journey here. SignedInAs is who the browser is
// signed in as here already, uuid.Nil for nobody.
type LoginRequest struct {
	Token      token.Token
	ArrivalKey string
	Verifier   token.Verifier
	SignedInAs uuid.UUID
	Origin     audit.Origin
}

// LoggedIn is a person who arrived.
type LoggedIn struct {
	User       user.User
	ActingRole string
	Session    session.Session
	Pair       session.Pair
	Claims     token.Claims
}

// Arrival is what one hand-off writes.
type Arrival struct {
	Person    user.Arrival
	Session   session.New
	Claims    token.Claims
	NewUserID uuid.UUID
	Now       time.Time
	Origin    audit.Origin
}

// Arrived is what it led to.
type Arrived struct {
	User    user.User
	Session session.Session
}

// Login turns a token into a user and a session. Its errors are [*InvalidError]
// for a token that opens nothing, [ErrDisabled], [*JourneyError] around
// [user.ErrInactive] and [user.ErrConflict], and outages. The session's row is
// committed before anything is signed.
func (l *Login) Login(ctx context.Context, request LoginRequest) (LoggedIn, error) {
	key, err := l.idempotencyKey(request.ArrivalKey)
	if err != nil {
		return LoggedIn{}, err
	}
	claims, err := l.present(ctx, request, key)
	if err == nil {
		err = l.check(claims)
	}
	if err != nil {
		if !outage.TookNoEffect(err) {
			l.leaveUnresolved(request, err)
		}
		return LoggedIn{}, l.refused(ctx, request, err)
	}
	loggedIn, err := l.arrive(ctx, request, claims)
	if err != nil {
		l.leaveUnresolved(request, err) // the token is redeemed, whatever became of the arrival
		return LoggedIn{}, &JourneyError{HandoffID: claims.HandoffID, Cause: err}
	}
	return loggedIn, nil
}

// present exchanges with the browser's verifier where it has one. The token may still
// be of a journey that began elsewhere, which has no challenge: then the verifier is what
// does not fit, the token is as good as before, and is shown again without. Under the
// same key: they are one attempt.
func (l *Login) present(ctx context.Context, request LoginRequest, key string) (token.Claims, error) {
	p := Presentation{Token: request.Token, Target: l.Target, IdempotencyKey: key}
	if !request.Verifier.IsNone() {
		p.Verifier = request.Verifier.Secret
		claims, err := l.Exchanger.Exchange(ctx, p)
		if !errors.Is(err, token.ErrBinding) {
			return claims, err
		}
		p.Verifier = privacy.Secret{}
	}
	return l.Exchanger.Exchange(ctx, p)
}

// leaveUnresolved counts who cannot ask again after an outage behind the gate. Redis is
// before it: without Redis nothing is redeemed.
func (l *Login) leaveUnresolved(request LoginRequest, err error) {
	down := (*outage.Error)(nil)
	if request.ArrivalKey == "" && errors.As(err, &down) && down.Dependency != "redis" {
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

// idempotencyKey makes the exchange repeatable for who holds the arrival key. The
// key itself stays on this half. A browser without one gets a random key, good
// for our own repeat after a lost connection and for nobody else's.
func (l *Login) idempotencyKey(arrivalKey string) (string, error) {
	if arrivalKey == "" {
		random := make([]byte, 16)
		if _, err := io.ReadFull(l.Random, random); err != nil {
			return "", fmt.Errorf("handoff: read random bytes: %w", err)
		}
		return hex.EncodeToString(random), nil
	}
	sum := sha256.Sum256([]byte("arrival " + arrivalKey))
	return hex.EncodeToString(sum[:]), nil
}

func (l *Login) arrive(ctx context.Context, request LoginRequest, claims token.Claims) (LoggedIn, error) {
	now := l.Now()
	sessionID, err := uuid.NewV7FromReader(l.Random)
	if err != nil {
		return LoggedIn{}, fmt.Errorf("handoff: new id: %w", err)
	}
	userID, err := uuid.NewV7FromReader(l.Random)
	if err != nil {
		return LoggedIn{}, fmt.Errorf("handoff: new id: %w", err)
	}
	arrived, err := l.Store.Arrive(ctx, Arrival{
		Person: user.Arrival{
			Subject: claims.UserID, Email: claims.Email, EmailVerified: claims.EmailVerified,
			DisplayName: claims.DisplayName, Principal: claims.Principal, SignedInAs: request.SignedInAs,
		},
		Session: session.New{
			ID: sessionID, Origin: session.Handoff, HandoffID: &claims.HandoffID, EntryProduct: &claims.EntryProduct,
			Arrival: session.NewArrival(request.ArrivalKey), AuthTime: claims.AuthTime, AMR: claims.AMR,
			Now: now, ExpiresAt: l.Signer.SessionExpiry(now),
		},
		Claims: claims, NewUserID: userID, Now: now, Origin: request.Origin,
	})
	if err != nil {
		return LoggedIn{}, l.turnedAway(ctx, request, claims, err)
	}
	role := session.ActingRole(string(arrived.User.Role), arrived.Session, l.ElevatedRoles)
	pair, err := l.Signer.Pair(arrived.Session, role)
	if err != nil {
		return LoggedIn{}, err
	}
	return LoggedIn{User: arrived.User, ActingRole: role, Session: arrived.Session, Pair: pair, Claims: claims}, nil
}

// loginRefusals says what a browser hears of each, and what the audit row says.
var loginRefusals = []struct {
	is     error
	reason string
	note   audit.Reason
}{
	{token.ErrUsed, ReasonUsed, audit.TokenUsed},
	{token.ErrExpired, ReasonExpired, audit.TokenExpired},
	{token.ErrUnknown, ReasonInvalid, audit.TokenUnknown},
	{token.ErrWrongTarget, ReasonInvalid, audit.TokenWrongTarget},
	{token.ErrBinding, ReasonInvalid, audit.TokenBindingFailed},
	{session.ErrHandoffUsed, ReasonUsed, audit.TokenUsed},
}

// refused records what the DAO half refused, and says it in a browser's words.
func (l *Login) refused(ctx context.Context, request LoginRequest, cause error) error {
	var journey uuid.UUID
	if known := (*token.Refused)(nil); errors.As(cause, &known) {
		journey = known.HandoffID
	}
	for _, row := range loginRefusals {
		if !errors.Is(cause, row.is) {
			continue
		}
		record := audit.Record{
			At: l.Now(), Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: row.note,
			HandoffID: journey, Target: l.Target, Origin: request.Origin,
		}
		err := l.note(ctx, record, session.NewArrival(request.ArrivalKey))
		if err != nil {
			return err
		}
		return &InvalidError{Reason: row.reason, HandoffID: journey, Cause: cause}
	}
	return cause
}

// note records a refusal. One token shown under two arrival keys, while it can still
// be on its way, was in two browsers (I8): which of them the person's is nobody knows,
// and the session ends. Without a key, or later, a second use proves nothing: else a
// spent link in a log would be a weapon.
func (l *Login) note(ctx context.Context, refusal audit.Record, by session.Arrival) error {
	if refusal.Reason != audit.TokenUsed {
		return l.Store.Append(ctx, refusal)
	}
	refusal.Event = audit.HandoffReplayed
	if by.IsNone() || !onItsWay(refusal.HandoffID, refusal.At) {
		return l.Store.Append(ctx, refusal)
	}
	return l.Store.Revoke(ctx, refusal, by)
}

// turnedAway records why section 5 let a person in possession of a good token
// not in.
func (l *Login) turnedAway(ctx context.Context, request LoginRequest, claims token.Claims, cause error) error {
	record := audit.Record{
		At: l.Now(), Event: audit.HandoffRefused, Outcome: audit.Failure,
		HandoffID: claims.HandoffID, EntryProduct: claims.EntryProduct, Target: claims.Target, Origin: request.Origin,
	}
	if known := (*user.Refused)(nil); errors.As(cause, &known) {
		record.Actor = known.UserID
	}
	switch {
	case errors.Is(cause, user.ErrConflict):
		record.Reason = audit.IdentityConflict
	case errors.Is(cause, user.ErrInactive):
		record.Reason = audit.AccountInactive
	case errors.Is(cause, session.ErrHandoffUsed):
		return l.refused(ctx, request, &token.Refused{Cause: session.ErrHandoffUsed, HandoffID: claims.HandoffID})
	default:
		return cause
	}
	if err := l.Store.Append(ctx, record); err != nil {
		return err
	}
	return cause
}
