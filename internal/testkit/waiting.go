package testkit

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Waiting is how many wait for a lock in pool's database. Not to be asked in the transaction
// that holds the lock, where Postgres would answer with what it said the first time.
func Waiting(t testing.TB, pool *pgxpool.Pool) int {
	t.Helper()
	return Count(t, pool, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`)
}

// UntilWaiting returns when at least n wait for a lock in pool's database.
func UntilWaiting(t testing.TB, pool *pgxpool.Pool, n int) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); Waiting(t, pool) < n; {
		if time.Now().After(end) {
			t.Fatalf("fewer than %d wait for a lock", n)
		}
	}
}
