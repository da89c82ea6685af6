package session

import (
	"strconv"
	"time"
)

// ConvergenceTime is for how long after a rotation the refresh token before it
// still leads to the same successor, whatever happened to that one: the other tabs
// that asked at the same moment (invariant I11).
const ConvergenceTime = 30 * time.Second

// RefreshOutcome is what showing a refresh token came to.
type RefreshOutcome string

// The outcomes. Only the first three give a pair.
const (
	// Rotated: it was the current one; the next generation is current now.
	Rotated RefreshOutcome = "rotated"
	// Converged: it was the one before, and its successor is given again. Another
	// tab, or an answer that was lost.
	Converged RefreshOutcome = "converged"
	// ConvergedLate is Converged after [ConvergenceTime], because nothing of the
	// current generation was shown yet. Once in a while that is a lost answer. At every
	// refresh of one session it is a thief who keeps step with the owner.
	ConvergedLate RefreshOutcome = "converged_late"
	// Reused: any other generation under a good signature. Two parties have had this
	// session, one of them stole it, and it cannot be said which: the session ends
	// (RFC 9700, 4.14.2).
	Reused RefreshOutcome = "reused"
	// Over: the session had ended before.
	Over RefreshOutcome = "over"
	// Barred: the user may not be here; nothing changes.
	Barred RefreshOutcome = "barred"
)

// RefreshOutcomeSQL is the rule of refreshing, over a row of sessions under the
// alias s that is locked, the condition @active (whether the user is active), and
// the arguments @shown_generation (the token's) and @now.
//
// The predecessor converges also after [ConvergenceTime] as long as nothing of the
// current generation was ever shown: then nobody has received it, as when a laptop
// fell asleep over the answer. Once it was shown, whoever has the older one has a
// copy.
func RefreshOutcomeSQL(active string) string {
	return `CASE
		WHEN NOT (` + LiveSQL + `) THEN 'over'
		WHEN s.generation <> @shown_generation AND NOT (s.generation = @shown_generation + 1
			AND (NOT s.generation_used OR ` + timely + `)) THEN 'reused'
		WHEN NOT (` + active + `) THEN 'barred'
		WHEN s.generation = @shown_generation THEN 'rotated'
		WHEN ` + timely + ` THEN 'converged'
		ELSE 'converged_late' END`
}

// ElevateSQL is a step-up: the session @id of the user @user, if it is live, is elevated,
// and what it says of the sign-in is what was proved now (@now, by password). Who proves
// themselves again later changes nothing of that.
//
// It goes on to the next generation where an access token of the current one was shown
// (@generation); the refresh token of before then leads there too, for as long as any
// predecessor does. Where others have gone on meanwhile, the person is given what they
// have come to: a second step would leave a tab that is refreshing two behind, and that
// is what a thief looks like (I11). auth_time moves by a second at least, which is what
// tokens tell apart ([Session.ProvedAt]).
const ElevateSQL = `
	UPDATE public.sessions s SET
		elevated        = true,
		auth_time       = CASE WHEN s.elevated THEN s.auth_time
		                  ELSE greatest(@now, date_trunc('second', s.auth_time) + interval '1 second') END,
		amr             = CASE WHEN s.elevated THEN s.amr ELSE '{pwd}' END,
		generation      = s.generation + CASE s.generation WHEN @generation THEN 1 ELSE 0 END,
		generation_used = s.generation_used AND s.generation <> @generation,
		rotated_at      = CASE s.generation WHEN @generation THEN @now ELSE s.rotated_at END,
		last_used_at    = greatest(s.last_used_at, @now)
	WHERE s.id = @id AND s.user_id = @user AND ` + LiveSQL + `
	RETURNING ` + Columns

var timely = "coalesce(@now < s.rotated_at + interval '" + strconv.Itoa(int(ConvergenceTime/time.Second)) + " seconds', false)"

// touchEvery is how exact "last used" is. A write at every request would make each
// of them wait for a commit.
const touchEvery = time.Minute

// NeedsTouch reports whether an access token of this generation, shown at now,
// tells the row something new.
func (s Session) NeedsTouch(generation int, now time.Time) bool {
	firstUse := generation == s.Generation && !s.GenerationUsed
	return firstUse || now.Sub(s.LastUsedAt) >= touchEvery
}
