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
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// DAOStore holds the statements on the DAO database that span session and audit.
type DAOStore struct{ pool *pgxpool.Pool }

// NewDAOStore uses pool.
func NewDAOStore(pool *pgxpool.Pool) *DAOStore { return &DAOStore{pool} }

// FindAccount returns the account with this email.
func (d *DAOStore) FindAccount(ctx context.Context, email privacy.Email) (member.Account, error) {
	return member.FindAccount(ctx, d.pool, email)
}

// FindSession returns the cookie's session and its member, live or not.
func (d *DAOStore) FindSession(ctx context.Context, cookie member.Cookie) (member.Session, member.Member, error) {
	return member.FindSession(ctx, d.pool, cookie)
}

// Append records a refusal.
func (d *DAOStore) Append(ctx context.Context, r audit.Record) error {
	return audit.Append(ctx, d.pool, r)
}

var beginSQL = `
WITH begun AS (
	INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
	VALUES (@id, @member_id, @digest, @auth_time, @amr, @created_at, @idle_expires_at, @expires_at)
	RETURNING member_id
)
` + audit.Insert{
	Event: audit.SessionCreated, Outcome: audit.Success, From: "begun",
	Reason: "'" + string(audit.ByPassword) + "'", Actor: "member_id",
}.SQL()

// Begin writes a session and the row that records it.
func (d *DAOStore) Begin(ctx context.Context, s member.Session, cookie member.Cookie, origin audit.Origin) error {
	args := audit.Args(s.CreatedAt, origin)
	maps.Copy(args, pgx.NamedArgs{
		"id": s.ID, "member_id": s.MemberID, "digest": cookie.Digest(), "auth_time": s.AuthTime, "amr": s.AMR,
		"created_at": s.CreatedAt, "idle_expires_at": s.IdleExpiresAt, "expires_at": s.ExpiresAt,
	})
	_, err := d.pool.Exec(ctx, beginSQL, args)
	return audit.Unrecorded(err)
}

var endSQL = `
WITH ended AS (
	UPDATE sessions s SET ended_at = @now, ended_as = 'logout'
	WHERE s.digest = @digest AND s.id = @id AND s.ended_at IS NULL
	RETURNING s.member_id
), noted AS (
	` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",
	Reason: "'" + string(audit.ByLogout) + "'", Actor: "member_id",
}.SQL() + `
)
SELECT true FROM ended`

// End ends the session that has both this cookie and this id, unless it has
// ended already, and reports whether it did.
func (d *DAOStore) End(
	ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, now time.Time, origin audit.Origin,
) (bool, error) {
	args := audit.Args(now, origin)
	maps.Copy(args, pgx.NamedArgs{"digest": cookie.Digest(), "id": sessionID, "now": now})
	var ended bool
	err := d.pool.QueryRow(ctx, endSQL, args).Scan(&ended)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return ended, audit.Unrecorded(err)
}
