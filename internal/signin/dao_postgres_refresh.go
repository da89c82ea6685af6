package signin

import (
	"context"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/member"
)

// rotateOutcomeSQL is the rule of refreshing, over the session s that @cookie leads to and
// its member m.
var rotateOutcomeSQL = `CASE
		WHEN s.ended_at IS NOT NULL OR s.expires_at <= @now OR m.membership_status NOT IN ('active', 'pending') THEN 'over'
		WHEN s.digest = @cookie AND ` + member.RotatableSQL + ` THEN 'rotated'
		ELSE 'converged' END`

// rotateSQL gives the session s its successor.
const rotateSQL = `digest = @next, previous_digest = @cookie, rotated_at = @now, rotation_nonce = @nonce,
	                      idle_expires_at = least(@idle_until, s.expires_at)`

// usualRotation rotates in one statement, which refreshes of other sessions may share, where
// the cookie may have a successor and nobody holds the session. Of all others it writes
// nothing: they are refreshDAOSQL's. Of two tabs in one statement moved takes one, with that
// one's successor, and the other is given it.
var usualRotation = groupcommit.Config[Rotate, Rotated]{
	Columns: append([]groupcommit.Column[Rotate]{
		{Name: "cookie", Type: "bytea", Of: func(r Rotate) any { return r.Cookie.Digest() }},
		{Name: "csrf_session", Type: "uuid", Of: func(r Rotate) any { return r.SessionID }},
		{Name: "next", Type: "bytea", Of: func(r Rotate) any { return r.Next.Digest() }},
		{Name: "nonce", Type: "bytea", Of: func(r Rotate) any { return r.Nonce }},
		{Name: "now", Type: "timestamptz", Of: func(r Rotate) any { return r.Now }},
		{Name: "idle_until", Type: "timestamptz", Of: func(r Rotate) any { return r.Now.Add(member.IdleTTL) }},
	}, audit.Columns(func(r Rotate) (time.Time, audit.Origin) { return r.Now, r.Origin })...),
	Body: `held AS MATERIALIZED (
	SELECT asked.*, m.membership_status
	FROM asked JOIN sessions s ON s.id = @csrf_session JOIN members m ON m.id = s.member_id
	WHERE ` + rotateOutcomeSQL + ` = 'rotated'
	FOR NO KEY UPDATE OF s` + groupcommit.Locking + `
), moved AS (
	UPDATE sessions s SET ` + rotateSQL + `
	FROM held WHERE s.id = @csrf_session
	RETURNING held.*, ` + member.SessionColumns + `
), noted AS (
	` + audit.Insert{
		Event: audit.SessionRefreshed, Outcome: audit.Success, From: "moved", Reason: "'" + string(audit.Rotated) + "'", Actor: "member_id",
	}.SQL() + `
)
SELECT nth, membership_status, @next, @nonce, ` + member.SessionColumns + ` FROM moved s`,
	Scan: func(row groupcommit.Scanner) (Rotated, error) {
		var r Rotated
		err := row.Scan(append([]any{&r.Status, &r.Digest, &r.Nonce}, r.Session.ScanTargets()...)...)
		return r, err
	},
}

// Rotate implements the store's side of [DAO.Refresh].
func (d *DAOStore) Rotate(ctx context.Context, r Rotate) (Rotated, error) {
	rotated, served, err := d.rotations.Try(ctx, r)
	if err != nil || served {
		return rotated, d.Book.Settle(audit.Unrecorded(err), row(audit.SessionRefreshed, audit.Rotated))
	}
	return d.rotate(ctx, r)
}
