package leaving_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Of ada's two sessions the one with the lower id has the hand-off with the higher id.
const crossedRows = `
UPDATE handoffs SET session_id = '00000000-0000-7000-8000-0000000000a2' WHERE handoff_id = '00000000-0000-7000-8000-000000000b01';
UPDATE handoffs SET session_id = '00000000-0000-7000-8000-0000000000a1' WHERE handoff_id = '00000000-0000-7000-8000-000000000b06'`

// behind starts sql and returns when it waits for a lock. The channel gets what became of it.
func behind(t *testing.T, pool *pgxpool.Pool, sql string) <-chan error {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), sql)
		done <- err
	}()
	for testkit.Waiting(t, pool) == 0 {
		select {
		case err := <-done:
			t.Fatalf("it waits for nobody: %v", err)
		default:
		}
	}
	return done
}

// A member is shut out, or deleted, while the other half's news of two hand-offs arrives,
// or while one session is being signed out: whoever waits holds nothing that the other
// still wants, and both end.
func TestDAO_whoEndsSeveralLocksInOneOrder(t *testing.T) {
	t.Parallel()
	const (
		low, high = `SELECT FROM handoffs WHERE handoff_id = '00000000-0000-7000-8000-000000000b01' FOR NO KEY UPDATE`,
			`SELECT FROM handoffs WHERE handoff_id = '00000000-0000-7000-8000-000000000b06' FOR NO KEY UPDATE NOWAIT`
		signOut = `UPDATE sessions SET ended_at = now(), ended_as = 'logout' WHERE id = '00000000-0000-7000-8000-0000000000a2'`
	)
	for name, shutOut := range map[string]string{
		"suspended": `UPDATE members SET membership_status = 'suspended' WHERE id = '00000000-0000-7000-8000-00000000000a'`,
		"deleted":   `DELETE FROM members WHERE id = '00000000-0000-7000-8000-00000000000a'`,
	} {
		for other, steps := range map[string][2]string{
			"news":     {low, high},
			"sign-out": {`SELECT FROM sessions WHERE id = '00000000-0000-7000-8000-0000000000a2' FOR NO KEY UPDATE`, signOut},
		} {
			t.Run(name+" beside "+other, func(t *testing.T) {
				t.Parallel()
				pool := testkit.Database(t, datastore.DAO)
				testkit.Exec(t, pool, ledgerRows)
				testkit.Exec(t, pool, crossedRows)
				first := testkit.Hold(t, pool, steps[0])
				done := behind(t, pool, shutOut)
				if _, err := first.Tx.Exec(t.Context(), steps[1]); err != nil {
					t.Errorf("who waits keeps what the first one needs: %v", err)
				}
				first.Commit()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if n := testkit.Count(t, pool, `SELECT count(*) FROM handoff_endings WHERE right(handoff_id::text, 3) IN ('b01', 'b06')`); n != 2 {
					t.Errorf("%d of 2 are to be told", n)
				}
			})
		}
	}
}

// A statement that shuts many members out takes their hand-offs in whatever order it meets
// the members: then the news gives way, before the database has to choose somebody, and is
// told again.
func TestDAO_theNewsGivesWayToPeople(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t, datastore.DAO)
	testkit.Exec(t, pool, ledgerRows)
	first := testkit.Hold(t, pool, `SELECT FROM handoffs FOR NO KEY UPDATE`)
	news := leaving.News{HandoffIDs: []uuid.UUID{uuid.MustParse("00000000-0000-7000-8000-000000000b01")}}
	within, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := leaving.NewDAOStore(pool).EndTold(within, news, time.Now())
	if known := (*pgconn.PgError)(nil); !errors.As(err, &known) || known.Code != "55P03" {
		t.Fatalf("it waited: %v", err)
	}
	// It is sooner than the database's own choice.
	if n := testkit.Count(t, pool, `SELECT 1 FROM pg_settings WHERE name = 'deadlock_timeout' AND setting::int > 500`); n != 1 {
		t.Error("the database chooses somebody first")
	}
	first.Commit()
	if err := leaving.NewDAOStore(pool).EndTold(within, news, time.Now()); err != nil {
		t.Error(err)
	}
	if n := testkit.Count(t, pool, `SELECT count(*) FROM handoffs WHERE ended_as = 'target_ended' AND entry_product = 'open'`); n != 1 {
		t.Errorf("%d have ended", n)
	}
}
