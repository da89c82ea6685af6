package testkit_test

import (
	"context"
	"sync"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Who waits for a lock is counted, in this database, as long as they wait.
func TestWaiting_countsWhoWaitsForALock(t *testing.T) {
	t.Parallel()
	pool, other := testkit.Pool(t, testkit.EmptyDatabaseURL(t)), testkit.Pool(t, testkit.EmptyDatabaseURL(t))
	testkit.Exec(t, pool, `CREATE TABLE held (n integer)`)
	held := testkit.Hold(t, pool, `LOCK TABLE held IN ACCESS EXCLUSIVE MODE`)
	if n := testkit.Waiting(t, pool); n != 0 {
		t.Errorf("%d wait while one holds", n)
	}
	var gone sync.WaitGroup
	for range 2 {
		gone.Go(func() {
			if _, err := pool.Exec(context.Background(), `INSERT INTO held VALUES (1)`); err != nil {
				t.Error(err)
			}
		})
	}
	testkit.UntilWaiting(t, pool, 2)
	if n := testkit.Waiting(t, other); n != 0 {
		t.Errorf("%d wait elsewhere", n)
	}
	held.Release()
	gone.Wait()
	if n := testkit.Waiting(t, pool); n != 0 {
		t.Errorf("%d wait for nobody", n)
	}
}
