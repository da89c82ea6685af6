//go:build faults

package crash_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"sync"
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
	noExchange      bool // all callers arrive

	mu   sync.Mutex
	told map[uuid.UUID]uuid.UUID // sessions by hand-off, as callers heard
}

func newSite(t *testing.T, stores *faulttest.Stores) *site {
	t.Helper()
	s := &site{stores: stores, environ: stores.Environ(), client: faulttest.NewClient(64), told: map[uuid.UUID]uuid.UUID{}}
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

// arrive notes what session the caller was told of.
func (s *site) arrive(ctx context.Context, fosURL, token, key string) faulttest.Answer {
	a := s.history.Arrive(ctx, fosURL, token, key)
	if a.OK() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told[a.HandoffID] = a.Session
	}
	return a
}

// newKey is an Idempotency-Key.
func newKey() string { return uuid.NewString() }

// until waits for a condition, and returns how long that took.
func until(t *testing.T, most time.Duration, what string, is func() bool) time.Duration {
	t.Helper()
	begun, tick := time.Now(), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for ; !is(); <-tick.C {
		if time.Since(begun) > most {
			t.Errorf("after %v: not %s", most, what)
			break
		}
	}
	return time.Since(begun)
}

// health is what one half says of itself: the status, 0 for no answer, and the body.
func health(t *testing.T, url string) (status int, said string, took time.Duration) {
	t.Helper()
	begun := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), faulttest.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error(), time.Since(begun)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error(), time.Since(begun)
	}
	return response.StatusCode, string(text), time.Since(begun)
}

func isReady(t *testing.T, server *faulttest.Server) bool {
	t.Helper()
	for _, url := range []string{server.DAOURL, server.FOSURL} {
		if url == "" {
			continue
		}
		if status, _, _ := health(t, url+"/health"); status != http.StatusOK {
			return false
		}
	}
	return true
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
