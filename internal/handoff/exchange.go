package handoff

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/outage"
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
	Retire(ctx context.Context, d token.Digest) error
	Drop(ctx context.Context, d token.Digest) error
}

// Exchange is the use case "exchange". Wait for it before its stores are closed.
type Exchange struct {
	ExchangeConfig
	tidying sync.WaitGroup
	slots   chan struct{}
}

// tidyingSlots bounds the commands that run after their answers (I13).
const tidyingSlots = 64

// NewExchange makes the use case.
func NewExchange(config ExchangeConfig) *Exchange {
	return &Exchange{ExchangeConfig: config, slots: make(chan struct{}, tidyingSlots)}
}

// Wait returns when nothing runs behind an answer any more.
func (x *Exchange) Wait() { x.tidying.Wait() }

// Caller is who exchanges: the key id of the service token that was shown, and
// the targets it is restricted to (none: all).
type Caller struct {
	KeyID   string
	Targets []string
}

// ExchangeRequest presents a token.
type ExchangeRequest struct {
	Token          token.Token
	Target         string // "": the caller names none
	Verifier       string // "": none
	IdempotencyKey string // "": none; the attempt cannot be repeated
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
	try.claims, try.unbound, try.misdirected = &claims, !claims.Bound(request.Verifier), wrongTarget(request, claims)

	redemption := Redemption{
		Digest: digest, Attempt: attempt, At: now, CallerKey: request.Caller.KeyID, Claims: claims, Origin: request.Origin,
	}
	switch {
	case !now.Before(claims.ExpiresAt): // I2: the stored time, not Redis' TTL
		return x.askLedger(ctx, try)
	case try.misdirected:
		return x.burn(ctx, try, redemption)
	case try.unbound:
		return x.askLedger(ctx, try) // if it was used before, that is the graver news (I8)
	}
	return x.redeem(ctx, try, redemption)
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

// repeats reports whether what the same attempt was given before may be given
// again. The attack is a repeat under the same key for another target, or without
// the verifier.
func (p presentation) repeats() bool { return p.claims != nil && !p.unbound && !p.misdirected }

func (p presentation) journey() uuid.UUID {
	if p.claims == nil {
		return uuid.Nil
	}
	return p.claims.HandoffID
}

func wrongTarget(request ExchangeRequest, claims token.Claims) bool {
	if request.Target != "" && request.Target != claims.Target {
		return true
	}
	return len(request.Caller.Targets) > 0 && !slices.Contains(request.Caller.Targets, claims.Target)
}

func (x *Exchange) redeem(ctx context.Context, try presentation, r Redemption) (token.Claims, error) {
	won, err := x.Ledger.Redeem(ctx, r)
	if won {
		x.tidy(ctx, r, x.Carrier.Retire)
		return r.Claims, nil
	}
	if err == nil {
		return x.askLedger(ctx, try)
	}
	// The COMMIT's answer may be what was lost. The attempt in the row says whether
	// it took effect; if it did, the claims are ours.
	entry, findErr := x.Ledger.Find(ctx, r.Digest, try.now)
	if findErr == nil && entry != nil && token.Judge(*entry, try.attempt, try.now) == token.Ours {
		x.tidy(ctx, r, x.Carrier.Retire)
		return r.Claims, nil
	}
	return token.Claims{}, &JourneyError{HandoffID: r.Claims.HandoffID, Cause: err}
}

// burn ends a token that was shown for another site than it was minted for: it
// is in the wrong hands, or on its way there (I7).
func (x *Exchange) burn(ctx context.Context, try presentation, r Redemption) (token.Claims, error) {
	won, err := x.Ledger.Burn(ctx, r)
	if err != nil {
		return token.Claims{}, &JourneyError{HandoffID: r.Claims.HandoffID, Cause: err}
	}
	if !won {
		return x.askLedger(ctx, try)
	}
	x.tidy(ctx, r, x.Carrier.Drop)
	return token.Claims{}, &token.Refused{Cause: token.ErrWrongTarget, HandoffID: r.Claims.HandoffID}
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
	case verdict == token.Ours, verdict == token.Replayed:
		return x.refuse(ctx, try, refusal{token.ErrUsed, replayReason(*entry, try), *entry})
	case verdict == token.Expired:
		return x.refuse(ctx, try, refusal{token.ErrExpired, audit.TokenExpired, *entry})
	case verdict == token.SourceEnded:
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.SourceEnded, *entry})
	case try.sealBroken:
		// Somebody writes to our Redis, or a sealing key was dropped too early.
		x.Log.ErrorContext(ctx, "sealed claims do not open", "handoff_id", entry.HandoffID.String())
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.SealBroken, *entry})
	case try.claims == nil:
		return x.refuse(ctx, try, refusal{token.ErrUnknown, audit.TokenUnknown, *entry})
	case try.unbound:
		return x.refuse(ctx, try, refusal{token.ErrBinding, audit.TokenBindingFailed, *entry})
	}
	// Open, and yet the gate matched no row: the statement ran past its deadline.
	return token.Claims{}, onJourney(entry.HandoffID, outage.New("postgres", errors.New("redeemed past the deadline")))
}

// replayReason tells an ordinary second use from a token that Redis brought back
// long after it should have been forgotten (a failover, a restored snapshot).
func replayReason(entry token.Entry, try presentation) audit.Reason {
	if try.claims != nil && entry.RedeemedAt != nil && try.now.Sub(*entry.RedeemedAt) > 2*token.RepeatWindow {
		return audit.Resurrected
	}
	return audit.TokenUsed
}

// refusal is why a token is refused; entry is its row, zero when it has none.
type refusal struct {
	cause  error
	reason audit.Reason
	entry  token.Entry
}

func (x *Exchange) refuse(ctx context.Context, try presentation, r refusal) (token.Claims, error) {
	record := audit.Record{
		At: try.now, Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: r.reason,
		Actor: r.entry.MemberID, HandoffID: r.entry.HandoffID, EntryProduct: r.entry.EntryProduct, Target: r.entry.Target,
		Origin: try.request.Origin,
	}
	if errors.Is(r.cause, token.ErrUsed) {
		record.Event = audit.HandoffReplayed
	}
	if err := x.Ledger.Append(ctx, record); err != nil {
		return token.Claims{}, onJourney(r.entry.HandoffID, err)
	}
	return token.Claims{}, &token.Refused{Cause: r.cause, HandoffID: r.entry.HandoffID}
}

// onJourney adds the hand-off's id to err where it is known.
func onJourney(id uuid.UUID, err error) error {
	if id == uuid.Nil {
		return err
	}
	return &JourneyError{HandoffID: id, Cause: err}
}

// tidy runs command behind the answer. It is best effort: the ledger refuses a
// second use whatever Redis holds, and the TTL ends it in any case.
func (x *Exchange) tidy(ctx context.Context, r Redemption, command func(context.Context, token.Digest) error) {
	select {
	case x.slots <- struct{}{}:
	default:
		return
	}
	x.tidying.Go(func() {
		defer func() { <-x.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := command(ctx, r.Digest); err != nil {
			x.Log.WarnContext(ctx, "a redeemed token stays in redis until its time is over",
				"handoff_id", r.Claims.HandoffID.String(), "error", err)
		}
	})
}
