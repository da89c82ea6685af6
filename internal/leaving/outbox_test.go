package leaving_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// eachOutbox tells a story of the table that both halves have.
func eachOutbox(t *testing.T, story func(t *testing.T, b box)) {
	t.Helper()
	for half, outbox := range map[datastore.Half]func(*pgxpool.Pool) *leaving.Outbox{datastore.DAO: leaving.NewDAOOutbox, datastore.FOS: leaving.NewFOSOutbox} {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t, half)
			story(t, box{outbox(pool), t, func(sql string, args ...any) { testkit.Exec(t, pool, sql, args...) }})
		})
	}
}

type box struct {
	*leaving.Outbox
	t    *testing.T
	exec func(sql string, args ...any)
}

func (b box) lease() []uuid.UUID {
	b.t.Helper()
	ids, _, err := b.Lease(b.t.Context(), leaving.MostAtOnce)
	if err != nil {
		b.t.Fatal(err)
	}
	return ids
}

// Two couriers, twenty rounds each at the same time: no row is in two hands, and none is
// forgotten.
func TestOutbox_aRowIsInOneCouriersHands(t *testing.T) {
	t.Parallel()
	eachOutbox(t, func(t *testing.T, b box) {
		b.exec(`INSERT INTO handoff_endings (handoff_id) SELECT gen_random_uuid() FROM generate_series(1, 1234)`)
		var mu sync.Mutex
		seen := map[uuid.UUID]int{}
		var couriers sync.WaitGroup
		for range 4 {
			couriers.Go(func() {
				for range 10 {
					ids := b.lease()
					if len(ids) > leaving.MostAtOnce {
						t.Errorf("%d at once", len(ids))
					}
					mu.Lock()
					for _, id := range ids {
						seen[id]++
					}
					mu.Unlock()
				}
			})
		}
		couriers.Wait()
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%s was in %d hands", id, n)
			}
		}
		if len(seen) != 1234 {
			t.Errorf("%d of 1234 were taken", len(seen))
		}
	})
}

// Whoever dies with rows in their hands keeps them for three seconds. What was given back
// is there at once, behind what was never tried; what was told is gone.
func TestOutbox_rowsComeBackUntilTheyAreTold(t *testing.T) {
	t.Parallel()
	eachOutbox(t, func(t *testing.T, b box) {
		b.exec(`INSERT INTO handoff_endings (handoff_id, queued_at) SELECT gen_random_uuid(), clock_timestamp() - interval '1 minute' FROM generate_series(1, 100)`)
		first := b.lease()
		if len(first) != 100 || len(b.lease()) != 0 {
			t.Fatalf("%d were taken", len(first))
		}
		b.exec(`UPDATE handoff_endings SET next_try_at = next_try_at - interval '2.5 seconds'`)
		if got := b.lease(); len(got) != 0 {
			t.Errorf("%d were given to another before their time", len(got))
		}
		b.exec(`UPDATE handoff_endings SET next_try_at = next_try_at - interval '0.5 seconds'`)
		if got := b.lease(); len(got) != 100 {
			t.Errorf("after the lease: %d", len(got))
		}

		if err := b.Release(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		b.exec(`INSERT INTO handoff_endings (handoff_id) SELECT gen_random_uuid() FROM generate_series(1, 7)`)
		next := b.lease()
		fresh := slices.DeleteFunc(slices.Clone(next), func(id uuid.UUID) bool { return slices.Contains(first, id) })
		if len(next) != 100 || len(fresh) != 7 {
			t.Errorf("%d, of which %d were never tried", len(next), len(fresh))
		}

		if err := b.Told(t.Context(), next); err != nil {
			t.Fatal(err)
		}
		queue, err := b.Waiting(t.Context())
		if err != nil || queue.Length != 7 || queue.Oldest < time.Minute || queue.Oldest > 2*time.Minute {
			t.Errorf("%+v, %v", queue, err)
		}
		b.exec(`DELETE FROM handoff_endings`)
		b.exec(`INSERT INTO handoff_endings SELECT gen_random_uuid(), due, 0, due FROM (SELECT clock_timestamp() + interval '1 minute') later (due)`)
		if got := b.lease(); len(got) != 0 {
			t.Errorf("%d were given before they are due", len(got))
		}
		if queue, err := b.Waiting(t.Context()); err != nil || queue != (leaving.Queue{}) {
			t.Errorf("%+v, %v", queue, err)
		}
	})
}
