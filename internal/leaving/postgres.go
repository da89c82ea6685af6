package leaving

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Outbox is the table handoff_endings, which both halves have, each its own.
type Outbox struct {
	pool *pgxpool.Pool
	idle string // of a row e: there is nothing to tell
}

// NewDAOOutbox uses pool, which must be on the primary.
func NewDAOOutbox(pool *pgxpool.Pool) *Outbox { return &Outbox{pool, `false`} }

// NewFOSOutbox does, too. There a row may be for later, and is of no use where the hand-off
// has opened a session in the meantime ([session.LookLaterSQL]). That its time is over is no
// end that the other half is told of.
func NewFOSOutbox(pool *pgxpool.Pool) *Outbox {
	return &Outbox{pool, `EXISTS (SELECT FROM public.sessions s WHERE s.handoff_id = e.handoff_id AND s.ended_at IS NULL)`}
}

// dueSQL locks the rows that are due and nobody else is taking. Rows that were given back
// come after those that were never tried, so that what cannot be told keeps nothing else
// from being told.
const dueSQL = `
SELECT handoff_id FROM public.handoff_endings WHERE next_try_at <= clock_timestamp()
ORDER BY next_try_at, queued_at LIMIT $1 FOR UPDATE SKIP LOCKED`

// leaseSQL judges them. It stands behind the statement that locks, so that it sees an end
// which was committed before; one that comes later waits for the lock, and finds no row.
func (o *Outbox) leaseSQL() string {
	return `
WITH dropped AS (
	DELETE FROM public.handoff_endings e WHERE e.handoff_id = ANY($1) AND ` + o.idle + `
)
UPDATE public.handoff_endings e SET next_try_at = clock_timestamp() + $2::interval, attempts = e.attempts + 1
WHERE e.handoff_id = ANY($1) AND NOT ` + o.idle + `
RETURNING e.handoff_id`
}

// Lease implements the courier's outbox. Its transaction is over before the other half is
// told.
func (o *Outbox) Lease(ctx context.Context, most int) (ids []uuid.UUID, taken int, err error) {
	err = pgx.BeginFunc(ctx, o.pool, func(tx pgx.Tx) error {
		due, err := collectIDs(tx.Query(ctx, dueSQL, most))
		taken = len(due)
		if err != nil || taken == 0 {
			return err
		}
		ids, err = collectIDs(tx.Query(ctx, o.leaseSQL(), due, leaseTime))
		return err
	})
	return ids, taken, outage.Postgres(err)
}

func collectIDs(rows pgx.Rows, err error) ([]uuid.UUID, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// Release implements the courier's outbox.
func (o *Outbox) Release(ctx context.Context, ids []uuid.UUID) error {
	_, err := o.pool.Exec(ctx, `UPDATE public.handoff_endings SET next_try_at = clock_timestamp() WHERE handoff_id = ANY($1)`, ids)
	return outage.Postgres(err)
}

// Told implements the courier's outbox.
func (o *Outbox) Told(ctx context.Context, ids []uuid.UUID) error {
	_, err := o.pool.Exec(ctx, `DELETE FROM public.handoff_endings WHERE handoff_id = ANY($1)`, ids)
	return outage.Postgres(err)
}

// Waiting implements the courier's outbox. Rows for later do not wait yet.
func (o *Outbox) Waiting(ctx context.Context) (Queue, error) {
	var q Queue
	var seconds float64
	err := o.pool.QueryRow(ctx, `
		SELECT count(*), COALESCE(extract(epoch FROM clock_timestamp() - min(queued_at)), 0)::float8
		FROM public.handoff_endings WHERE queued_at <= clock_timestamp()`).Scan(&q.Length, &seconds)
	q.Oldest = time.Duration(seconds * float64(time.Second))
	return q, outage.Postgres(err)
}
