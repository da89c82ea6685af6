package audit

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Insert builds the audit row of a larger statement. Every field but the first
// two is an SQL expression written in this program, never input; "" is NULL. The
// statement's arguments must include those of [Args].
type Insert struct {
	Event   Event
	Outcome Outcome
	// From is the FROM clause and what follows it: no row there, no audit row.
	From         string
	Reason       string
	Actor        string
	HandoffID    string
	EntryProduct string
	Target       string
}

// SQL returns "INSERT INTO audit_log … SELECT … FROM …", to stand in a WITH.
func (i Insert) SQL() string {
	orNull := func(expression string) string {
		if expression == "" {
			return "NULL"
		}
		return expression
	}
	return "INSERT INTO public.audit_log (at, event, outcome, reason, actor_id, handoff_id, entry_product," +
		" target_domain, origin, origin_key, request_id) SELECT " + strings.Join([]string{
		"@audit_at::timestamptz", "'" + string(i.Event) + "'", "'" + string(i.Outcome) + "'",
		orNull(i.Reason), orNull(i.Actor), orNull(i.HandoffID), orNull(i.EntryProduct), orNull(i.Target),
		"NULLIF(@audit_origin::text, '')", "NULLIF(@audit_origin_key::text, '')", "NULLIF(@audit_request_id::text, '')",
	}, ", ") + " FROM " + i.From
}

// Args returns the arguments that [Insert.SQL] refers to, all named audit_….
func Args(at time.Time, origin Origin) pgx.NamedArgs {
	return pgx.NamedArgs{
		"audit_at":         at,
		"audit_origin":     origin.Address.Value,
		"audit_origin_key": origin.Address.KeyID,
		"audit_request_id": origin.RequestID,
	}
}

// Columns are those arguments for a statement of package groupcommit.
func Columns[Row any](of func(Row) (time.Time, Origin)) []groupcommit.Column[Row] {
	origin := func(r Row) Origin { _, o := of(r); return o }
	return []groupcommit.Column[Row]{
		{Name: "audit_at", Type: "timestamptz", Of: func(r Row) any { at, _ := of(r); return at }},
		{Name: "audit_origin", Type: "text", Of: func(r Row) any { return origin(r).Address.Value }},
		{Name: "audit_origin_key", Type: "text", Of: func(r Row) any { return origin(r).Address.KeyID }},
		{Name: "audit_request_id", Type: "text", Of: func(r Row) any { return origin(r).RequestID }},
	}
}

// Execer is a pool, a connection or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

const (
	appendInto = `INSERT INTO public.audit_log (at, event, outcome, reason, actor_id, handoff_id, entry_product,
	                              target_domain, origin, origin_key, request_id) `
	appended = `@audit_at, @event, @outcome, NULLIF(@reason, ''), @actor, @handoff_id, NULLIF(@entry_product, ''),
	        NULLIF(@target, ''), NULLIF(@audit_origin, ''), NULLIF(@audit_origin_key, ''), NULLIF(@audit_request_id, '')`
	appendSQL = appendInto + `VALUES (` + appended + `)`
)

// Append writes one row. Its error is an outage ([Unrecorded]); the caller must
// then fail too (invariant I4).
func Append(ctx context.Context, db Execer, r Record) error {
	args := Args(r.At, r.Origin)
	args["event"], args["outcome"], args["reason"] = string(r.Event), string(r.Outcome), string(r.Reason)
	args["actor"], args["handoff_id"] = orNil(r.Actor), orNil(r.HandoffID)
	args["entry_product"], args["target"] = r.EntryProduct, r.Target
	_, err := db.Exec(ctx, appendSQL, args)
	return Unrecorded(err)
}

// Log appends rows that stand alone. Those that come at the same time share a statement and
// a commit: the attack is to have the service refuse so much that it does nothing else.
type Log struct {
	rows *groupcommit.Group[Record, struct{}]
}

// NewLog appends on pool.
func NewLog(pool *pgxpool.Pool) *Log { return &Log{groupcommit.New(pool, appending)} }

var appending = groupcommit.Config[Record, struct{}]{
	Columns: append([]groupcommit.Column[Record]{
		{Name: "event", Type: "text", Of: func(r Record) any { return string(r.Event) }},
		{Name: "outcome", Type: "text", Of: func(r Record) any { return string(r.Outcome) }},
		{Name: "reason", Type: "text", Of: func(r Record) any { return string(r.Reason) }},
		{Name: "actor", Type: "uuid", Of: func(r Record) any { return orNil(r.Actor) }},
		{Name: "handoff_id", Type: "uuid", Of: func(r Record) any { return orNil(r.HandoffID) }},
		{Name: "entry_product", Type: "text", Of: func(r Record) any { return r.EntryProduct }},
		{Name: "target", Type: "text", Of: func(r Record) any { return r.Target }},
	}, Columns(func(r Record) (time.Time, Origin) { return r.At, r.Origin })...),
	Body: `noted AS (` + appendInto + `SELECT ` + appended + ` FROM asked)
SELECT nth FROM asked`,
	Scan: func(row groupcommit.Scanner) (struct{}, error) { return struct{}{}, row.Scan() },
}

// Watch has watch told of the rows that wait for their statement.
func (l *Log) Watch(watch groupcommit.Watch) { l.rows.Watch(watch) }

// Waiting is how many do.
func (l *Log) Waiting() int { return l.rows.Waiting() }

// Append is the function of that name, for a row that need not go with others' writes.
func (l *Log) Append(ctx context.Context, r Record) error {
	_, _, err := l.rows.Do(ctx, r)
	return Unrecorded(err)
}

// Unrecorded makes an outage of whatever kept a statement with an audit row in it
// from being committed: when audit cannot be written the request fails with 503
// (invariant I4). Rights that were taken away, a table that is gone and a check
// that refuses are for an operator to mend, and then the same request goes well.
// It returns nil for nil.
func Unrecorded(err error) error {
	err = outage.Postgres(err)
	if known := (*outage.Error)(nil); err == nil || errors.As(err, &known) {
		return err
	}
	return outage.New("postgres", refused{err})
}

// gaveWay reports whether a statement gave up waiting for a lock, as it was told to.
func gaveWay(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "55P03"
}

func orNil(id uuid.UUID) *uuid.UUID {
	if id == uuid.Nil {
		return nil
	}
	return &id
}
