package groupcommit_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// counter is a row to be written: its name, and the account that it is about.
type counter struct {
	name, account string
	value         any
}

// counters write into a table that says by which transaction, and lock the account.
type counters struct {
	*groupcommit.Group[counter, string]
	db *pgxpool.Pool
}

var statement = groupcommit.Config[counter, string]{
	Columns: []groupcommit.Column[counter]{
		{Name: "name", Type: "text", Of: func(c counter) any { return c.name }},
		{Name: "account", Type: "text", Of: func(c counter) any { return c.account }},
		{Name: "value", Type: "integer", Of: func(c counter) any { return c.value }},
	},
	Body: `held AS MATERIALIZED (
	SELECT asked.*, a.label FROM asked JOIN accounts a ON a.id = @account FOR UPDATE OF a` + groupcommit.Locking + `
), written AS (
	INSERT INTO counters (name, value) SELECT @name, @value FROM held
)
SELECT nth, label FROM held`,
	Scan: func(row groupcommit.Scanner) (string, error) {
		var label string
		err := row.Scan(&label)
		return label, err
	},
}

func newCounters(t *testing.T) counters {
	t.Helper()
	db := testkit.Pool(t, testkit.EmptyDatabaseURL(t))
	for _, sql := range []string{
		`CREATE TABLE accounts (id text PRIMARY KEY, label text)`,
		`INSERT INTO accounts SELECT 'account ' || n, 'label ' || n FROM generate_series(0, 1100) n`,
		`CREATE TABLE counters (name text PRIMARY KEY, value integer CHECK (value >= 0), by xid8 DEFAULT pg_current_xact_id())`,
	} {
		testkit.Exec(t, db, sql)
	}
	return counters{patiently(groupcommit.New(db, statement)), db}
}

// patiently makes all wait for one statement, however slow this machine is.
func patiently(g *groupcommit.Group[counter, string]) *groupcommit.Group[counter, string] {
	g.OneAtATime()
	return g
}

func numbered(n int) counter {
	return counter{fmt.Sprint("name ", n), fmt.Sprint("account ", n), n}
}

// occupy has the way taken, by a row that waits for somebody else's, and returns how to
// let it go.
func (c counters) occupy(t *testing.T) (release func()) {
	t.Helper()
	held := testkit.Hold(t, c.db, `INSERT INTO counters VALUES ('first', 0)`)
	var gone sync.WaitGroup
	gone.Go(func() {
		if _, served, err := c.Do(t.Context(), counter{"first", "account 1100", 1}); !served || err != nil {
			t.Errorf("the first: %v, %v", served, err)
		}
	})
	c.until(t, func() bool {
		return testkit.Count(t, c.db, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == 1
	})
	return func() {
		held.Release()
		gone.Wait()
	}
}

func (c counters) until(t *testing.T, yes func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !yes(); {
		if time.Now().After(end) {
			t.Fatal("never")
		}
	}
}

// came is what a caller was told.
type came struct {
	label  string
	served bool
	err    error
}

// send calls do for each row at once, and returns when all are queued; the answers come
// in the rows' order.
func (c counters) send(t *testing.T, do func(context.Context, counter) (string, bool, error), rows ...counter) (answers func() []came) {
	t.Helper()
	before, all := c.Waiting(), make([]came, len(rows))
	var gone sync.WaitGroup
	for i, row := range rows {
		gone.Go(func() {
			label, served, err := do(t.Context(), row)
			all[i] = came{label, served, err}
		})
	}
	c.until(t, func() bool { return c.Waiting() == before+len(rows) })
	return func() []came { gone.Wait(); return all }
}

func (c counters) transactions(t *testing.T) int {
	t.Helper()
	return testkit.Count(t, c.db, `SELECT count(DISTINCT by) FROM counters WHERE name LIKE 'name %'`)
}
