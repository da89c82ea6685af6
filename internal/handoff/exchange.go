package handoff

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/behind"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// ExchangeConfig is what an Exchange needs.
type ExchangeConfig struct {
	Ledger  exchangeLedger
	Carrier exchangeCarrier
	Sealer  *token.Sealer
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger
	// Progress hears of what was exchanged.
	Progress Progress
}

type exchangeLedger interface {
	// Redeem is the gate: at most one attempt in the life of a digest wins.
	Redeem(ctx context.Context, r Redemption) (won bool, err error)
	// Burn redeems for nobody: the token was shown for the wrong target.
	Burn(ctx context.Context, r Redemption) (won bool, err error)
	// Find reads a token's row, nil when it was never minted.
	Find(ctx context.Context, d token.Digest, now time.Time) (*token.Entry, error)
	// Append records a refusal.
	Append(ctx context.Context, r audit.Record) error
}

type exchangeCarrier interface {
	Get(ctx context.Context, d token.Digest) ([]byte, error)
	Remaining(ctx context.Context, d token.Digest) (time.Duration, error)
	Retire(ctx context.Context, d token.Digest) error
	Drop(ctx context.Context, d token.Digest) error
}

// Exchange is the use case "exchange". Wait for it before its stores are closed.
type Exchange struct {
	ExchangeConfig
	tidying                 *behind.Work
	resurrected, unresolved atomic.Uint64
}

// NewExchange makes the use case.
func NewExchange(config ExchangeConfig) *Exchange {
	return &Exchange{ExchangeConfig: config, tidying: behind.New(tidyingAtOnce)}
}

// Resurrected is how many redeemed tokens Redis gave back. It is an alarm: nothing
// was opened, and yet the Redis that we speak to has forgotten what happened.
func (x *Exchange) Resurrected() uint64 { return x.resurrected.Load() }

// Unresolved is how many callers without an Idempotency-Key were told 503 while nobody
// could say whether their token was redeemed. If it was, they cannot have it again.
func (x *Exchange) Unresolved() uint64 { return x.unresolved.Load() }

// Caller is who exchanges: the key id of the service token that was shown, and
// the targets it is restricted to (none: all).
type Caller struct {
	KeyID   string
	Targets []string
}

// ExchangeRequest presents a token.
type ExchangeRequest struct {
	Token          token.Token
	Target         string         // "": the caller names none
	Verifier       privacy.Secret // empty: none
	IdempotencyKey string         // "": none; the attempt cannot be repeated
	Caller         Caller
	Origin         audit.Origin
}

// Redemption is what the gate writes.
type Redemption struct {
	Digest    token.Digest
	Attempt   token.Attempt
	At        time.Time
	CallerKey string
	Claims    token.Claims
	Origin    audit.Origin
}

// timeLeft is how long the token is good.
func (r Redemption) timeLeft() time.Duration { return r.Claims.ExpiresAt.Sub(r.At) }

// Exchange gives the claims that the token stands for, once. Its errors are
// [*token.Refused] with a sentinel of package token, and outages. After an
// outage the token may still be good; with an Idempotency-Key the caller simply
// repeats.
func (x *Exchange) Exchange(ctx context.Context, request ExchangeRequest) (token.Claims, error) {
	now, digest := x.Now(), request.Token.Digest()
	attempt, err := token.NewAttempt(request.IdempotencyKey, digest, x.Random)
	if err != nil {
		return token.Claims{}, err
	}
	try := presentation{request: request, now: now, attempt: attempt}

	sealed, err := x.Carrier.Get(ctx, digest)
	if err != nil {
		return token.Claims{}, err
	}
	if sealed == nil {
		return x.askLedger(ctx, try)
	}
	claims, err := x.Sealer.Open(request.Token, sealed)
	if err != nil {
		try.sealBroken = true
		return x.askLedger(ctx, try)
	}
	try.claims, try.unbound, try.misdirected = &claims, !claims.Bound(request.Verifier), request.misses(claims.Target)

	switch {
	case !now.Before(claims.ExpiresAt): // I2: the stored time, not Redis' TTL
		return x.askLedger(ctx, try)
	case try.misdirected:
		return x.burn(ctx, try, try.redemption(claims))
	case try.unbound:
		return x.askLedger(ctx, try) // if it was used before, that is the graver news (I8)
	}
	return x.redeem(ctx, try, try.redemption(claims))
}

// presentation is one showing of a token and what is known of it so far.
type presentation struct {
	request    ExchangeRequest
	now        time.Time
	attempt    token.Attempt
	claims     *token.Claims // nil: Redis had none, or none that opens
	sealBroken bool
	// unbound: the verifier does not fit. misdirected: shown for another target.
	unbound, misdirected bool
}

func (p presentation) redemption(of token.Claims) Redemption {
	return Redemption{
		Digest: p.request.Token.Digest(), Attempt: p.attempt, At: p.now,
		CallerKey: p.request.Caller.KeyID, Claims: of, Origin: p.request.Origin,
	}
}

// repeats reports whether what the same attempt was given before may be given
// again. The attack is a repeat under the same key for another target, or without
// the verifier.
func (p presentation) repeats() bool { return p.claims != nil && !p.unbound && !p.misdirected }

// replays reports whether the verdict is that of a second use.
func (p presentation) replays(v token.Verdict) bool {
	return v == token.Replayed || v == token.OursBurnt || v == token.Ours && !p.overbound()
}

// overbound reports whether there is a verifier for a token that demands none. Our FOS
// half asks so first, for it cannot know; the same attempt asks again without.
func (p presentation) overbound() bool {
	return p.claims != nil && p.claims.Challenge == "" && !p.request.Verifier.IsEmpty() && !p.misdirected
}

func (p presentation) journey() uuid.UUID {
	if p.claims == nil {
		return uuid.Nil
	}
	return p.claims.HandoffID
}

// misses reports whether a token for target was shown for another one.
func (r ExchangeRequest) misses(target string) bool {
	if r.Target != "" && r.Target != target {
		return true
	}
	return len(r.Caller.Targets) > 0 && !slices.Contains(r.Caller.Targets, target)
}

// timeToAsk is what the gate leaves of a request's time, to ask what became of it
// when its answer does not come: one connection that has gone dead must not cost the
// person the hand-off.
const timeToAsk = 700 * time.Millisecond

// gate gives the gate its share of the time that is left: of the request's, and of the
// token's own minute (I2), which may end while a statement waits for its turn.
func gate(ctx context.Context, r Redemption) (context.Context, context.CancelFunc) {
	inTime, cancel := context.WithTimeout(ctx, r.timeLeft())
	deadline, limited := ctx.Deadline()
	if !limited {
		return inTime, cancel
	}
	share, cancelShare := context.WithDeadline(inTime, deadline.Add(-timeToAsk))
	return share, func() { cancelShare(); cancel() }
}

func (x *Exchange) redeem(ctx context.Context, try presentation, r Redemption) (token.Claims, error) {
	within, cancel := gate(ctx, r)
	defer cancel()
	won, err := x.Ledger.Redeem(within, r)
	switch {
	case err != nil && x.became(ctx, try, token.Ours, err):
		won = true
	case err != nil && !x.Now().Before(r.Claims.ExpiresAt): // the minute ended at the gate
		try.now = x.Now()
		return x.askLedger(ctx, try)
	case err != nil:
		return token.Claims{}, &JourneyError{HandoffID: r.Claims.HandoffID, Cause: err}
	}
	if !won {
		return x.askLedger(ctx, try)
	}
	x.Progress.step(StageMinted, StageExchanged, r.At.Sub(r.Claims.IssuedAt))
	x.tidy(ctx, r, x.Carrier.Retire)
	return r.Claims, nil
}

// burn ends a token that was shown for another site than it was minted for: it
// is in the wrong hands, or on its way there (I7).
func (x *Exchange) burn(ctx context.Context, try presentation, r Redemption) (token.Claims, error) {
	within, cancel := gate(ctx, r)
	defer cancel()
	won, err := x.Ledger.Burn(within, r)
	switch {
	case err != nil && x.became(ctx, try, token.OursBurnt, err):
		won = true
	case err != nil && !x.Now().Before(r.Claims.ExpiresAt): // the minute ended at the gate
		try.now = x.Now()
		return x.askLedger(ctx, try)
	case err != nil:
		return token.Claims{}, &JourneyError{HandoffID: r.Claims.HandoffID, Cause: err}
	}
	if !won {
		return x.askLedger(ctx, try)
	}
	x.tidy(ctx, r, x.Carrier.Drop)
	return token.Claims{}, &token.Refused{Cause: token.ErrWrongTarget, HandoffID: r.Claims.HandoffID}
}

// became reports whether an attempt whose answer did not come had this verdict: the
// COMMIT's answer may be what was lost, and the attempt in the row says whether it
// took effect.
func (x *Exchange) became(ctx context.Context, try presentation, verdict token.Verdict, cause error) bool {
	if outage.TookNoEffect(cause) {
		return false
	}
	entry, err := x.Ledger.Find(ctx, try.request.Token.Digest(), try.now)
	if err != nil || entry == nil {
		x.leaveUnresolved(try)
		return false
	}
	found := token.Judge(*entry, try.attempt, try.now)
	if found == token.Open {
		x.leaveUnresolved(try) // the statement may be on its way still, until its deadline
	}
	return found == verdict
}

// leaveUnresolved counts who cannot ask again.
func (x *Exchange) leaveUnresolved(try presentation) {
	if try.request.IdempotencyKey == "" {
		x.unresolved.Add(1)
	}
}

// askLedger is for every token that the gate did not let through: the ledger
// says why, and the refusal is recorded.
func (x *Exchange) askLedger(ctx context.Context, try presentation) (token.Claims, error) {
	entry, err := x.Ledger.Find(ctx, try.request.Token.Digest(), try.now)
	if err != nil {
		return token.Claims{}, onJourney(try.journey(), err)
	}
	if entry == nil {
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.TokenUnknown, token.Entry{}})
	}
	verdict := token.Judge(*entry, try.attempt, try.now)
	switch {
	case verdict == token.Ours && try.repeats():
		return *try.claims, nil
	case verdict == token.OursBurnt && try.request.misses(entry.Target):
		return token.Claims{}, &token.Refused{Cause: token.ErrWrongTarget, HandoffID: entry.HandoffID} // the same answer
	case try.replays(verdict):
		return x.refuse(ctx, try, refusal{token.ErrUsed, x.replayReason(ctx, *entry, try), *entry})
	case verdict == token.Expired:
		return x.refuse(ctx, try, refusal{token.ErrExpired, audit.TokenExpired, *entry})
	case verdict == token.SourceEnded:
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.SourceEnded, *entry})
	case try.sealBroken:
		// Somebody writes to our Redis, or a sealing key was dropped too early.
		x.Log.ErrorContext(ctx, "sealed claims do not open", "handoff_id", entry.HandoffID.String())
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.SealBroken, *entry})
	case try.claims == nil && !try.misdirected && try.request.misses(entry.Target):
		// Redis has lost the claims, and may yet bring them back.
		try.misdirected = true
		return x.burn(ctx, try, try.redemption(token.Claims{HandoffID: entry.HandoffID, ExpiresAt: entry.ExpiresAt}))
	case try.claims == nil && !try.misdirected:
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.TokenUnknown, *entry})
	case try.unbound:
		return x.refuse(ctx, try, refusal{token.ErrBinding, audit.TokenBindingFailed, *entry})
	}
	// Open, and yet the gate matched no row: the statement ran past its deadline.
	return token.Claims{}, onJourney(entry.HandoffID, outage.New("postgres", errors.New("redeemed past the deadline")))
}
