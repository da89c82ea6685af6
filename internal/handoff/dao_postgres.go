package handoff

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// DAOStore holds the statements on the DAO database that span member, session,
// ledger and audit. Its pool must be on the primary: a lagging replica says "not
// redeemed".
type DAOStore struct {
	// Book hears of the rows that are written.
	Book    audit.Book
	pool    *pgxpool.Pool
	log     *audit.Log
	mints   *groupcommit.Group[MintRow, minting]
	redeems *groupcommit.Group[redeeming, struct{}]
}

// NewDAOStore uses pool.
func NewDAOStore(pool *pgxpool.Pool) *DAOStore {
	return &DAOStore{
		pool: pool, log: audit.NewLog(pool), mints: groupcommit.New(pool, mintStatement), redeems: groupcommit.New(pool, redeemStatement),
	}
}

// Watch has watch told of the mints, exchanges and refusals that wait for their statement.
func (d *DAOStore) Watch(watch groupcommit.Watch) {
	d.log.Watch(watch)
	d.mints.Watch(watch)
	d.redeems.Watch(watch)
}

// Waiting is how many of them do.
func (d *DAOStore) Waiting() int { return d.log.Waiting() + d.mints.Waiting() + d.redeems.Waiting() }

// Both statements of the gate (I1) take their locks first and look at the clock
// afterwards. Of two attempts at once the second waits for the first's row lock,
// and Postgres then checks its conditions again on the rows as they are by then
// (READ COMMITTED): that includes the session and the member, which are locked
// too, so that a logout during the wait is seen.
//
// The deadline is the request's own, compared with the server's real clock. It
// stands in a step behind the locks: a statement that sat in a stopped or crowded
// Postgres must not redeem for a caller who has given up.
const (
	openSQL    = `h.digest = @shown AND h.redeemed_at IS NULL AND h.expires_at > @now`
	inTimeSQL  = `in_time AS MATERIALIZED (SELECT * FROM held WHERE clock_timestamp() < @deadline)`
	closeSQL   = `UPDATE handoffs h SET redeemed_at = @now, attempt = @by_attempt, redeemed_by = @caller, redeemed_as = `
	onlyOnce   = ` FROM in_time WHERE h.handoff_id = in_time.handoff_id AND h.redeemed_at IS NULL`
	closedRows = ` RETURNING h.handoff_id, h.member_id, h.entry_product, h.target_domain`
)

// redeemStatement matches nothing once the hand-off or its source session has ended or its
// member was deactivated. Of two attempts at one token in one statement, one row is taken
// for the UPDATE (PostgreSQL, "UPDATE", Notes): the other one has lost.
var redeemStatement = groupcommit.Config[redeeming, struct{}]{
	Columns: append([]groupcommit.Column[redeeming]{
		{Name: "shown", Type: "bytea", Of: func(r redeeming) any { return r.Digest[:] }},
		{Name: "now", Type: "timestamptz", Of: func(r redeeming) any { return r.At }},
		{Name: "deadline", Type: "timestamptz", Of: func(r redeeming) any { return r.deadline }},
		{Name: "by_attempt", Type: "bytea", Of: func(r redeeming) any { return r.Attempt[:] }},
		{Name: "caller", Type: "text", Of: func(r redeeming) any { return r.CallerKey }},
	}, audit.Columns(func(r redeeming) (time.Time, audit.Origin) { return r.At, r.Origin })...),
	Body: `held AS MATERIALIZED (
	SELECT asked.*, h.handoff_id FROM asked JOIN handoffs h ON ` + openSQL + ` JOIN sessions s ON s.id = h.session_id JOIN members m ON m.id = h.member_id
	WHERE ` + sourceLiveSQL + ` FOR SHARE OF m` + groupcommit.Locking + ` FOR SHARE OF s` + groupcommit.Locking + ` FOR UPDATE OF h` + groupcommit.Locking + `
), ` + inTimeSQL + `, won AS (
	` + closeSQL + `'exchanged'` + onlyOnce + ` RETURNING in_time.*, h.member_id, h.entry_product, h.target_domain
), noted AS (
	` + audit.Insert{
		Event: audit.HandoffExchanged, Outcome: audit.Success, From: "won",
		Actor: "member_id", HandoffID: "handoff_id", EntryProduct: "entry_product", Target: "target_domain",
	}.SQL() + `
)
SELECT nth FROM won`,
	Scan: func(row groupcommit.Scanner) (struct{}, error) { return struct{}{}, row.Scan() },
}

// redeeming is a redemption that is not for a caller who has given up.
type redeeming struct {
	Redemption
	deadline time.Time
}

// burnSQL redeems for nobody. A token in the wrong hands is burnt whether or not
// its member is still signed in.
var burnSQL = `
WITH held AS MATERIALIZED (
	SELECT h.handoff_id FROM handoffs h WHERE ` + openSQL + ` FOR UPDATE OF h
), ` + inTimeSQL + `, won AS (
	` + closeSQL + `'wrong_target'` + onlyOnce + closedRows + `
), noted AS (
	` + audit.Insert{
	Event: audit.HandoffRefused, Outcome: audit.Failure, From: "won", Reason: "'" + string(audit.TokenWrongTarget) + "'",
	Actor: "member_id", HandoffID: "handoff_id", EntryProduct: "entry_product", Target: "target_domain",
}.SQL() + `
)
SELECT count(*) = 1 FROM won`

// sourceLiveSQL: nobody has ended the hand-off or the session, and the member is active. Idle
// expiry is left out: a session that falls asleep within the token's 60 s was
// live when the person clicked.
const sourceLiveSQL = `h.ended_at IS NULL AND s.ended_at IS NULL AND s.expires_at > @now AND m.membership_status = 'active'`

// errNoDeadline is a mistake of this program.
var errNoDeadline = errors.New("handoff: a redemption needs a deadline")

// Redeem implements the gate of [Exchange.Exchange].
func (d *DAOStore) Redeem(ctx context.Context, r Redemption) (bool, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false, errNoDeadline
	}
	_, won, err := d.redeems.Do(ctx, redeeming{r, deadline})
	return d.redeemed(won, err, r, audit.Record{Event: audit.HandoffExchanged, Outcome: audit.Success})
}

// Burn redeems for nobody.
func (d *DAOStore) Burn(ctx context.Context, r Redemption) (bool, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false, errNoDeadline
	}
	args := audit.Args(r.At, r.Origin)
	maps.Copy(args, pgx.NamedArgs{
		"shown": r.Digest[:], "now": r.At, "deadline": deadline, "by_attempt": r.Attempt[:], "caller": r.CallerKey,
	})
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return false, d.Book.Settle(outage.Unasked("postgres", err))
	}
	defer conn.Release()
	var won bool
	err = conn.QueryRow(ctx, burnSQL, args).Scan(&won)
	return d.redeemed(won, err, r, audit.Record{Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: audit.TokenWrongTarget})
}

// redeemed settles row, which a redemption records when it wins.
func (d *DAOStore) redeemed(won bool, err error, r Redemption, row audit.Record) (bool, error) {
	if err != nil || !won {
		return false, d.Book.Settle(audit.Unrecorded(err))
	}
	row.At, row.HandoffID = r.At, r.Claims.HandoffID
	return true, d.Book.Settle(nil, row)
}

var findSQL = `
SELECT h.handoff_id, h.member_id, h.entry_product, h.target_domain, h.expires_at, h.redeemed_at,
       COALESCE(h.redeemed_as = 'wrong_target', false), h.attempt, ` + sourceLiveSQL + `
FROM handoffs h JOIN sessions s ON s.id = h.session_id JOIN members m ON m.id = h.member_id
WHERE h.digest = @digest`

// Find reads a token's row, nil when it was never minted.
func (d *DAOStore) Find(ctx context.Context, digest token.Digest, now time.Time) (*token.Entry, error) {
	var e token.Entry
	err := d.pool.QueryRow(ctx, findSQL, pgx.NamedArgs{"digest": digest[:], "now": now}).Scan(
		&e.HandoffID, &e.MemberID, &e.EntryProduct, &e.Target, &e.ExpiresAt, &e.RedeemedAt, &e.Burnt, &e.Attempt, &e.SourceLive)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return &e, outage.Postgres(err)
}

// Append records a refusal.
func (d *DAOStore) Append(ctx context.Context, r audit.Record) error {
	return d.Book.Settle(d.log.Append(ctx, r), r)
}

// NoteTokenUse implements [TokenUseStore].
func (d *DAOStore) NoteTokenUse(ctx context.Context, keyID string, at time.Time) (time.Time, error) {
	return noteTokenUse(ctx, d.pool, keyID, at)
}

func noteTokenUse(ctx context.Context, pool *pgxpool.Pool, keyID string, at time.Time) (first time.Time, err error) {
	err = pool.QueryRow(ctx, `
		INSERT INTO service_token_use AS u (key_id, first_used_at, last_used_at) VALUES ($1, $2, $2)
		ON CONFLICT (key_id) DO UPDATE SET last_used_at = greatest(u.last_used_at, EXCLUDED.last_used_at)
		RETURNING u.first_used_at`, keyID, at).Scan(&first)
	return first.UTC(), outage.Postgres(err)
}

// TokenUses implements [TokenUseStore].
func (d *DAOStore) TokenUses(ctx context.Context) (map[string]Use, error) {
	return tokenUses(ctx, d.pool)
}

func tokenUses(ctx context.Context, pool *pgxpool.Pool) (map[string]Use, error) {
	rows, err := pool.Query(ctx, `SELECT key_id, first_used_at, last_used_at FROM service_token_use`)
	if err != nil {
		return nil, outage.Postgres(err)
	}
	all := map[string]Use{}
	var keyID string
	var use Use
	_, err = pgx.ForEachRow(rows, []any{&keyID, &use.First, &use.Last}, func() error {
		all[keyID] = Use{First: use.First.UTC(), Last: use.Last.UTC()}
		return nil
	})
	return all, outage.Postgres(err)
}
