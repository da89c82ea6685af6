package leaving

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
)

// DAOStore holds the statements on the DAO database that span member, ledger and audit.
type DAOStore struct {
	// Book hears of the rows that are written.
	Book audit.Book
	pool *pgxpool.Pool
}

// NewDAOStore uses pool, which must be on the primary.
func NewDAOStore(pool *pgxpool.Pool) *DAOStore { return &DAOStore{pool: pool} }

// FindSession returns the cookie's session and its member, live or not.
func (d *DAOStore) FindSession(ctx context.Context, cookie member.Cookie, now time.Time) (member.Session, member.Member, error) {
	return member.FindSession(ctx, d.pool, cookie, now)
}

// listSQL judges each row. A token that was burnt (I7) was redeemed by nobody, and ended
// then. One whose session ended before anybody came is as dead as if it had ended itself.
var listSQL = `
SELECT h.handoff_id, h.entry_product, h.target_domain, h.minted_at,
       CASE WHEN h.redeemed_as = 'exchanged' THEN h.redeemed_at END,
       COALESCE(h.ended_at, CASE WHEN h.redeemed_as = 'wrong_target' THEN h.redeemed_at WHEN h.redeemed_at IS NULL THEN s.ended_at END),
       CASE WHEN h.ended_at IS NOT NULL OR h.redeemed_as = 'wrong_target' THEN 'ended'
            WHEN h.redeemed_at IS NOT NULL THEN 'open'
            WHEN s.ended_at IS NOT NULL THEN 'ended'
            WHEN h.expires_at > @now THEN 'on_its_way'
            ELSE 'expired' END
FROM handoffs h JOIN sessions s ON s.id = h.session_id
WHERE h.member_id = @member AND h.minted_at > @since
ORDER BY h.minted_at DESC, h.handoff_id DESC LIMIT ` + strconv.Itoa(mostShown)

// List implements the store's side of [DAO.Journeys].
func (d *DAOStore) List(ctx context.Context, memberID uuid.UUID, since, now time.Time) ([]Journey, error) {
	rows, err := d.pool.Query(ctx, listSQL, pgx.NamedArgs{"member": memberID, "since": since, "now": now})
	if err != nil {
		return nil, outage.Postgres(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Journey])
	return all, outage.Postgres(err)
}

// endOwnSQL decides, ends and records in one statement. A trigger puts the hand-off into
// the outbox.
var endOwnSQL = `
WITH who AS (
	SELECT s.id AS session_id, s.member_id, ` + member.LiveSQL + ` AND s.id = @session_id
	       AND m.membership_status IN ('active', 'pending') AS may
	FROM sessions s JOIN members m ON m.id = s.member_id WHERE ` + member.MatchSQL + `
), mine AS (
	SELECT h.handoff_id FROM handoffs h JOIN who ON who.member_id = h.member_id WHERE h.handoff_id = @handoff AND who.may
), ended AS (
	UPDATE handoffs h SET ended_at = @now, ended_as = 'ended_by_user'
	FROM mine WHERE h.handoff_id = mine.handoff_id AND h.ended_at IS NULL
	RETURNING h.handoff_id, h.member_id, h.entry_product, h.target_domain
), noted AS (
	` + audit.Insert{
	Event: audit.HandoffEnded, Outcome: audit.Success, From: "ended", Reason: "'" + string(audit.ByUser) + "'",
	Actor: "member_id", HandoffID: "handoff_id", EntryProduct: "entry_product", Target: "target_domain",
}.SQL() + `
)
SELECT who.may, EXISTS (SELECT FROM mine), (SELECT count(*) FROM ended), m.membership_status, ` + member.SessionColumns + `
FROM who JOIN sessions s ON s.id = who.session_id JOIN members m ON m.id = who.member_id`

// EndOwn implements the store's side of [DAO.End].
func (d *DAOStore) EndOwn(ctx context.Context, r EndOwn, now time.Time) error {
	args := audit.Args(now, r.Origin)
	maps.Copy(args, pgx.NamedArgs{"cookie": r.Cookie.Digest(), "session_id": r.SessionID, "handoff": r.HandoffID, "now": now})
	var may, mine bool
	var ended int64
	var status member.Status
	var session member.Session
	err := d.pool.QueryRow(ctx, endOwnSQL, args).Scan(append([]any{&may, &mine, &ended, &status}, session.ScanTargets()...)...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return member.ErrNoSession
	case err != nil:
		return d.Book.Settle(audit.Unrecorded(err))
	case may && mine:
		return d.Book.Settle(nil, audit.Times(ended, over(audit.ByUser))...)
	case may:
		return ErrNotYours
	}
	if err := mayAct(session, status, now); err != nil {
		return err
	}
	return member.ErrCSRF // a live session, but not the one that the CSRF value was made for
}

// endToldSQL locks in the order of the ids, as everybody does who ends several.
var endToldSQL = `
WITH held AS (
	SELECT h.handoff_id FROM handoffs h
	WHERE h.handoff_id = ANY(@handoffs::uuid[]) AND h.ended_at IS NULL
	  AND (cardinality(@targets::text[]) = 0 OR h.target_domain = ANY(@targets))
	ORDER BY h.handoff_id FOR NO KEY UPDATE
), ended AS (
	UPDATE handoffs h SET ended_at = @now, ended_as = 'target_ended' FROM held WHERE h.handoff_id = held.handoff_id
	RETURNING h.handoff_id, h.member_id, h.entry_product, h.target_domain
)
` + audit.Insert{
	Event: audit.HandoffEnded, Outcome: audit.Success, From: "ended", Reason: "'" + string(audit.TargetEnded) + "'",
	Actor: "member_id", HandoffID: "handoff_id", EntryProduct: "entry_product", Target: "target_domain",
}.SQL()

// giveWaySQL has the news give up and be told again, rather than wait until the database
// breaks a deadlock (after a second, its deadlock_timeout) at somebody's expense: a
// statement that shuts many members out takes their hand-offs in no order of ours.
const giveWaySQL = `SET LOCAL lock_timeout = '500ms'`

// EndTold implements the store's side of [DAO.Ended].
func (d *DAOStore) EndTold(ctx context.Context, news News, now time.Time) error {
	args := audit.Args(now, news.Origin)
	args["now"], args["handoffs"], args["targets"] = now, news.HandoffIDs, append([]string{}, news.Targets...)
	var ended int64
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, giveWaySQL); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, endToldSQL, args)
		ended = done.RowsAffected()
		return err
	})
	return d.Book.Settle(audit.Unrecorded(err), audit.Times(ended, over(audit.TargetEnded))...)
}

// over is the row of a hand-off that ended for this reason.
func over(reason audit.Reason) audit.Record {
	return audit.Record{Event: audit.HandoffEnded, Outcome: audit.Success, Reason: reason}
}
