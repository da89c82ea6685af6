package handoff

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// FOSStore holds the transaction on the FOS database that spans user, link,
// session and audit.
type FOSStore struct {
	// Book hears of the rows that are written.
	Book audit.Book
	pool *pgxpool.Pool
	log  *audit.Log
	// arrivals are of those who were here before, newcomers of the others.
	arrivals, newcomers *groupcommit.Group[Arrival, Arrived]
}

// NewFOSStore uses pool, which must be on the primary.
func NewFOSStore(pool *pgxpool.Pool) *FOSStore {
	return &FOSStore{
		pool: pool, log: audit.NewLog(pool),
		arrivals: groupcommit.New(pool, usualStatement), newcomers: groupcommit.New(pool, newcomerStatement),
	}
}

// Watch has watch told of the arrivals and refusals that wait for their statement.
func (f *FOSStore) Watch(watch groupcommit.Watch) {
	f.log.Watch(watch)
	f.arrivals.Watch(watch)
	f.newcomers.Watch(watch)
}

// Waiting is how many of them do.
func (f *FOSStore) Waiting() int {
	return f.log.Waiting() + f.arrivals.Waiting() + f.newcomers.Waiting()
}

// Append records a refusal.
func (f *FOSStore) Append(ctx context.Context, r audit.Record) error {
	return f.Book.Settle(f.log.Append(ctx, r), r)
}

// AppendUnopened implements the store's side of an arrival that opens nothing yet.
func (f *FOSStore) AppendUnopened(ctx context.Context, r audit.Record, after time.Duration) error {
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if err := lookLater(ctx, tx, r.HandoffID, after); err != nil {
			return err
		}
		return audit.Append(ctx, tx, r)
	})
	return f.Book.Settle(audit.Unrecorded(err), r)
}

func lookLater(ctx context.Context, tx pgx.Tx, handoffID uuid.UUID, after time.Duration) error {
	_, err := tx.Exec(ctx, session.LookLaterSQL, pgx.NamedArgs{"handoff": handoffID, "after": after})
	return err
}

// NoteTokenUse implements [TokenUseStore].
func (f *FOSStore) NoteTokenUse(ctx context.Context, keyID string, at time.Time) (time.Time, error) {
	return noteTokenUse(ctx, f.pool, keyID, at)
}

// TokenUses implements [TokenUseStore].
func (f *FOSStore) TokenUses(ctx context.Context) (map[string]Use, error) {
	return tokenUses(ctx, f.pool)
}

var revokeSQL = `
WITH ended AS (` + session.EndHandoffSQL + `), barred AS (` + session.BarHandoffSQL + `)
` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "ended",
	Reason: "'" + string(audit.ByReplay) + "'", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL()

// Revoke implements the store's side of I8: the replay, and what it ends, are
// recorded together.
func (f *FOSStore) Revoke(ctx context.Context, replay audit.Record, by session.Arrival) error {
	args := audit.Args(replay.At, replay.Origin)
	args["now"] = replay.At
	maps.Copy(args, session.Shown(replay.HandoffID, by))
	var ended int64
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		if err := session.HoldHandoffs(ctx, tx, replay.HandoffID); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, revokeSQL, args)
		if err != nil {
			return err
		}
		if err := lookLater(ctx, tx, replay.HandoffID, repeatable); err != nil { // what is barred opens nothing
			return err
		}
		ended = done.RowsAffected()
		return audit.Append(ctx, tx, replay)
	})
	rows := append(audit.Times(ended, endedAs(audit.ByReplay)), replay)
	return f.Book.Settle(audit.Unrecorded(err), rows...)
}

// maxRaces bounds how often one arrival starts over because another came first.
// Each loss means that somebody else has won, so that few suffice; beyond, the
// request's deadline would be near.
const maxRaces = 10

// Arrive commits user, link, session and audit rows together, or nothing. When
// another arrival of the same person came first, it starts over and finds what
// that one wrote; when the answer to its COMMIT was lost, what it wrote itself.
func (f *FOSStore) Arrive(ctx context.Context, a Arrival) (Arrived, error) {
	arrived, err := f.arriveFirst(ctx, a)
	if down := (*outage.Error)(nil); errors.As(err, &down) && ctx.Err() == nil {
		return f.arriveAnyway(ctx, a)
	}
	return arrived, err
}

// arriveFirst leaves time for a second try: one connection that has gone dead must not
// cost the person the hand-off.
func (f *FOSStore) arriveFirst(ctx context.Context, a Arrival) (Arrived, error) {
	if deadline, limited := ctx.Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-timeToAsk))
		defer cancel()
	}
	return f.arriveAnyway(ctx, a)
}

func (f *FOSStore) arriveAnyway(ctx context.Context, a Arrival) (Arrived, error) {
	for range maxRaces {
		arrived, err := f.arrive(ctx, a)
		if !errors.Is(err, user.ErrRaced) {
			return arrived, err
		}
	}
	return Arrived{}, outage.New("postgres", user.ErrRaced)
}

func (f *FOSStore) arrive(ctx context.Context, a Arrival) (Arrived, error) {
	arrived, usual, err := f.arriveAsUsual(ctx, a)
	if usual || err != nil {
		return arrived, f.Book.Settle(err, arrived.rows...)
	}
	var inside error // already says what it means
	err = pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		arrived, inside = arriveIn(ctx, tx, a)
		return inside
	})
	switch {
	case inside != nil:
		return Arrived{}, f.Book.Settle(inside)
	case err != nil: // at its beginning or its end
		return Arrived{}, f.Book.Settle(outage.Postgres(err))
	}
	return arrived, f.Book.Settle(nil, arrived.rows...)
}

func arriveIn(ctx context.Context, tx pgx.Tx, a Arrival) (Arrived, error) {
	if err := session.HoldHandoff(ctx, tx, a.Claims.HandoffID, a.Session.Arrival); err != nil {
		return Arrived{}, err
	}
	who, err := user.Resolve(ctx, tx, a.Person, user.Moment{Now: a.Now, NewID: a.NewUserID})
	if err != nil {
		return Arrived{}, err
	}
	if a.Consent.missing(who) {
		return Arrived{}, &Unasked{As: who.User, Links: linksPrivileged(who)}
	}
	fresh := a.Session
	fresh.UserID = who.User.ID
	begun, inserted, err := session.Insert(ctx, tx, fresh)
	if err != nil {
		return Arrived{}, err
	}
	events := whatBecameOf(who)
	if inserted { // else a repeat of this arrival, whose session is recorded already
		events = append(events, audit.SessionCreated)
	}
	rows, err := record(ctx, tx, a, who.User.ID, events)
	if err != nil {
		return Arrived{}, err
	}
	var displaced, replaced int64
	if inserted {
		if displaced, err = displace(ctx, tx, who.User.ID, a.Now, a.Origin); err != nil {
			return Arrived{}, err
		}
	}
	if replaced, err = replaceOlder(ctx, tx, a, begun.ID); err != nil {
		return Arrived{}, err
	}
	rows = slices.Concat(rows, audit.Times(displaced, endedAs(audit.ByDisplacement)), audit.Times(replaced, endedAs(audit.ByReplacement)))
	return Arrived{User: who.User, Session: begun, Began: inserted, rows: rows}, nil
}

// endedAs is the row of a session that ended for this reason.
func endedAs(reason audit.Reason) audit.Record {
	return audit.Record{Event: audit.SessionEnded, Outcome: audit.Success, Reason: reason}
}

// whatBecameOf are the events of the person's account.
func whatBecameOf(who user.Resolution) []audit.Event {
	switch {
	case who.Action == user.Created:
		return []audit.Event{audit.UserCreated}
	case who.Action == user.Reclaimed:
		return []audit.Event{audit.UserReclaimed}
	case who.Action == user.Linked, who.PrincipalAdded:
		return []audit.Event{audit.UserLinked}
	}
	return nil
}

// record writes one row for each thing that happened, and returns them.
func record(ctx context.Context, tx pgx.Tx, a Arrival, who uuid.UUID, events []audit.Event) ([]audit.Record, error) {
	var rows []audit.Record
	for _, event := range events {
		row := arrivalRow(a, who, event)
		if err := audit.Append(ctx, tx, row); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func arrivalRow(a Arrival, who uuid.UUID, event audit.Event) audit.Record {
	row := audit.Record{
		At: a.Now, Event: event, Outcome: audit.Success, Actor: who, HandoffID: a.Claims.HandoffID,
		EntryProduct: a.Claims.EntryProduct, Target: a.Claims.Target, Origin: a.Origin,
	}
	if event == audit.SessionCreated {
		row.Reason = audit.ByHandoff
	}
	return row
}

// replaceSQL ends the session that the browser was in.
var replaceSQL = `WITH replaced AS (` + session.ReplaceSQL + `)
` + audit.Insert{
	Event: audit.SessionEnded, Outcome: audit.Success, From: "replaced",
	Reason: "'" + string(audit.ByReplacement) + "'", Actor: "user_id", HandoffID: "handoff_id", EntryProduct: "entry_product",
}.SQL()

// replaceOlder does so also for a repeat of the arrival, whose browser may have come to be in
// another session since.
func replaceOlder(ctx context.Context, tx pgx.Tx, a Arrival, begun uuid.UUID) (replaced int64, err error) {
	if a.OlderSession == uuid.Nil || a.OlderSession == begun {
		return 0, nil
	}
	args := audit.Args(a.Now, a.Origin)
	args["session"], args["now"] = a.OlderSession, a.Now
	done, err := tx.Exec(ctx, replaceSQL, args)
	return done.RowsAffected(), audit.Unrecorded(err)
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
