package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
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
	return counters{groupcommit.New(db, statement), db}
}

func numbered(n int) counter {
	return counter{fmt.Sprint("name ", n), fmt.Sprint("account ", n), n}
}

// patient keeps a transaction of a test's own, however busy the machine is.
const patient = `SET LOCAL idle_in_transaction_session_timeout = 0`

// occupy has every place on the way taken, by rows that wait for somebody else's, and
// returns how to let them go.
func (c counters) occupy(t *testing.T) (release func()) {
	t.Helper()
	tx, err := c.db.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(context.Background(), patient+`; INSERT INTO counters VALUES ('first', 0), ('second', 0)`); err != nil {
		t.Fatal(err)
	}
	var gone sync.WaitGroup
	for i, name := range []string{"first", "second"} {
		gone.Go(func() {
			if _, served, err := c.Do(t.Context(), counter{name, fmt.Sprint("account ", 1099+i), 1}); !served || err != nil {
				t.Errorf("%s: %v, %v", name, served, err)
			}
		})
	}
	c.until(t, func() bool {
		return testkit.Count(t, c.db, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) == 2
	})
	return func() {
		_ = tx.Rollback(context.Background())
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

func TestGroup_whoComesAloneWaitsForNobody(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	for i := range 3 {
		if label, served, err := c.Do(t.Context(), numbered(i)); label != fmt.Sprint("label ", i) || !served || err != nil {
			t.Errorf("%q, %v, %v", label, served, err)
		}
	}
	if n := c.transactions(t); n != 3 {
		t.Errorf("%d transactions", n)
	}
}

// What queues while the statements before it are on their way is written together, and
// each is told its own.
func TestGroup_whatQueuesIsCommittedTogether(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	var rows []counter
	for i := range 20 {
		rows = append(rows, numbered(i))
	}
	answers := c.send(t, c.Do, rows...)
	if n := c.transactions(t); n != 0 {
		t.Error("written before their turn")
	}
	release()
	for i, a := range answers() {
		if a != (came{fmt.Sprint("label ", i), true, nil}) {
			t.Errorf("row %d: %+v", i, a)
		}
	}
	if n, rows := c.transactions(t), testkit.Count(t, c.db, `SELECT count(*) FROM counters WHERE name = 'name ' || value`); n != 1 || rows != 20 {
		t.Errorf("%d rows in %d transactions", rows, n)
	}
}

// An error fails the row that is its cause, and what the statement does not match is
// nobody's error.
func TestGroup_aRowThatIsRefusedIsRefusedAlone(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]counter{
		"a check refuses it":           {"name 99", "account 1", -1},
		"it is there already":          {"taken", "account 1", 1},
		"Postgres cannot be told that": {"\x00", "account 1", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCounters(t)
			testkit.Exec(t, c.db, `INSERT INTO counters VALUES ('taken', 0)`)
			release := c.occupy(t)
			answers := c.send(t, c.Do, numbered(2), bad, numbered(3), counter{"name 5", "no account", 5})
			release()
			got := answers()
			if got[0] != (came{"label 2", true, nil}) || got[2] != (came{"label 3", true, nil}) {
				t.Errorf("the others: %+v, %+v", got[0], got[2])
			}
			if said := (*pgconn.PgError)(nil); !errors.As(got[1].err, &said) {
				t.Errorf("the cause: %+v", got[1])
			}
			if got[3] != (came{}) {
				t.Errorf("the one that nothing matches: %+v", got[3])
			}
		})
	}
}

// What this program cannot read of one row is that row's trouble.
func TestGroup_aRowThatCannotBeReadSpoilsNoOther(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	testkit.Exec(t, c.db, `UPDATE accounts SET label = NULL WHERE id = 'account 3'`)
	release := c.occupy(t)
	answers := c.send(t, c.Do, numbered(2), numbered(3), numbered(4))
	release()
	got := answers()
	if got[0] != (came{"label 2", true, nil}) || got[1].err == nil || got[2] != (came{"label 4", true, nil}) {
		t.Errorf("%+v", got)
	}
}

// Who has to wait for somebody does so alone: the others of the statement do not, nor
// does the next statement.
func TestGroup_nobodyWaitsForALockOfAnothers(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	answers := c.send(t, c.Do, numbered(1), numbered(2))
	tried := c.send(t, c.Try, counter{"tried", "account 1", 1})
	tx, err := c.db.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(context.Background(), patient+`; SELECT FROM accounts WHERE id = 'account 1' FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	release()
	if got := tried()[0]; got != (came{}) {
		t.Errorf("who knows another way: %+v", got)
	}
	for i := range 3 { // more than there are places
		if _, served, err := c.Do(t.Context(), numbered(10+i)); !served || err != nil {
			t.Errorf("behind one who waits: %v, %v", served, err)
		}
	}
	if n := testkit.Count(t, c.db, `SELECT count(*) FROM counters WHERE name = 'name 1'`); n != 0 {
		t.Error("written although the account was held")
	}
	if err := tx.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i, a := range answers() {
		if a != (came{fmt.Sprint("label ", i+1), true, nil}) {
			t.Errorf("%+v", a)
		}
	}
}

// Who gives up in the queue was never sent.
func TestGroup_whoGivesUpInTheQueueWasNeverSent(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	ctx, giveUp := context.WithCancel(t.Context())
	queued := c.send(t, func(_ context.Context, row counter) (string, bool, error) { return c.Do(ctx, row) }, numbered(1))
	stays := c.send(t, c.Do, numbered(2))
	giveUp()
	if got := queued()[0]; got.served || !outage.TookNoEffect(got.err) || !errors.Is(got.err, context.Canceled) {
		t.Errorf("in the queue: %+v", got)
	}
	release()
	if got := stays()[0]; got != (came{"label 2", true, nil}) {
		t.Errorf("behind them: %+v", got)
	}
	if n := testkit.Count(t, c.db, `SELECT count(*) FROM counters WHERE name = 'name 1'`); n != 0 {
		t.Error("it was written")
	}
}

// Who gives up on the way does not know, and the others are none the worse.
func TestGroup_whoGivesUpOnTheWayEndsItForNobodyElse(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	tx := hold(t, c.db)
	ctx, giveUp := context.WithCancel(t.Context())
	onWay := c.send(t, func(_ context.Context, row counter) (string, bool, error) { return c.Do(ctx, row) }, counter{"held", "account 3", 3})
	beside := c.send(t, c.Do, numbered(4))
	release()
	c.until(t, func() bool { return c.Waiting() == 0 })
	giveUp()
	if got := onWay()[0]; got.served || got.err == nil || outage.TookNoEffect(got.err) {
		t.Errorf("on the way: %+v", got)
	}
	if err := tx.Rollback(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := beside()[0]; got != (came{"label 4", true, nil}) {
		t.Errorf("beside them: %+v", got)
	}
}

// hold keeps a row named "held" from being written.
func hold(t *testing.T, db *pgxpool.Pool) pgx.Tx {
	t.Helper()
	tx, err := db.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if _, err := tx.Exec(context.Background(), patient+`; INSERT INTO counters VALUES ('held', 0)`); err != nil {
		t.Fatal(err)
	}
	return tx
}

// I13: the queue is bounded, and whoever finds it full was never sent.
func TestI13_theQueueIsBounded(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	var rows []counter
	for i := range 1024 {
		rows = append(rows, numbered(i))
	}
	answers := c.send(t, c.Do, rows...)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, served, err := c.Do(ctx, numbered(1050)); served || !outage.TookNoEffect(err) || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, %v", served, err)
	}
	release()
	if bad := slices.IndexFunc(answers(), func(a came) bool { return !a.served || a.err != nil }); bad >= 0 {
		t.Errorf("row %d: %+v", bad, answers()[bad])
	}
	if n := c.transactions(t); n < 1024/128 || n > 40 {
		t.Errorf("1024 rows in %d transactions", n)
	}
}

func TestNew_columnsAndBodyFitTogether(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"a column without use":   `x AS (SELECT @name, @account) SELECT nth FROM x`,
		"a name without column":  `x AS (SELECT @name, @account, @value, @nobody) SELECT nth FROM x`,
		"a name within another":  `x AS (SELECT @name, @account, @value_of) SELECT nth FROM x`,
		"a column of its prefix": `x AS (SELECT @names, @account, @value) SELECT nth FROM x`,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error(name, "passes")
				}
			}()
			groupcommit.New(nil, groupcommit.Config[counter, string]{Columns: statement.Columns, Body: body})
		}()
	}
}

// A panic ends what was sent together, and neither the process nor what comes next.
func TestGroup_aPanicEndsOneStatement(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	panics := statement
	panics.Scan = func(row groupcommit.Scanner) (string, error) {
		var label string
		err := row.Scan(&label)
		if label == "label 7" {
			panic("what nobody is to read")
		}
		return label, err
	}
	c.Group = groupcommit.New(c.db, panics)
	release := c.occupy(t)
	answers := c.send(t, c.Do, numbered(6), numbered(7))
	release()
	for _, a := range answers() {
		if a.served || a.err == nil || outage.TookNoEffect(a.err) {
			t.Errorf("%+v", a)
		}
		if said := fmt.Sprint(a.err); !strings.Contains(said, "panic: string") || !strings.Contains(said, "group_test.go") || strings.Contains(said, "nobody") {
			t.Errorf("for the log: %s", said)
		}
	}
	for i := range 3 {
		if _, served, err := c.Do(t.Context(), numbered(10+i)); !served || err != nil {
			t.Errorf("%v, %v", served, err)
		}
	}
}

// Each that waits is seen, from when it queues until it has its answer; who waits for
// nobody is not.
func TestGroup_whoQueuesIsWatched(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	var mu sync.Mutex
	var began int
	var ends []error
	c.Watch(func(ctx context.Context) (context.Context, func(error)) {
		mu.Lock()
		defer mu.Unlock()
		began++
		return ctx, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, err)
		}
	})
	release := c.occupy(t)
	answers := c.send(t, c.Do, numbered(1), numbered(2))
	if began != 2 || len(ends) != 0 {
		t.Errorf("queued: %d began, %d ended", began, len(ends))
	}
	release()
	answers()
	if began != 2 || len(ends) != 2 || ends[0] != nil || ends[1] != nil {
		t.Errorf("answered: %d began, ended with %v", began, ends)
	}
}
