package session

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

const columns = `id, user_id, origin, handoff_id, entry_product, generation, elevated, auth_time, amr,
	created_at, last_used_at, expires_at, ended_at`

const insertSQL = `
INSERT INTO public.sessions (id, user_id, origin, handoff_id, entry_product, arrival, generation, elevated, auth_time, amr,
                             created_at, last_used_at, expires_at)
VALUES (@id, @user, @origin, @handoff, @entry_product, @arrival, 1, @elevated, @auth_time, @amr, @now, @now, @expires)
ON CONFLICT (handoff_id) DO NOTHING
RETURNING ` + columns

const findByHandoffSQL = `SELECT ` + columns + `, arrival FROM public.sessions WHERE handoff_id = @handoff`

// Insert opens a session inside tx, which must be READ COMMITTED and on the
// primary. A hand-off opens one, whatever the exchange allowed and however many
// come at once (invariant I1): the unique index decides, and whoever loses waits
// until the winner has committed.
//
// The loser is given the winner's session, with inserted false, when it is live,
// the same user's, and opened under the same arrival key: then it is the same
// browser, whose first answer was lost (I8). Anybody else gets [ErrHandoffUsed],
// and nothing changes. Other errors are an [outage.Error] or a fault of the caller.
func Insert(ctx context.Context, tx pgx.Tx, n New) (s Session, inserted bool, err error) {
	if err := n.check(); err != nil {
		return Session{}, false, err
	}
	row := tx.QueryRow(ctx, insertSQL, pgx.NamedArgs{
		"id": n.ID, "user": n.UserID, "origin": string(n.Origin), "handoff": n.HandoffID,
		"entry_product": n.EntryProduct, "arrival": n.Arrival.bytes(), "elevated": n.Origin == Password,
		// Not nil, which would be NULL.
		"amr": append([]string{}, n.AMR...), "auth_time": n.AuthTime, "now": n.Now, "expires": n.ExpiresAt,
	})
	err = Scan(row, &s)
	if errors.Is(err, pgx.ErrNoRows) {
		s, err = converge(ctx, tx, n)
		return s, false, err
	}
	return s, err == nil, outage.Postgres(err)
}

// converge reads the session that the hand-off has opened. It is a statement of its
// own, so that at READ COMMITTED it sees a winner who committed while the insert
// waited.
func converge(ctx context.Context, tx pgx.Tx, n New) (Session, error) {
	var s Session
	var arrival []byte
	err := Scan(tx.QueryRow(ctx, findByHandoffSQL, pgx.NamedArgs{"handoff": n.HandoffID}), &s, &arrival)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, ErrHandoffUsed // used, and its user deleted since
	}
	if err != nil {
		return Session{}, outage.Postgres(err)
	}
	if !n.Arrival.is(arrival) || !s.Live(n.Now) || s.UserID != n.UserID {
		return Session{}, ErrHandoffUsed
	}
	return s, nil
}

// FindSQL reads the session with the id $1.
const FindSQL = `SELECT ` + columns + ` FROM public.sessions WHERE id = $1`

// Scan reads a row of [FindSQL], and what the statement has after its columns.
func Scan(row pgx.Row, s *Session, more ...any) error {
	var handoff uuid.NullUUID
	into := append([]any{
		&s.ID, &s.UserID, &s.Origin, &handoff, &s.EntryProduct, &s.Generation, &s.Elevated, &s.AuthTime, &s.AMR,
		&s.CreatedAt, &s.LastUsedAt, &s.ExpiresAt, &s.EndedAt,
	}, more...)
	if err := row.Scan(into...); err != nil {
		return err
	}
	if handoff.Valid {
		s.HandoffID = &handoff.UUID
	}
	s.AuthTime, s.CreatedAt = s.AuthTime.UTC(), s.CreatedAt.UTC()
	s.LastUsedAt, s.ExpiresAt = s.LastUsedAt.UTC(), s.ExpiresAt.UTC()
	if s.EndedAt != nil {
		utc := s.EndedAt.UTC()
		s.EndedAt = &utc
	}
	return nil
}
