package leaving

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/session"
)

// FOSStore holds the statement on the FOS database that spans session and audit.
type FOSStore struct {
	// Book hears of the rows that are written.
	Book audit.Book
	pool *pgxpool.Pool
}

// NewFOSStore uses pool, which must be on the primary.
func NewFOSStore(pool *pgxpool.Pool) *FOSStore { return &FOSStore{pool: pool} }

// endSourcedSQL records the end of a session where there was one, and of the hand-off
// where none had come of it yet. It stands behind the statement that holds the hand-offs,
// so that it sees an arrival which that one has waited for.
var endSourcedSQL = `
WITH ended AS (` + session.EndSourcedSQL + `), barred AS (` + session.BarSourcedSQL + `), noted AS (
	` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "ended", Reason: "'" + string(audit.SourceEnded) + "'",
	Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL() + `
), noted_too AS (
	` + audit.Insert{
	Event: audit.HandoffEnded, Outcome: audit.Success, Reason: "'" + string(audit.SourceEnded) + "'", HandoffID: "b.handoff_id",
	From: "barred b WHERE NOT EXISTS (SELECT FROM public.sessions s WHERE s.handoff_id = b.handoff_id)",
}.SQL() + ` RETURNING 1
)
SELECT (SELECT count(*) FROM ended), (SELECT count(*) FROM noted_too)`

// EndSourced implements the store's side of [FOS.End].
func (f *FOSStore) EndSourced(ctx context.Context, news News, now time.Time) error {
	args := audit.Args(now, news.Origin)
	args["now"], args["handoffs"] = now, news.HandoffIDs
	var sessions, handoffs int64 // that ended
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if err := session.HoldHandoffs(ctx, tx, news.HandoffIDs...); err != nil {
			return err
		}
		return tx.QueryRow(ctx, endSourcedSQL, args).Scan(&sessions, &handoffs)
	})
	ended := audit.Record{Event: audit.SessionEnded, Outcome: audit.Success, Reason: audit.SourceEnded}
	rows := append(audit.Times(sessions, ended), audit.Times(handoffs, over(audit.SourceEnded))...)
	return f.Book.Settle(audit.Unrecorded(err), rows...)
}
