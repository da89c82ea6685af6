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
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// FOSStore holds the statements on the FOS database that span session, user and
// audit.
type FOSStore struct {
	// Book hears of the rows that are written.
	Book audit.Book
	pool *pgxpool.Pool

	log       *audit.Log
	refreshes *groupcommit.Group[refreshing, Refreshed]
	begins    *groupcommit.Group[beginning, session.Session]
}

// NewFOSStore uses pool, which must be on the primary.
func NewFOSStore(pool *pgxpool.Pool) *FOSStore {
	return &FOSStore{
		pool: pool, log: audit.NewLog(pool),
		refreshes: groupcommit.New(pool, usualRefresh), begins: groupcommit.New(pool, usualBegin),
	}
}

// Watch has watch told of who waits for a statement that is shared.
func (f *FOSStore) Watch(watch groupcommit.Watch) {
	f.log.Watch(watch)
	f.refreshes.Watch(watch)
	f.begins.Watch(watch)
}

// Waiting is how many wait for such a statement.
func (f *FOSStore) Waiting() int { return f.log.Waiting() + f.refreshes.Waiting() + f.begins.Waiting() }

// FindCredentials returns the account with this email.
func (f *FOSStore) FindCredentials(ctx context.Context, email privacy.Email) (user.Credentials, error) {
	return user.FindCredentials(ctx, f.pool, email)
}

// FindCredentialsOf returns the account of this user.
func (f *FOSStore) FindCredentialsOf(ctx context.Context, id uuid.UUID) (user.Credentials, error) {
	return user.FindCredentialsOf(ctx, f.pool, id)
}

// Rehash replaces the account's password hash.
func (f *FOSStore) Rehash(ctx context.Context, account user.Credentials, replacement privacy.Secret, now time.Time) error {
	return user.Rehash(ctx, f.pool, account, replacement, now)
}

// Append records a refusal.
func (f *FOSStore) Append(ctx context.Context, r audit.Record) error {
	return f.Book.Settle(f.log.Append(ctx, r), r)
}

// begin is [FOSStore.Begin] for every case. It waits for whoever is changing the account, and
// ends the sessions that are too many.
func (f *FOSStore) begin(
	ctx context.Context, account user.Credentials, fresh session.New, origin audit.Origin,
) (session.Session, error) {
	var begun session.Session
	var displaced int64
	var inside error // already says what it means
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		inside = user.Hold(ctx, tx, account)
		if inside != nil {
			return inside
		}
		if begun, _, inside = session.Insert(ctx, tx, fresh); inside != nil {
			return inside
		}
		inside = audit.Append(ctx, tx, audit.Record{
			At: fresh.Now, Event: audit.SessionCreated, Outcome: audit.Success, Reason: audit.ByPassword,
			Actor: account.ID, Origin: origin,
		})
		if inside == nil {
			displaced, inside = displace(ctx, tx, account.ID, fresh.Now, origin)
		}
		return inside
	})
	if inside != nil {
		return session.Session{}, f.Book.Settle(inside)
	}
	rows := append(audit.Times(displaced, row(audit.SessionEnded, audit.ByDisplacement)), row(audit.SessionCreated, audit.ByPassword))
	return begun, f.Book.Settle(outage.Postgres(err), rows...)
}

var elevateSQL = `
WITH elevated AS (` + session.ElevateSQL + `), noted AS (
	` + audit.Insert{
	Event: audit.SessionElevated, Outcome: audit.Success, From: "elevated",
	Reason: "'" + string(audit.ByPassword) + "'", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL() + `
)
SELECT ` + session.Columns + ` FROM elevated s`

// Elevate elevates a session with the row that records it, while the account stays as
// it was when its password was checked. Everybody who locks both takes the user before
// the session, as reclaiming does.
func (f *FOSStore) Elevate(ctx context.Context, up Elevation) (session.Session, error) {
	args := audit.Args(up.Now, up.Origin)
	maps.Copy(args, pgx.NamedArgs{"id": up.SessionID, "user": up.Account.ID, "generation": up.Generation, "now": up.Now})
	var elevated session.Session
	var inside error // already says what it means
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		inside = user.Hold(ctx, tx, up.Account)
		if inside != nil {
			return inside
		}
		err := session.Scan(tx.QueryRow(ctx, elevateSQL, args), &elevated)
		if errors.Is(err, pgx.ErrNoRows) {
			inside = session.ErrEnded
			return inside
		}
		return err
	})
	if inside != nil {
		return session.Session{}, inside
	}
	if err != nil {
		return session.Session{}, f.Book.Settle(audit.Unrecorded(err))
	}
	return elevated, f.Book.Settle(nil, row(audit.SessionElevated, audit.ByPassword))
}

// findSQL reads the session $1 and the user $2, whoever's session it is.
const findSQL = `SELECT ` + session.Columns + `, ` + user.Columns + ` FROM public.sessions s CROSS JOIN public.users u WHERE s.id = $1 AND u.id = $2`

// FindSession returns the session and the user, live or not.
func (f *FOSStore) FindSession(ctx context.Context, sessionID, userID uuid.UUID) (session.Session, user.User, error) {
	found, who, err := both(f.pool.QueryRow(ctx, findSQL, sessionID, userID))
	if errors.Is(err, pgx.ErrNoRows) {
		return session.Session{}, user.User{}, session.ErrInvalidToken
	}
	return found, who, outage.Postgres(err)
}

// Touch notes that an access token was shown.
func (f *FOSStore) Touch(ctx context.Context, id uuid.UUID, generation int, now time.Time) error {
	return session.Touch(ctx, f.pool, id, generation, now)
}

// List returns the user's live sessions, the last used first.
func (f *FOSStore) List(ctx context.Context, userID uuid.UUID, now time.Time) ([]session.Session, error) {
	rows, err := f.pool.Query(ctx, session.ListSQL, pgx.NamedArgs{"user": userID, "now": now})
	if err != nil {
		return nil, outage.Postgres(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (session.Session, error) {
		var s session.Session
		err := session.Scan(row, &s)
		return s, err
	})
	return all, outage.Postgres(err)
}

// ListEnded returns the user's sessions that were ended after since, the last one first.
func (f *FOSStore) ListEnded(ctx context.Context, userID uuid.UUID, since time.Time) ([]EndedSession, error) {
	rows, err := f.pool.Query(ctx, session.EndedSQL, pgx.NamedArgs{"user": userID, "since": since, "most": mostEnded})
	if err != nil {
		return nil, outage.Postgres(err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (EndedSession, error) {
		var s EndedSession
		err := session.Scan(row, &s.Session, &s.EndedAs)
		return s, err
	})
	return all, outage.Postgres(err)
}

// refreshSQL judges, rotates and records in one statement. It locks the row first
// and judges what it finds after the wait, so that of ten tabs one rotates and nine
// see that it did, and so that a session which is being ended is not refreshed.
var refreshSQL = `
WITH held AS (
	SELECT s.*, ` + session.RefreshOutcomeSQL(activeSQL) + ` AS outcome
	FROM public.sessions s JOIN public.users u ON u.id = s.user_id
	WHERE s.id = @id AND s.user_id IS NOT DISTINCT FROM @user -- found by its id, and not among all that its user ever had
	FOR NO KEY UPDATE OF s
), moved AS (
	UPDATE public.sessions s SET
		generation      = s.generation + CASE h.outcome WHEN 'rotated' THEN 1 ELSE 0 END,
		generation_used = s.generation_used AND h.outcome <> 'rotated',
		rotated_at      = CASE h.outcome WHEN 'rotated' THEN @now ELSE s.rotated_at END,
		last_used_at    = CASE h.outcome WHEN 'reused' THEN s.last_used_at ELSE greatest(s.last_used_at, @now) END,
		ended_at        = CASE h.outcome WHEN 'reused' THEN @now END,
		ended_as        = CASE h.outcome WHEN 'reused' THEN 'reuse' END
	FROM held h WHERE s.id = h.id AND h.outcome IN ('rotated', 'converged', 'converged_late', 'reused')
), refreshed AS (
	` + audit.Insert{
	Event: audit.SessionRefreshed, Outcome: audit.Success, From: "held WHERE outcome IN ('rotated', 'converged', 'converged_late')",
	Reason: "outcome", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL() + `
), reused AS (
	` + audit.Insert{
	Event: audit.ReuseDetected, Outcome: audit.Failure, From: "held WHERE outcome = 'reused'",
	Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL() + `
)
SELECT ` + session.Columns + `, s.outcome, s.generation + CASE s.outcome WHEN 'rotated' THEN 1 ELSE 0 END FROM held s`

// refreshRows are what refreshSQL records of each outcome; of the others nothing.
var refreshRows = map[session.RefreshOutcome][]audit.Record{
	session.Rotated:       {row(audit.SessionRefreshed, audit.Rotated)},
	session.Converged:     {row(audit.SessionRefreshed, audit.Converged)},
	session.ConvergedLate: {row(audit.SessionRefreshed, audit.ConvergedLate)},
	session.Reused:        {{Event: audit.ReuseDetected, Outcome: audit.Failure}},
}

// refresh is Refresh for every case, and waits for whoever has the session. What has become
// of the user meanwhile is asked behind that.
func (f *FOSStore) refresh(ctx context.Context, asked refreshing) (Refreshed, error) {
	args := audit.Args(asked.now, asked.origin)
	maps.Copy(args, pgx.NamedArgs{
		"id": asked.claims.SessionID, "user": asked.claims.UserID, "shown_generation": asked.claims.Generation, "now": asked.now,
	})
	var pair pgx.Batch
	pair.Queue(refreshSQL, args)
	pair.Queue(user.FindSQL, asked.claims.UserID)
	results := f.pool.SendBatch(ctx, &pair)
	var r Refreshed
	err := session.Scan(results.QueryRow(), &r.Session, &r.Outcome, &r.Session.Generation)
	if err == nil {
		err = user.Scan(results.QueryRow(), &r.User)
	}
	err = errors.Join(err, results.Close())
	if errors.Is(err, pgx.ErrNoRows) {
		return Refreshed{}, session.ErrInvalidToken
	}
	return r, f.Book.Settle(audit.Unrecorded(err), refreshRows[r.Outcome]...)
}

var endFOSSQL = `
WITH held AS (
	SELECT s.id FROM public.sessions s
	WHERE s.user_id = @user AND (s.id = @id OR @all) AND ` + session.LiveSQL + ` ` + session.InOrderSQL + `
), ended AS (
	UPDATE public.sessions s SET ended_at = @now, ended_as = @reason FROM held WHERE s.id = held.id
	RETURNING s.user_id, s.handoff_id, s.entry_product
)
` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",
	Reason: "@reason::text", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL()

// End ends sessions that are live, each with the row that records it.
func (f *FOSStore) End(ctx context.Context, which Ending, now time.Time, origin audit.Origin) error {
	args := audit.Args(now, origin)
	maps.Copy(args, pgx.NamedArgs{
		"user": which.UserID, "id": which.SessionID, "all": which.SessionID == uuid.Nil, "now": now, "reason": string(which.Reason),
	})
	done, err := f.pool.Exec(ctx, endFOSSQL, args)
	return f.Book.Settle(audit.Unrecorded(err), audit.Times(done.RowsAffected(), row(audit.SessionEnded, which.Reason))...)
}

// displaceSQL keeps the number of the user's sessions in bounds.
var displaceSQL = `WITH displaced AS (` + session.DisplaceSQL + `)
` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "displaced",
	Reason: "'" + string(audit.ByDisplacement) + "'", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL()

func displace(ctx context.Context, tx pgx.Tx, userID uuid.UUID, now time.Time, origin audit.Origin) (displaced int64, err error) {
	args := audit.Args(now, origin)
	args["user"], args["now"] = userID, now
	done, err := tx.Exec(ctx, displaceSQL, args)
	return done.RowsAffected(), audit.Unrecorded(err)
}

// both reads a row of a session's columns and then a user's.
func both(row pgx.Row) (found session.Session, who user.User, err error) {
	err = user.Scan(behindSession{row, &found}, &who)
	return found, who, err
}

// behindSession is a row without the session's columns, which it reads too.
type behindSession struct {
	pgx.Row
	found *session.Session
}

// Scan implements pgx.Row.
func (b behindSession) Scan(into ...any) error { return session.Scan(b.Row, b.found, into...) }
