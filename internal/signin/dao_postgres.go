package signin

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// DAOStore holds the statements on the DAO database that span session and audit.
type DAOStore struct {
	// Book hears of the rows that are written.
	Book audit.Book
	pool *pgxpool.Pool

	log       *audit.Log
	rotations *groupcommit.Group[Rotate, Rotated]
}

// NewDAOStore uses pool.
func NewDAOStore(pool *pgxpool.Pool) *DAOStore {
	return &DAOStore{pool: pool, log: audit.NewLog(pool), rotations: groupcommit.New(pool, usualRotation)}
}

// Watch has watch told of who waits for a statement that is shared.
func (d *DAOStore) Watch(watch groupcommit.Watch) {
	d.log.Watch(watch)
	d.rotations.Watch(watch)
}

// Waiting is how many wait for such a statement.
func (d *DAOStore) Waiting() int { return d.log.Waiting() + d.rotations.Waiting() }

// FindAccount returns the account with this email.
func (d *DAOStore) FindAccount(ctx context.Context, email privacy.Email) (member.Account, error) {
	return member.FindAccount(ctx, d.pool, email)
}

// FindSession returns the cookie's session and its member, live or not.
func (d *DAOStore) FindSession(ctx context.Context, cookie member.Cookie, now time.Time) (member.Session, member.Member, error) {
	return member.FindSession(ctx, d.pool, cookie, now)
}

// Append records a refusal.
func (d *DAOStore) Append(ctx context.Context, r audit.Record) error {
	return d.Book.Settle(d.log.Append(ctx, r), r)
}

// beginSQL demands the very password that was checked, under a lock that waits for
// whoever is changing the account. The check takes a while, and the attack is to begin
// a session in it with a password that its owner is changing at that moment.
var beginSQL = `
WITH held AS (
	SELECT m.id FROM members m
	WHERE m.id = @member_id AND m.password_hash = @hash AND m.membership_status IN ('active', 'pending')
	FOR SHARE
), begun AS (
	INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
	SELECT @id, held.id, @digest, @auth_time, @amr, @created_at, @idle_expires_at, @expires_at FROM held
	RETURNING member_id
)
` + audit.Insert{
	Event: audit.SessionCreated, Outcome: audit.Success, From: "begun",
	Reason: "'" + string(audit.ByPassword) + "'", Actor: "member_id",
}.SQL()

// Begin writes a session by password and the row that records it, while the account
// stays as it was when its password was checked; else it returns errChanged.
func (d *DAOStore) Begin(ctx context.Context, account member.Account, s member.Session, cookie member.Cookie, origin audit.Origin) error {
	args := audit.Args(s.CreatedAt, origin)
	maps.Copy(args, pgx.NamedArgs{
		"id": s.ID, "member_id": account.ID, "hash": account.PasswordHash.Reveal(), "digest": cookie.Digest(), "auth_time": s.AuthTime, "amr": s.AMR,
		"created_at": s.CreatedAt, "idle_expires_at": s.IdleExpiresAt, "expires_at": s.ExpiresAt,
	})
	written, err := d.pool.Exec(ctx, beginSQL, args)
	if err == nil && written.RowsAffected() == 0 {
		return errChanged
	}
	return d.Book.Settle(audit.Unrecorded(err), row(audit.SessionCreated, audit.ByPassword))
}

var endSQL = `
WITH ended AS (
	UPDATE sessions s SET ended_at = @now, ended_as = 'logout'
	WHERE s.id = @id AND ` + member.LeaveSQL + ` AND s.ended_at IS NULL AND s.expires_at > @now
	RETURNING s.member_id
), noted AS (
	` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",
	Reason: "'" + string(audit.ByLogout) + "'", Actor: "member_id",
}.SQL() + `
)
SELECT true FROM ended`

// End ends the session with this id, if this cookie may leave it and it is not over
// already, and reports whether it did.
func (d *DAOStore) End(
	ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, now time.Time, origin audit.Origin,
) (bool, error) {
	args := audit.Args(now, origin)
	maps.Copy(args, pgx.NamedArgs{"cookie": cookie.Digest(), "id": sessionID, "now": now})
	var ended bool
	err := d.pool.QueryRow(ctx, endSQL, args).Scan(&ended)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return ended, d.Book.Settle(audit.Unrecorded(err), row(audit.SessionEnded, audit.ByLogout))
}

// refreshDAOSQL judges, rotates and records in one statement. It locks the row first and
// judges what it finds after the wait, so that of ten tabs one rotates and nine see
// that it did. For the eleventh, which sends what the first was given, nothing is
// rotated either. A session that is over, or whose member is shut out, is found and
// left as it is.
var refreshDAOSQL = `
WITH held AS (
	SELECT s.*, m.membership_status, ` + rotateOutcomeSQL + ` AS outcome
	FROM sessions s JOIN members m ON m.id = s.member_id
	WHERE s.id = @id AND ` + member.MatchSQL + `
	FOR NO KEY UPDATE OF s
), moved AS (
	UPDATE sessions s SET ` + rotateSQL + `
	FROM held h WHERE s.id = h.id AND h.outcome = 'rotated'
	RETURNING s.id, s.digest, s.rotation_nonce, s.idle_expires_at
), noted AS (
	` + audit.Insert{
	Event: audit.SessionRefreshed, Outcome: audit.Success, From: "held WHERE outcome IN ('rotated', 'converged')",
	Reason: "outcome", Actor: "member_id",
}.SQL() + `
)
SELECT ` + member.SessionColumns + `, s.membership_status, s.outcome,
       coalesce(moved.digest, s.digest), coalesce(moved.rotation_nonce, s.rotation_nonce), coalesce(moved.idle_expires_at, s.idle_expires_at)
FROM held s LEFT JOIN moved ON moved.id = s.id`

// rotate is [DAOStore.Rotate] for every case, and waits for whoever has the session.
func (d *DAOStore) rotate(ctx context.Context, r Rotate) (Rotated, error) {
	args := audit.Args(r.Now, r.Origin)
	maps.Copy(args, pgx.NamedArgs{
		"cookie": r.Cookie.Digest(), "id": r.SessionID, "next": r.Next.Digest(), "nonce": r.Nonce,
		"now": r.Now, "idle_until": r.Now.Add(member.IdleTTL),
	})
	var rotated Rotated
	var outcome audit.Reason // or "over", which is none, and not recorded
	err := d.pool.QueryRow(ctx, refreshDAOSQL, args).Scan(append(rotated.Session.ScanTargets(),
		&rotated.Status, &outcome, &rotated.Digest, &rotated.Nonce, &rotated.Session.IdleExpiresAt)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return Rotated{}, member.ErrNoSession
	}
	rotated.Converged = outcome == audit.Converged
	if err == nil && outcome != audit.Rotated && outcome != audit.Converged {
		return rotated, nil
	}
	return rotated, d.Book.Settle(audit.Unrecorded(err), row(audit.SessionRefreshed, outcome))
}

// row is what a statement has recorded of something that went well.
func row(event audit.Event, reason audit.Reason) audit.Record {
	return audit.Record{Event: event, Outcome: audit.Success, Reason: reason}
}
