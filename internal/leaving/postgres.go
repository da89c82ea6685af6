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
	pool  *pgxpool.Pool
	lease string
}

// NewDAOOutbox uses pool, which must be on the primary.
func NewDAOOutbox(pool *pgxpool.Pool) *Outbox { return &Outbox{pool, leaseSQL("false")} }

// NewFOSOutbox does, too. There a row may be for later, and is of no use where the hand-off
// has opened a session in the meantime ([session.LookLaterSQL]). That its time is over is no
// end that the other half is told of.
func NewFOSOutbox(pool *pgxpool.Pool) *Outbox {
	return &Outbox{pool, leaseSQL(`EXISTS (SELECT FROM public.sessions s WHERE s.handoff_id = e.handoff_id AND s.ended_at IS NULL)`)}
}

// leaseSQL takes the rows that are due and nobody else is taking, and drops the idle ones.
// The lock is held for this statement only: no transaction is open while the other half is
// being told. Rows that were given back come after those that were never tried, so that
// what cannot be told keeps nothing else from being told.
func leaseSQL(idle string) string {
	return `
WITH due AS MATERIALIZED (
	SELECT e.handoff_id, ` + idle + ` AS idle FROM public.handoff_endings e WHERE e.next_try_at <= clock_timestamp()
	ORDER BY e.next_try_at, e.queued_at LIMIT $1 FOR UPDATE OF e SKIP LOCKED
), dropped AS (
	DELETE FROM public.handoff_endings e USING due WHERE e.handoff_id = due.handoff_id AND due.idle
)
UPDATE public.handoff_endings e SET next_try_at = clock_timestamp() + $2::interval, attempts = e.attempts + 1
FROM due WHERE e.handoff_id = due.handoff_id AND NOT due.idle
RETURNING e.handoff_id`
}

// Lease implements the courier's outbox.
func (o *Outbox) Lease(ctx context.Context, most int) ([]uuid.UUID, error) {
	rows, err := o.pool.Query(ctx, o.lease, most, leaseTime)
	if err != nil {
		return nil, outage.Postgres(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	return ids, outage.Postgres(err)
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
