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
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// FOSStore holds the statements on the FOS database that span session, user and
// audit.
type FOSStore struct{ pool *pgxpool.Pool }

// NewFOSStore uses pool.
func NewFOSStore(pool *pgxpool.Pool) *FOSStore { return &FOSStore{pool} }

// FindSession returns the session and the user, live or not, in one round trip.
func (f *FOSStore) FindSession(ctx context.Context, sessionID, userID uuid.UUID) (session.Session, user.User, error) {
	var both pgx.Batch
	both.Queue(session.FindSQL, sessionID)
	both.Queue(user.FindSQL, userID)
	results := f.pool.SendBatch(ctx, &both)
	var found session.Session
	var who user.User
	err := session.Scan(results.QueryRow(), &found)
	if err == nil {
		err = user.Scan(results.QueryRow(), &who)
	}
	err = errors.Join(err, results.Close())
	if errors.Is(err, pgx.ErrNoRows) {
		return session.Session{}, user.User{}, session.ErrInvalidToken
	}
	return found, who, outage.Postgres(err)
}

var endFOSSQL = `
WITH ended AS (
	UPDATE sessions s SET ended_at = @now, ended_as = 'logout'
	WHERE s.id = @id AND s.ended_at IS NULL
	RETURNING s.user_id, s.handoff_id, s.entry_product
), noted AS (
	` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",
	Reason: "'" + string(audit.ByLogout) + "'", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL() + `
)
SELECT true FROM ended`

// End ends the session, unless it has ended already, and reports whether it did.
func (f *FOSStore) End(ctx context.Context, id uuid.UUID, now time.Time, origin audit.Origin) (bool, error) {
	args := audit.Args(now, origin)
	maps.Copy(args, pgx.NamedArgs{"id": id, "now": now})
	var ended bool
	err := f.pool.QueryRow(ctx, endFOSSQL, args).Scan(&ended)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return ended, audit.Unrecorded(err)
}
