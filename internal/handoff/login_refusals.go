package handoff

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

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
	{token.ErrBinding, ReasonUnbound, audit.TokenBindingFailed},
	{session.ErrHandoffUsed, ReasonUsed, audit.TokenUsed},
	// The end of its source was quicker than the arrival: what the exchange would have
	// said a moment later.
	{session.ErrHandoffEnded, ReasonInvalid, audit.SourceEnded},
}

// refused records what the DAO half refused, and says it in a browser's words.
func (l *Login) refused(ctx context.Context, by session.Arrival, origin audit.Origin, cause error) error {
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
			HandoffID: journey, Target: l.Target, Origin: origin,
		}
		if err := l.note(ctx, record, by); err != nil {
			return err
		}
		return &InvalidError{Reason: row.reason, HandoffID: journey, Cause: cause}
	}
	return cause
}

// note records a refusal. One token in two browsers ([session.Arrival]) while it can
// still be on its way (I8): which of them the person's is nobody knows, and the session
// ends. Without a mark, or later, a second use proves nothing: else a spent link in a log
// would be a weapon.
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
func (l *Login) turnedAway(ctx context.Context, a Arrival, cause error) error {
	record := audit.Record{
		At: l.Now(), Event: audit.HandoffRefused, Outcome: audit.Failure,
		HandoffID: a.Claims.HandoffID, EntryProduct: a.Claims.EntryProduct, Target: a.Claims.Target, Origin: a.Origin,
	}
	if known := (*user.Refused)(nil); errors.As(cause, &known) {
		record.Actor = known.UserID
	}
	switch {
	case errors.Is(cause, user.ErrConflict):
		record.Reason = audit.IdentityConflict
	case errors.Is(cause, user.ErrInactive):
		record.Reason = audit.AccountInactive
	case errors.Is(cause, session.ErrHandoffUsed), errors.Is(cause, session.ErrHandoffEnded):
		return l.refused(ctx, a.Session.Arrival, a.Origin, &token.Refused{Cause: cause, HandoffID: a.Claims.HandoffID})
	default:
		return cause
	}
	if err := l.Store.AppendUnopened(ctx, record, repeatable); err != nil {
		return err
	}
	return cause
}
