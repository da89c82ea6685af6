package signin

import (
	"context"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// activeSQL is the condition of [session.RefreshOutcomeSQL].
const activeSQL = `u.status = 'ACTIVE'`

// refreshing is a refresh token whose signature is good, shown at now.
type refreshing struct {
	claims session.RefreshClaims
	now    time.Time
	origin audit.Origin
}

// usualRefresh rotates in one statement, which refreshes of other sessions may share, where
// the token is the current one and nobody holds the session. Of all others it writes nothing:
// they are refreshSQL's. The rule is the same text, over the row as it is under the lock.
//
// Nobody is waited for, so that what the statement sees of the user is what was so when the
// request came. Of two tabs in one statement moved takes one, and the other converges.
var usualRefresh = groupcommit.Config[refreshing, Refreshed]{
	Columns: append([]groupcommit.Column[refreshing]{
		{Name: "of_session", Type: "uuid", Of: func(r refreshing) any { return r.claims.SessionID }},
		{Name: "of_user", Type: "uuid", Of: func(r refreshing) any { return r.claims.UserID }},
		{Name: "shown_generation", Type: "integer", Of: func(r refreshing) any { return r.claims.Generation }},
		{Name: "now", Type: "timestamptz", Of: func(r refreshing) any { return r.now }},
	}, audit.Columns(func(r refreshing) (time.Time, audit.Origin) { return r.now, r.origin })...),
	Body: `held AS MATERIALIZED (
	SELECT asked.*
	FROM asked JOIN public.sessions s ON s.id = @of_session AND s.user_id IS NOT DISTINCT FROM @of_user JOIN public.users u ON u.id = s.user_id
	WHERE ` + session.RefreshOutcomeSQL(activeSQL) + ` = 'rotated'
	FOR NO KEY UPDATE OF s` + groupcommit.Locking + `
), moved AS (
	UPDATE public.sessions s SET
		generation = s.generation + 1, generation_used = false, rotated_at = @now, last_used_at = greatest(s.last_used_at, @now)
	FROM held WHERE s.id = @of_session
	RETURNING held.*, ` + session.Columns + `
), noted AS (
	` + audit.Insert{
		Event: audit.SessionRefreshed, Outcome: audit.Success, From: "moved", Reason: "'" + string(audit.Rotated) + "'",
		Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
	}.SQL() + `
)
SELECT nth, ` + session.Columns + `, ` + user.Columns + ` FROM moved s JOIN public.users u ON u.id = s.user_id`,
	Scan: func(row groupcommit.Scanner) (Refreshed, error) {
		found, who, err := both(row)
		return Refreshed{session.Rotated, found, who}, err
	},
}

// Refresh judges a refresh token whose signature is good, and does what follows.
func (f *FOSStore) Refresh(
	ctx context.Context, claims session.RefreshClaims, now time.Time, origin audit.Origin,
) (Refreshed, error) {
	asked := refreshing{claims, now, origin}
	r, served, err := f.refreshes.Try(ctx, asked)
	if err != nil || served {
		return r, f.Book.Settle(audit.Unrecorded(err), refreshRows[session.Rotated]...)
	}
	return f.refresh(ctx, asked)
}
