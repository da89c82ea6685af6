package audit

import (
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Event is what happened. The list is the protocol's section 7.
type Event string

// The events.
const (
	HandoffMinted    Event = "handoff.minted"
	HandoffExchanged Event = "handoff.exchanged"
	HandoffReplayed  Event = "handoff.replayed"
	HandoffRefused   Event = "handoff.refused"
	// HandoffPending: the token was exchanged, and the person is being asked; and what
	// they said, if that was no.
	HandoffPending  Event = "handoff.pending"
	HandoffDeclined Event = "handoff.declined"
	// HandoffEnded: a hand-off ended by itself; where a session ended, that is the row.
	HandoffEnded     Event = "handoff.ended"
	SessionCreated   Event = "session.created"
	SessionRefreshed Event = "session.refreshed"
	// ReuseDetected: a refresh token was shown that only a copy can be, and its
	// session has been ended for that.
	ReuseDetected Event = "session.reuse_detected"
	SessionEnded  Event = "session.ended"
	// SessionElevated: somebody who came by hand-off has proved themselves on this half,
	// or did so again.
	SessionElevated Event = "session.elevated"
	// StepUpFailed: somebody who is signed in tried that, and did not.
	StepUpFailed Event = "step_up.failed"

	UserCreated   Event = "user.created"
	UserLinked    Event = "user.linked"
	UserReclaimed Event = "user.reclaimed"
	LoginFailed   Event = "login.failed"
	AccountSeeded Event = "account.seeded"

	// DatabaseRestored: from here on the log is that of a database which was restored to an
	// earlier time; what came between is lost. Its operator writes it (docs/operations.md).
	DatabaseRestored Event = "database.restored"
)

// Outcome says whether the person got what they asked for.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Failure Outcome = "failure"
)

// Reason says why, or which way; empty where the event says it all.
type Reason string

// The reasons. Those of refusals are the problem codes of section 3, made finer
// where the outside must not know.
const (
	NoReason           Reason = ""
	TokenUnknown       Reason = "token_unknown"
	TokenExpired       Reason = "token_expired"
	TokenUsed          Reason = "token_used"
	TokenWrongTarget   Reason = "token_wrong_target"
	TokenBindingFailed Reason = "token_binding_failed"
	// SignInTooOld: the DAO session began longer ago than the mint's max_age.
	SignInTooOld Reason = "sign_in_too_old"
	// SourceEnded: the DAO session or the membership ended after the mint, or the member
	// ended the hand-off.
	SourceEnded Reason = "source_ended"
	// TargetEnded: the session that came of it ended on the FOS half.
	TargetEnded Reason = "target_ended"
	// SealBroken: Redis held something that this service did not seal.
	SealBroken Reason = "seal_broken"
	// Resurrected: Redis gave a token back that the ledger has redeemed.
	Resurrected Reason = "resurrected"

	EmailUnverified    Reason = "email_unverified"
	AccountInactive    Reason = "account_inactive"
	IdentityConflict   Reason = "identity_conflict"
	InvalidCredentials Reason = "invalid_credentials"

	// SecondFactor: the password was right, and the account asks for more.
	SecondFactor Reason = "second_factor_required"

	ByPassword  Reason = "password"
	ByHandoff   Reason = "handoff"
	ByLogout    Reason = "logout"
	ByLogoutAll Reason = "logout_all"
	// ByUser: ended from the list of their sessions, or of their hand-offs.
	ByUser Reason = "ended_by_user"

	// ByDisplacement: the user has begun too many others since.
	ByDisplacement Reason = "displaced"

	// ByReplacement: another session began in its browser.
	ByReplacement Reason = "replaced"

	// ByRestore: a database was restored to a time when it had not ended, as far as anybody
	// knew.
	ByRestore Reason = "restored"

	// ByReplay: somebody else showed the session's token within its 60 s (I8).
	ByReplay Reason = "replayed"

	// The ways in which a refresh went well.
	Rotated       Reason = "rotated"
	Converged     Reason = "converged"
	ConvergedLate Reason = "converged_late"
)

// Origin is where a request came from, as far as that may be kept.
type Origin struct {
	Address   privacy.Pseudonym
	RequestID string
}

// Record is one audit row that stands alone.
type Record struct {
	At           time.Time
	Event        Event
	Outcome      Outcome
	Reason       Reason
	Actor        uuid.UUID // uuid.Nil: nobody known
	HandoffID    uuid.UUID // uuid.Nil: no journey
	EntryProduct string
	Target       string
	Origin       Origin
}
