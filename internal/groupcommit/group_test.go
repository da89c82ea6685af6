package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

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
	held := testkit.Hold(t, c.db, `SELECT FROM accounts WHERE id = 'account 1' FOR UPDATE`)
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
	held.Commit()
	for i, a := range answers() {
		if a != (came{fmt.Sprint("label ", i+1), true, nil}) {
			t.Errorf("%+v", a)
		}
	}
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
