package handoff

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// replayReason tells an ordinary second use from a token that Redis brought back
// (a failover, a restored snapshot).
func (x *Exchange) replayReason(ctx context.Context, entry token.Entry, try presentation) audit.Reason {
	if try.claims == nil {
		return audit.TokenUsed
	}
	remaining, err := x.Carrier.Remaining(ctx, try.request.Token.Digest())
	if err != nil || !entry.IsBack(remaining, try.now) {
		return audit.TokenUsed
	}
	x.resurrected.Add(1)
	x.Log.ErrorContext(ctx, "redis gave back a token that was redeemed", "handoff_id", entry.HandoffID.String())
	return audit.Resurrected
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
