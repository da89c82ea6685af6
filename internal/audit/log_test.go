package audit_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I4: refusals that come at the same time are committed together, each with its own row.
// One that cannot be written is an outage for who was refused, and for nobody else.
func TestI4_aLogsRowsShareACommitAndAreWrittenEach(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	testkit.Exec(t, db, `ALTER TABLE audit_log ADD CONSTRAINT no CHECK (target_domain <> 'nowhere')`)
	log := audit.NewLog(db)
	log.OneAtATime()
	var gone sync.WaitGroup
	refuse := func(n int, target string) {
		gone.Go(func() {
			err := log.Append(context.Background(), audit.Record{
				At: noon, Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: audit.TokenUnknown, Target: target,
				Origin: audit.Origin{RequestID: fmt.Sprint("r-", n)},
			})
			var down *outage.Error
			if refused := errors.As(err, &down); refused != (target == "nowhere") || !refused && err != nil {
				t.Errorf("%s: %v", target, err)
			}
		})
	}
	until := func(what string, so func() bool) {
		for end := time.Now().Add(20 * time.Second); !so(); {
			if time.Now().After(end) {
				t.Fatal(what)
			}
		}
	}
	held := testkit.Hold(t, db, `LOCK TABLE audit_log IN SHARE MODE`)
	refuse(0, "a")
	testkit.UntilWaiting(t, db, 1)
	want := []string{"12:00:00 handoff.refused failure token_unknown - - - a - - r-0"}
	for n := 1; n <= 20; n++ {
		refuse(n, "b")
		want = append(want, fmt.Sprintf("12:00:00 handoff.refused failure token_unknown - - - b - - r-%d", n))
	}
	until("they do not queue", func() bool { return log.Waiting() == 20 })
	held.Release()
	gone.Wait()
	got := rows(t, db)
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("rows\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := testkit.Count(t, db, `SELECT count(DISTINCT xmin::text) FROM audit_log`); n != 2 {
		t.Errorf("%d transactions for 21 rows, not two", n)
	}

	held = testkit.Hold(t, db, `LOCK TABLE audit_log IN SHARE MODE`)
	for n := range 20 {
		refuse(n, []string{"b", "nowhere"}[n/19])
	}
	until("they do not queue", func() bool { return log.Waiting() == 19 })
	held.Release()
	gone.Wait()
	if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log`); n != 21+19 {
		t.Errorf("%d rows, want 40", n)
	}
}

// BenchmarkRefusals is what a refusal's row costs where 64 come at once, with a commit of its
// own and with shared ones.
func BenchmarkRefusals(b *testing.B) {
	db := testkit.Database(b, datastore.FOS)
	log := audit.NewLog(db)
	refusal := audit.Record{At: noon, Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: audit.TokenUnknown}
	for name, record := range map[string]func() error{
		"alone":  func() error { return audit.Append(b.Context(), db, refusal) },
		"shared": func() error { return log.Append(b.Context(), refusal) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(64 / runtime.GOMAXPROCS(0))
			b.ReportAllocs()
			b.RunParallel(func(asked *testing.PB) {
				for asked.Next() {
					if err := record(); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
