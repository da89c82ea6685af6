package session

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Columns are a session's columns under the alias s, in the order that [Scan]
// takes them.
const Columns = `s.id, s.user_id, s.origin, s.handoff_id, s.entry_product, s.generation, s.generation_used, s.elevated,
	s.auth_time, s.amr, s.created_at, s.last_used_at, s.expires_at, s.ended_at`

const insertSQL = insertInto + `
VALUES (@id, @user, @origin, @handoff, @entry_product, @arrival, @nonce, 1, @elevated, @auth_time, @amr, @now, @now, @expires)
ON CONFLICT (handoff_id) DO NOTHING
RETURNING ` + Columns

const insertInto = `
INSERT INTO public.sessions AS s (id, user_id, origin, handoff_id, entry_product, arrival, nonce, generation, elevated, auth_time, amr,
                             created_at, last_used_at, expires_at)`

// OpenSQL is the insert of [Insert] for a session by hand-off, in a larger statement: from
// is its FROM clause, with the columns @session, @user_id, @handoff, @entry_product,
// @arrival, @nonce, @auth_time, @amr ([New.Methods]), @now and @expires. It returns
// [Columns] of those that were not there. The caller holds the hand-offs ([ClearSQL]).
func OpenSQL(from string) string {
	return insertInto + `
	SELECT @session, user_id, 'handoff', @handoff, @entry_product, @arrival, @nonce, 1, false, @auth_time,
	       ARRAY(SELECT jsonb_array_elements_text(@amr)), @now, @now, @expires
	FROM ` + from + ` ON CONFLICT (handoff_id) DO NOTHING
	RETURNING ` + Columns
}

// BeginSQL is [OpenSQL] for a session by password, with the columns @session, @of_user,
// @auth_time, @amr, @now and @expires.
func BeginSQL(from string) string {
	return insertInto + `
	SELECT @session, @of_user, 'password', NULL, NULL, NULL, NULL, 1, true, @auth_time,
	       ARRAY(SELECT jsonb_array_elements_text(@amr)), @now, @now, @expires
	FROM ` + from + ` RETURNING ` + Columns
}

// Methods are n's AMR as a JSON array, which is how a larger statement takes a list for each
// row. Never null.
func (n New) Methods() string {
	text, _ := json.Marshal(append([]string{}, n.AMR...)) // of strings: it cannot fail
	return string(text)
}

// ClearSQL holds the hand-off @handoff until the transaction ends, as [HoldHandoff] does,
// if nobody else does, and is true if nothing keeps it from opening a session: for an
// arrival by which nothing has to be looked at twice.
const ClearSQL = `public.hold_clear_handoff(@handoff)`

// OpenedSQL is true where the hand-off @handoff has its session. [OpenSQL] then writes none;
// it is for who writes something besides.
const OpenedSQL = `EXISTS (SELECT FROM public.sessions o WHERE o.handoff_id = @handoff)`

// farFromMany is so far below [MaxPerUser] that all arrivals that may be under way at once,
// of which none sees the others, do not lead there.
const farFromMany = 50

// RoomSQL is true where the user u has so few live sessions that none has to be displaced
// for one more, however many others begin at the same time.
var RoomSQL = `(SELECT count(*) FROM (SELECT FROM public.sessions s WHERE s.user_id = u.id AND ` + LiveSQL + ` LIMIT ` +
	strconv.Itoa(farFromMany) + `) live) < ` + strconv.Itoa(farFromMany)

const findByHandoffSQL = `SELECT ` + Columns + `, s.arrival, s.nonce FROM public.sessions s WHERE s.handoff_id = @handoff`

// Insert opens a session inside tx, which must be READ COMMITTED and on the
// primary. A hand-off opens one, whatever the exchange allowed and however many
// come at once (invariant I1): the unique index decides, and whoever loses waits
// until the winner has committed.
//
// The loser is given the winner's session, with inserted false, when it is live, the
// same user's, and opened by the same browser ([Arrival]), whose first answer was lost
// (I8); or with the same id, when the caller repeats what may have been committed.
// Anybody else gets [ErrHandoffUsed], and nothing changes. Other errors are an
// [outage.Error] or a fault of the caller.
func Insert(ctx context.Context, tx pgx.Tx, n New) (s Session, inserted bool, err error) {
	if err := n.check(); err != nil {
		return Session{}, false, err
	}
	row := tx.QueryRow(ctx, insertSQL, pgx.NamedArgs{
		"id": n.ID, "user": n.UserID, "origin": string(n.Origin), "handoff": n.HandoffID,
		"entry_product": n.EntryProduct, "arrival": n.Arrival.Key.Bytes(), "nonce": n.Arrival.Nonce.Bytes(), "elevated": n.Origin == Password,
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
	var key, nonce []byte
	err := Scan(tx.QueryRow(ctx, findByHandoffSQL, pgx.NamedArgs{"handoff": n.HandoffID}), &s, &key, &nonce)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, ErrHandoffUsed // used, and its user deleted since
	}
	if err != nil {
		return Session{}, outage.Postgres(err)
	}
	ours := s.ID == n.ID // our own insert, whose COMMIT was not acknowledged
	if !ours && !n.Arrival.is(key, nonce) || !s.Live(n.Now) || s.UserID != n.UserID {
		return Session{}, ErrHandoffUsed
	}
	return s.ProvedAt(n.AuthTime, n.AMR), nil // an arrival repeated proves what it proved before, and no step-up
}

// holdSQL is the lock under which hand-offs open a session or end, so that of the two
// each sees what the other has written. In the order of the ids, so that two who hold
// several do not wait for each other. endedSQL is a statement of its own, which sees what
// was committed while the first one waited.
var (
	holdSQL = `
	SELECT pg_advisory_xact_lock(hashtextextended(held.id::text, 0))
	FROM (SELECT id FROM unnest($1::uuid[]) id ORDER BY id OFFSET 0) held`
	endedSQL = `
	SELECT bool_or(e.shown_as IS NULL AND e.shown_nonce IS NULL), bool_or(` + anotherBrowserSQL("e.shown_as", "e.shown_nonce") + `)
	FROM public.handoffs_ended e WHERE e.handoff_id = @handoff`
)

// anotherBrowserSQL says that the marks in these columns are another browser's than
// @arrival and @nonce: one differs, and none is the same. NULL is no mark, and compares
// with nothing. ([Arrival.is] is the other side of the rule.)
func anotherBrowserSQL(key, nonce string) string {
	return `(coalesce(` + key + ` <> @arrival OR ` + nonce + ` <> @nonce, false)
	AND NOT coalesce(` + key + ` = @arrival, false) AND NOT coalesce(` + nonce + ` = @nonce, false))`
}

// Shown are the arguments @handoff, @arrival and @nonce: the hand-off, and by whom it was
// shown.
func Shown(handoffID uuid.UUID, by Arrival) pgx.NamedArgs {
	return pgx.NamedArgs{"handoff": handoffID, "arrival": by.Key.Bytes(), "nonce": by.Nonce.Bytes()}
}

// HoldHandoffs keeps others from opening or ending these hand-offs until tx ends.
func HoldHandoffs(ctx context.Context, tx pgx.Tx, ids ...uuid.UUID) error {
	_, err := tx.Exec(ctx, holdSQL, ids)
	return outage.Postgres(err)
}

// HoldHandoff is [HoldHandoffs] for who arrives as by. It returns [ErrHandoffEnded] where
// the hand-off's source has ended, and [ErrHandoffUsed] where the token was shown by another
// browser, as far as by can tell: then it was in two (I8).
func HoldHandoff(ctx context.Context, tx pgx.Tx, id uuid.UUID, by Arrival) error {
	var both pgx.Batch
	both.Queue(holdSQL, []uuid.UUID{id})
	both.Queue(endedSQL, Shown(id, by))
	results := tx.SendBatch(ctx, &both)
	_, err := results.Exec()
	var ended, shown *bool // NULL where nothing has ended
	if err == nil {
		err = results.QueryRow().Scan(&ended, &shown)
	}
	switch err := errors.Join(err, results.Close()); {
	case err != nil:
		return outage.Postgres(err)
	case ended != nil && *ended:
		return ErrHandoffEnded
	case shown != nil && *shown:
		return ErrHandoffUsed
	}
	return nil
}

// EndHandoffSQL ends the session that came of the hand-off @handoff in another browser
// than the one of @arrival and @nonce, and returns it, if it was live. It takes the row
// lock that rotation takes. BarHandoffSQL keeps every other browser from opening one, where
// none was opened yet. The caller holds the hand-off.
var (
	EndHandoffSQL = `
	UPDATE public.sessions s SET ended_at = @now, ended_as = 'replayed'
	WHERE s.handoff_id = @handoff AND ` + anotherBrowserSQL("s.arrival", "s.nonce") + ` AND ` + LiveSQL + `
	RETURNING s.user_id, s.handoff_id, s.entry_product`
	BarHandoffSQL = `
	INSERT INTO public.handoffs_ended (handoff_id, ended_at, ended_as, shown_as, shown_nonce)
	SELECT @handoff::uuid, @now::timestamptz, 'replayed', @arrival::bytea, @nonce::bytea
	WHERE NOT EXISTS (SELECT FROM public.sessions s WHERE s.handoff_id = @handoff)
	ON CONFLICT DO NOTHING`
)

// EndSourcedSQL ends the live sessions that came of the hand-offs @handoffs, whose source
// has ended, and returns them. BarSourcedSQL keeps every arrival from opening one, since
// the news can overtake it, and returns the hand-offs that it was news of. The caller holds
// the hand-offs.
const (
	EndSourcedSQL = `
	UPDATE public.sessions s SET ended_at = @now, ended_as = 'source_ended'
	FROM (SELECT s.id FROM public.sessions s WHERE s.handoff_id = ANY(@handoffs::uuid[]) AND ` + LiveSQL + `
	      ` + InOrderSQL + `) held
	WHERE s.id = held.id
	RETURNING s.user_id, s.handoff_id, s.entry_product`
	BarSourcedSQL = `
	INSERT INTO public.handoffs_ended AS e (handoff_id, ended_at, ended_as)
	SELECT DISTINCT id, @now::timestamptz, 'source_ended' FROM unnest(@handoffs::uuid[]) id
	ON CONFLICT (handoff_id) DO UPDATE SET ended_at = EXCLUDED.ended_at, ended_as = EXCLUDED.ended_as, shown_as = NULL, shown_nonce = NULL
	WHERE e.shown_as IS NOT NULL OR e.shown_nonce IS NOT NULL
	RETURNING e.handoff_id`
)

// LookLaterSQL has it looked at after @after whether the hand-off @handoff has opened a
// session here. If it has not, the other half is told that it is over (package leaving):
// the member is not signed in anywhere by it. If it has, the session's end will say so. Of
// two looks the later one counts: until then it may still open one. What has ended is not
// put off.
const LookLaterSQL = `
	INSERT INTO public.handoff_endings (handoff_id, queued_at, next_try_at)
	SELECT @handoff, due, due FROM (SELECT clock_timestamp() + @after::interval) later (due)
	ON CONFLICT (handoff_id) DO UPDATE SET queued_at = EXCLUDED.queued_at, next_try_at = EXCLUDED.next_try_at
	WHERE handoff_endings.queued_at > clock_timestamp() AND handoff_endings.queued_at < EXCLUDED.queued_at`

// Scan reads a row of [Columns], and what the statement has after them.
func Scan(row pgx.Row, s *Session, more ...any) error {
	into := append([]any{
		&s.ID, &s.UserID, &s.Origin, &s.HandoffID, &s.EntryProduct, &s.Generation, &s.GenerationUsed, &s.Elevated,
		&s.AuthTime, &s.AMR, &s.CreatedAt, &s.LastUsedAt, &s.ExpiresAt, &s.EndedAt,
	}, more...)
	if err := row.Scan(into...); err != nil {
		return err
	}
	s.AuthTime, s.CreatedAt = s.AuthTime.UTC(), s.CreatedAt.UTC()
	s.LastUsedAt, s.ExpiresAt = s.LastUsedAt.UTC(), s.ExpiresAt.UTC()
	if s.EndedAt != nil {
		utc := s.EndedAt.UTC()
		s.EndedAt = &utc
	}
	return nil
}

const touchSQL = `
UPDATE public.sessions SET last_used_at = greatest(last_used_at, @now),
                           generation_used = generation_used OR generation = @generation
WHERE id = @id AND ended_at IS NULL`

// Execer is a pool, a connection or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Touch notes that an access token of this generation was shown at now.
func Touch(ctx context.Context, db Execer, id uuid.UUID, generation int, now time.Time) error {
	_, err := db.Exec(ctx, touchSQL, pgx.NamedArgs{"id": id, "generation": generation, "now": now})
	return outage.Postgres(err)
}

// LiveSQL is [Session.Live] in SQL, over the alias s and the argument @now.
const LiveSQL = `s.ended_at IS NULL AND s.expires_at > @now`

// InOrderSQL takes the row locks that rotation takes, over the alias s: whoever ends
// several sessions takes them in one order, so that no two wait for each other.
const InOrderSQL = `ORDER BY s.id FOR NO KEY UPDATE OF s`

// byUse orders a user's sessions, the last used first.
const byUse = `ORDER BY s.last_used_at DESC, s.id DESC`

// ListSQL reads the live sessions of the user @user, the last used first.
const ListSQL = `SELECT ` + Columns + ` FROM public.sessions s WHERE s.user_id = @user AND ` + LiveSQL + ` ` + byUse

// ReplaceSQL ends the session @session at @now, if it is live: another one has begun in
// its browser. It returns its columns.
const ReplaceSQL = `
UPDATE public.sessions s SET ended_at = @now, ended_as = 'replaced' WHERE s.id = @session AND ` + LiveSQL + `
RETURNING s.user_id, s.handoff_id, s.entry_product`

// EndedSQL reads the sessions of the user @user that were ended after @since, the last one
// first and @most at most: [Columns], and how each ended.
const EndedSQL = `SELECT ` + Columns + `, s.ended_as FROM public.sessions s
	WHERE s.user_id = @user AND s.ended_at > @since ORDER BY s.ended_at DESC, s.id DESC LIMIT @most`

// MaxPerUser is how many live sessions a user may have.
const MaxPerUser = 500

// DisplaceSQL ends the live sessions of the user @user that are more than
// [MaxPerUser], the longest unused first, at @now, and returns their columns. It goes
// with every new session (I13): the attack is to open so many, with somebody's
// password, that "end them all" takes longer than a request may. Rows that somebody
// else is ending are theirs to end.
var DisplaceSQL = `
UPDATE public.sessions SET ended_at = @now, ended_as = 'displaced'
WHERE id IN (
	SELECT s.id FROM public.sessions s WHERE s.user_id = @user AND ` + LiveSQL + `
	` + byUse + ` OFFSET ` + strconv.Itoa(MaxPerUser) + ` FOR NO KEY UPDATE SKIP LOCKED)
RETURNING user_id, handoff_id, entry_product`
