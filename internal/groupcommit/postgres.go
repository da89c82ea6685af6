package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/batch"
	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Column is a value that each row has: its name in the body and its type in Postgres.
type Column[Row any] struct {
	Name, Type string
	Of         func(Row) any // nil is NULL
}

// Config is what a group needs.
type Config[Row, Result any] struct {
	Columns []Column[Row]
	// Body is what follows "WITH asked AS (…), ", where the table asked has one row for
	// each Row: the columns, and "nth". @name is the column name, wherever it stands. The
	// body ends in a SELECT whose first column is nth, and must give each nth once at most.
	// It marks where rows are locked with [Locking].
	Body string
	// Scan reads the columns behind nth.
	Scan func(row Scanner) (Result, error)
}

// Scanner reads a row, as a pgx.Row does.
type Scanner interface{ Scan(into ...any) error }

type behindNth func(into ...any) error

// Scan implements [Scanner].
func (read behindNth) Scan(into ...any) error { return read(into...) }

// Locking stands behind each locking clause in a body: by the group nobody waits. A body
// that inserts locks first what its foreign keys refer to (FOR KEY SHARE), since the check
// of a key waits whatever the statement says, and all others behind it.
const Locking = "{locking}"

// New makes a group on pool. It panics if columns and body do not fit together: both
// are written in this program.
func New[Row, Result any](pool *pgxpool.Pool, config Config[Row, Result]) *Group[Row, Result] {
	var names, values, arrays []string
	for i, c := range config.Columns {
		value := "$" + strconv.Itoa(i+1) + "::" + c.Type
		names, arrays = append(names, c.Name), append(arrays, value+"[]")
		values = append(values, value+" AS "+c.Name)
	}
	var used []string
	body := named.ReplaceAllStringFunc(config.Body, func(name string) string {
		used = append(used, name[1:])
		return name[1:]
	})
	if slices.Sort(used); !slices.Equal(slices.Compact(used), slices.Sorted(slices.Values(names))) {
		panic(fmt.Sprintf("groupcommit: the columns are %v, the body uses %v", names, slices.Compact(used)))
	}
	skipping := strings.ReplaceAll(body, Locking, " SKIP LOCKED")
	single := "WITH asked AS (SELECT 1::bigint AS nth, " + strings.Join(values, ", ") + "), "
	multiple := "WITH asked AS (SELECT * FROM unnest(" + strings.Join(arrays, ", ") + ") WITH ORDINALITY AS asked (" + strings.Join(names, ", ") + ", nth)), "
	g := &Group[Row, Result]{statement: statement[Row, Result]{
		pool: pool, columns: config.Columns, scan: config.Scan,
		alone: single + strings.ReplaceAll(body, Locking, ""), single: single + skipping, multiple: multiple + skipping,
		locks: skipping != body,
	}}
	g.Queue = batch.New(g.send)
	return g
}

var named = regexp.MustCompile(`@[a-z_]+`)

// statement is one body in three texts.
type statement[Row, Result any] struct {
	pool                    *pgxpool.Pool
	columns                 []Column[Row]
	scan                    func(row Scanner) (Result, error)
	alone, single, multiple string
	locks                   bool // alone it may see what by the group is passed over
}

func (s *statement[Row, Result]) one(ctx context.Context, sql string, row Row) answer[Result] {
	values := make([]any, len(s.columns))
	for i, c := range s.columns {
		values[i] = c.Of(row)
	}
	answers, err := s.run(ctx, sql, values, 1)
	if err != nil {
		return answer[Result]{err: err}
	}
	return answers[0]
}

func (s *statement[Row, Result]) many(ctx context.Context, rows []Row) ([]answer[Result], error) {
	arrays := make([]any, len(s.columns))
	for i, c := range s.columns {
		array := make(pgtype.FlatArray[any], len(rows))
		for j, row := range rows {
			array[j] = c.Of(row)
		}
		arrays[i] = array
	}
	return s.run(ctx, s.multiple, arrays, len(rows))
}

// run returns an answer for each of n rows.
func (s *statement[Row, Result]) run(ctx context.Context, sql string, values []any, n int) ([]answer[Result], error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, outage.Unasked("postgres", err)
	}
	defer conn.Release()
	rows, err := conn.Query(ctx, sql, values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	answers := make([]answer[Result], n)
	read := reader{types: conn.Conn().TypeMap(), fields: rows.FieldDescriptions()}
	for rows.Next() {
		nth := int64(0)
		result, err := s.scan(behindNth(func(into ...any) error { return read.row(rows.RawValues(), &nth, into) }))
		if nth < 1 || nth > int64(n) || answers[nth-1].served {
			return nil, fmt.Errorf("groupcommit: row %d of %d is not one that was asked for once", nth, n)
		}
		answers[nth-1] = answer[Result]{result: result, served: true, err: err}
	}
	return answers, rows.Err()
}

// reader reads the rows of an answer. Not rows.Scan, whose error ends the rows: what one
// holds is no fault of the next. How a column is read is found out once, so that it is read
// into the same type in each row.
type reader struct {
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	plans  []pgtype.ScanPlan
}

func (r *reader) row(values [][]byte, nth *int64, into []any) error {
	if len(values) != len(into)+1 {
		return fmt.Errorf("groupcommit: %d columns are read into %d values", len(values), len(into)+1)
	}
	for i, value := range values {
		target := any(nth)
		if i > 0 {
			target = into[i-1]
		}
		if len(r.plans) == i {
			r.plans = append(r.plans, r.types.PlanScan(r.fields[i].DataTypeOID, r.fields[i].Format, target))
		}
		if err := r.plans[i].Scan(value, target); err != nil {
			return fmt.Errorf("groupcommit: column %s: %w", r.fields[i].Name, err)
		}
	}
	return nil
}

// refused reports whether Postgres said no to a statement, and so has written nothing.
func refused(err error) bool {
	said := (*pgconn.PgError)(nil)
	return errors.As(err, &said) && outage.TookNoEffect(err)
}
