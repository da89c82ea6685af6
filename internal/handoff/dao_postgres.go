package handoff

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// DAOStore holds the statements on the DAO database that span member, session,
// ledger and audit. Its pool must be on the primary: a lagging replica says "not
// redeemed".
type DAOStore struct {
	// Book hears of the rows that are written.
	Book audit.Book
	pool *pgxpool.Pool
}

// NewDAOStore uses pool.
func NewDAOStore(pool *pgxpool.Pool) *DAOStore { return &DAOStore{pool: pool} }

// mintSQL decides, writes and records in one statement. A member who may not
// hand off leaves a refusal; a session that is not live leaves nothing, being
// nobody's.
var mintSQL = `
WITH who AS (
	SELECT s.id AS session_id, m.id AS member_id, m.membership_status,
	       ` + member.LiveSQL + ` AND s.id = @session_id AS live, ` + member.MayHandOffSQL + ` AS may_at_all,
	       ` + member.MayHandOffSQL + ` AND ` + member.SignedInSQL + ` AS may
	FROM sessions s JOIN members m ON m.id = s.member_id WHERE ` + member.MatchSQL + `
), minted AS (
	INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
	SELECT @handoff_id, @digest, member_id, session_id, @entry_product, @target, @now, @expires
	FROM who WHERE live AND may
), noted AS (
	` + audit.Insert{
	Event: audit.HandoffMinted, Outcome: audit.Success, From: "who WHERE live AND may",
	Actor: "member_id", HandoffID: "@handoff_id::uuid", EntryProduct: "@entry_product::text", Target: "@target::text",
}.SQL() + `
), refused AS (
	` + audit.Insert{
	Event: audit.HandoffRefused, Outcome: audit.Failure, From: "who WHERE live AND NOT may",
	Reason: "CASE WHEN may_at_all THEN '" + string(audit.SignInTooOld) + "' WHEN membership_status = 'active' THEN '" +
		string(audit.EmailUnverified) + "' ELSE '" + string(audit.AccountInactive) + "' END",
	Actor: "member_id", HandoffID: "@handoff_id::uuid", EntryProduct: "@entry_product::text", Target: "@target::text",
}.SQL() + `
)
SELECT live, ` + member.SessionColumns + `, ` + member.Columns + `
FROM who JOIN sessions s ON s.id = who.session_id JOIN members m ON m.id = who.member_id`

// Mint implements the ledger's side of [Minter.Mint].
func (d *DAOStore) Mint(ctx context.Context, row MintRow) (member.Session, member.Member, error) {
	args := audit.Args(row.MintedAt, row.Origin)
	maps.Copy(args, pgx.NamedArgs{
		"cookie": row.Cookie.Digest(), "session_id": row.SessionID, "handoff_id": row.HandoffID, "digest": row.Digest[:],
		"entry_product": row.EntryProduct, "target": row.Target, "now": row.MintedAt, "expires": row.ExpiresAt,
		"signed_in_since": row.SignedInSince,
	})
	var live bool
	var session member.Session
	var who member.Member
	targets := append(append([]any{&live}, session.ScanTargets()...), who.ScanTargets()...)
	err := d.pool.QueryRow(ctx, mintSQL, args).Scan(targets...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return session, who, member.ErrNoSession
	case err != nil:
		return session, who, d.Book.Settle(audit.Unrecorded(err))
	case live:
		why := cmp.Or(who.MayHandOff(), session.SignedIn(row.SignedInSince))
		_ = d.Book.Settle(nil, mintRecord(row, why))
		return session, who, why
	}
	if err := session.Check(row.MintedAt); err != nil {
		return session, who, err
	}
	return session, who, member.ErrCSRF // a live session, but not the one that the CSRF value was made for
}

// mintRefusals say what mintSQL records of each.
var mintRefusals = map[error]audit.Reason{
	member.ErrSignInTooOld: audit.SignInTooOld, member.ErrEmailUnverified: audit.EmailUnverified, member.ErrInactive: audit.AccountInactive,
}

// mintRecord is the row that mintSQL has written, for a refusal if why says so.
func mintRecord(row MintRow, why error) audit.Record {
	record := audit.Record{At: row.MintedAt, Event: audit.HandoffMinted, Outcome: audit.Success, HandoffID: row.HandoffID}
	for is, reason := range mintRefusals {
		if errors.Is(why, is) {
			record.Event, record.Outcome, record.Reason = audit.HandoffRefused, audit.Failure, reason
		}
	}
	return record
}

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
	openSQL    = `h.digest = @digest AND h.redeemed_at IS NULL AND h.expires_at > @now`
	inTimeSQL  = `in_time AS MATERIALIZED (SELECT handoff_id FROM held WHERE clock_timestamp() < @deadline)`
	closeSQL   = `UPDATE handoffs h SET redeemed_at = @now, attempt = @attempt, redeemed_by = @caller, redeemed_as = `
	onlyOnce   = ` FROM in_time WHERE h.handoff_id = in_time.handoff_id AND h.redeemed_at IS NULL`
	closedRows = ` RETURNING h.handoff_id, h.member_id, h.entry_product, h.target_domain`
)

// redeemSQL matches nothing once the hand-off or its source session has ended or its
// member was deactivated.
var redeemSQL = `
WITH held AS MATERIALIZED (
	SELECT h.handoff_id FROM handoffs h JOIN sessions s ON s.id = h.session_id JOIN members m ON m.id = h.member_id
	WHERE ` + openSQL + ` AND ` + sourceLiveSQL + ` FOR SHARE OF m FOR SHARE OF s FOR UPDATE OF h
), ` + inTimeSQL + `, won AS (
	` + closeSQL + `'exchanged'` + onlyOnce + closedRows + `
), noted AS (
	` + audit.Insert{
	Event: audit.HandoffExchanged, Outcome: audit.Success, From: "won",
	Actor: "member_id", HandoffID: "handoff_id", EntryProduct: "entry_product", Target: "target_domain",
}.SQL() + `
)
SELECT count(*) = 1 FROM won`

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

// Redeem implements the gate of [Exchange.Exchange].
func (d *DAOStore) Redeem(ctx context.Context, r Redemption) (bool, error) {
	return d.close(ctx, redeemSQL, r, audit.Record{Event: audit.HandoffExchanged, Outcome: audit.Success})
}

// Burn redeems for nobody.
func (d *DAOStore) Burn(ctx context.Context, r Redemption) (bool, error) {
	return d.close(ctx, burnSQL, r, audit.Record{Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: audit.TokenWrongTarget})
}

// close runs one of the two; row is what it records when it wins.
func (d *DAOStore) close(ctx context.Context, sql string, r Redemption, row audit.Record) (bool, error) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false, errors.New("handoff: a redemption needs a deadline")
	}
	args := audit.Args(r.At, r.Origin)
	maps.Copy(args, pgx.NamedArgs{
		"digest": r.Digest[:], "now": r.At, "deadline": deadline, "attempt": r.Attempt[:], "caller": r.CallerKey,
	})
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return false, d.Book.Settle(outage.Unasked("postgres", err))
	}
	defer conn.Release()
	var won bool
	err = audit.Unrecorded(conn.QueryRow(ctx, sql, args).Scan(&won))
	if err != nil || !won {
		return false, d.Book.Settle(err)
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
	return d.Book.Settle(audit.Append(ctx, d.pool, r), r)
}

// NoteTokenUse implements [TokenUseStore].
func (d *DAOStore) NoteTokenUse(ctx context.Context, keyID string, at time.Time) error {
	return noteTokenUse(ctx, d.pool, keyID, at)
}

func noteTokenUse(ctx context.Context, pool *pgxpool.Pool, keyID string, at time.Time) error {
	_, err := pool.Exec(ctx, `
		INSERT INTO service_token_use AS u (key_id, last_used_at) VALUES ($1, $2)
		ON CONFLICT (key_id) DO UPDATE SET last_used_at = greatest(u.last_used_at, EXCLUDED.last_used_at)`, keyID, at)
	return outage.Postgres(err)
}

// TokenUses implements [TokenUseStore].
func (d *DAOStore) TokenUses(ctx context.Context) (map[string]time.Time, error) {
	return tokenUses(ctx, d.pool)
}

func tokenUses(ctx context.Context, pool *pgxpool.Pool) (map[string]time.Time, error) {
	rows, err := pool.Query(ctx, `SELECT key_id, last_used_at FROM service_token_use`)
	if err != nil {
		return nil, outage.Postgres(err)
	}
	all := map[string]time.Time{}
	var keyID string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&keyID, &at}, func() error {
		all[keyID] = at.UTC()
		return nil
	})
	return all, outage.Postgres(err)
}
