//go:build faults

package crash_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

func TestMain(m *testing.M) { faulttest.Main(m) }

// site is one service and the lines to its stores, which can be broken.
type site struct {
	stores          *faulttest.Stores
	dao, fos, redis *faulttest.Line // to the DAO database, the FOS database, Redis
	environ         map[string]string
	client          *faulttest.Client
	history         *faulttest.History
	people          []faulttest.Person
	told            *faulttest.Told
	noExchange      bool // all callers arrive
}

func newSite(t *testing.T, stores *faulttest.Stores) *site {
	t.Helper()
	s := &site{stores: stores, environ: stores.Environ(), client: faulttest.NewClient(64), told: faulttest.NewTold()}
	t.Cleanup(s.client.Close)
	s.history = faulttest.NewHistory(s.client)
	var through [3]string
	s.dao, through[0] = faulttest.LineTo(t, stores.DAODatabaseURL)
	s.fos, through[1] = faulttest.LineTo(t, stores.FOSDatabaseURL)
	s.redis, through[2] = faulttest.LineTo(t, stores.RedisURL)
	maps.Copy(s.environ, map[string]string{
		"DAO_DATABASE_URL": through[0], "DATABASE_URL": through[1], "REDIS_URL": through[2],
	})
	s.people = faulttest.People(t, stores.DAO, 16)
	return s
}

// person is one of them; budgets and sessions are spread.
func (s *site) person(n int) faulttest.Person { return s.people[n%len(s.people)] }

// newKey is an Idempotency-Key.
func newKey() string { return uuid.NewString() }

// until waits for a condition, which must hold in time, and returns how long that took.
func until(t *testing.T, most time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	begun, tick := time.Now(), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		holds, took := is(), time.Since(begun)
		if took > most {
			t.Errorf("after %v: not %s in %v", took.Round(time.Millisecond), what, most.Round(time.Millisecond))
		}
		if holds || took > most {
			return took
		}
		<-tick.C
	}
}

// await is a moment that must come soon, or not at all.
func await(come <-chan struct{}, most time.Duration) bool {
	end, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	select {
	case <-come:
		return true
	default:
	}
	select {
	case <-come:
		return true
	case <-end.Done():
		return false
	}
}

// asMS prints a time for people.
func asMS(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }
