package testkit_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// What a test holds is held until the test says otherwise, and no setting of it stays
// behind on the connection.
func TestHold_lastsUntilTheTestEndsIt(t *testing.T) {
	t.Parallel()
	pool := testkit.Pool(t, testkit.EmptyDatabaseURL(t))
	testkit.Exec(t, pool, `CREATE TABLE held (n integer)`)
	const ends = `SELECT count(*) FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout' AND setting <> '0'`
	rows := func() int { t.Helper(); return testkit.Count(t, pool, `SELECT count(*) FROM held`) }
	if testkit.Count(t, pool, ends) != 1 {
		t.Error("the pool has Postgres end nothing: there is no need of this")
	}
	for name, c := range map[string]struct {
		end  func(testkit.Held)
		rows int
	}{
		"released": {testkit.Held.Release, 0},
		"commit":   {testkit.Held.Commit, 2},
	} {
		testkit.Exec(t, pool, `TRUNCATE held`)
		held := testkit.Hold(t, pool, `INSERT INTO held VALUES ($1)`, 1)
		held.Run(`INSERT INTO held VALUES ($1)`, 2)
		var ended int
		if err := held.Tx.QueryRow(t.Context(), ends).Scan(&ended); err != nil || ended != 0 {
			t.Errorf("%s: Postgres ends it itself: %v", name, err)
		}
		if rows() != 0 {
			t.Errorf("%s: it is not held", name)
		}
		c.end(held)
		held.Release() // once more is nothing
		if n := rows(); n != c.rows {
			t.Errorf("%s: %d rows, want %d", name, n, c.rows)
		}
		if testkit.Count(t, pool, ends) != 1 {
			t.Errorf("%s: the connection keeps what was its own", name)
		}
	}
}

// A test that fails before it ends what it holds does not hang at its end.
func TestHold_endsWithTheTest(t *testing.T) {
	t.Parallel()
	pool := testkit.Pool(t, testkit.EmptyDatabaseURL(t))
	testkit.Exec(t, pool, `CREATE TABLE held (n integer)`)
	t.Run("that is left", func(t *testing.T) {
		testkit.Hold(t, pool, `LOCK TABLE held IN ACCESS EXCLUSIVE MODE`)
	})
	testkit.Exec(t, pool, `SET LOCAL lock_timeout = '5s'; INSERT INTO held VALUES (1)`)
}
