//go:build faults

package failover_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// service is two replicas on one Redis of some kind, and all that was asked of them.
type service struct {
	*faulttest.History
	stores   *faulttest.Stores
	replicas [2]*faulttest.Server
	people   []faulttest.Person
	turn     atomic.Int64
	http     *http.Client
}

// people is how many hand off. Each has few sessions then, so that none is displaced.
const people = 300

func serve(t *testing.T, redisURL string) *service {
	t.Helper()
	client := faulttest.NewClient(32)
	t.Cleanup(client.Close)
	s := &service{History: faulttest.NewHistory(client), stores: faulttest.NewStores(t), http: &http.Client{Timeout: faulttest.Patience}}
	t.Cleanup(s.http.CloseIdleConnections)
	s.stores.RedisURL = redisURL
	s.people = faulttest.People(t, s.stores.DAO, people)
	for i := range s.replicas {
		s.replicas[i] = faulttest.Serve(t, s.stores.Environ(), nil)
	}
	return s
}

// next takes turns among people, and names a key that nobody has used.
func (s *service) next() (faulttest.Person, string) {
	n := s.turn.Add(1)
	return s.people[n%people], fmt.Sprintf("key-of-arrival-%06d", n)
}

// journey is one hand-off across the replicas: minted at one, redeemed at the other.
// It reports whether it went well.
func (s *service) journey(ctx context.Context, at int) bool {
	who, key := s.next()
	minted := s.Mint(ctx, s.replicas[at%2].DAOURL, who)
	return minted.OK() && s.Arrive(ctx, s.replicas[(at+1)%2].FOSURL, minted.Token, key).OK()
}

// load runs hand-offs until it is stopped, each with its repeat and its replay. It is
// modest, since what it is for is to have something in flight at every moment.
func (s *service) load(t *testing.T, workers int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			tick := time.NewTicker(40 * time.Millisecond)
			defer tick.Stop()
			for i := w; ; i++ {
				s.whole(ctx, i)
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// whole is a hand-off that is repeated with the same key at the other replica and
// replayed with another one at the same time. It goes on to its end when the load is
// stopped, or its last calls would be of unknown outcome.
func (s *service) whole(ctx context.Context, at int) {
	ctx = context.WithoutCancel(ctx)
	who, key := s.next()
	minted := s.Mint(ctx, s.replicas[at%2].DAOURL, who)
	if !minted.OK() {
		return
	}
	if first := s.Arrive(ctx, s.replicas[at%2].FOSURL, minted.Token, key); first.Refused() {
		return // Redis lost it, and it may come back, but nobody will come with it
	}
	var both sync.WaitGroup
	both.Go(func() { s.Arrive(ctx, s.replicas[(at+1)%2].FOSURL, minted.Token, key) })
	both.Go(func() { s.Exchange(ctx, s.replicas[(at+1)%2].DAOURL, minted.Token, "") })
	both.Wait()
}

// readiness is what a half says at /health: its status and its body.
func (s *service) readiness(ctx context.Context, url string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// isReady reports whether all halves are ready.
func (s *service) isReady(ctx context.Context) bool {
	return s.all(ctx, func(status int, _ string) bool { return status == http.StatusOK })
}

// saysRedisIsDown reports whether all halves are unready, and say why.
func (s *service) saysRedisIsDown(ctx context.Context) bool {
	return s.all(ctx, func(status int, body string) bool {
		return status == http.StatusServiceUnavailable && strings.Contains(body, `"redis":"down"`)
	})
}

func (s *service) all(ctx context.Context, is func(status int, body string) bool) bool {
	var asking sync.WaitGroup
	var no atomic.Bool
	for _, replica := range s.replicas {
		for _, url := range []string{replica.DAOURL, replica.FOSURL} {
			asking.Go(func() {
				if !is(s.readiness(ctx, url)) {
					no.Store(true)
				}
			})
		}
	}
	asking.Wait()
	return !no.Load()
}

func (s *service) awaitReady(t *testing.T) {
	t.Helper()
	faulttest.Await(t, func() bool { return s.isReady(t.Context()) }, func() string { return "not ready" })
}

// burst is how many hand-offs must go through each replica at once before it counts as
// recovered. One alone may find the one connection that is good already.
const burst = 8

// recovered waits until such a burst goes through both replicas, and says how long
// that took.
func (s *service) recovered(t *testing.T, since time.Time) time.Duration {
	t.Helper()
	faulttest.Await(t, func() bool {
		var going sync.WaitGroup
		var failed atomic.Int64
		for i := range burst * len(s.replicas) {
			going.Go(func() {
				if !s.journey(t.Context(), i) {
					failed.Add(1)
				}
			})
		}
		going.Wait()
		return failed.Load() == 0
	}, func() string { return "no hand-offs go through:\n" + s.replicas[0].Log() })
	took := time.Since(since)
	s.awaitReady(t)
	return took
}

// told repeats a call until its outcome is known, for at most 5 s, as a person would.
func told(call func() faulttest.Answer) faulttest.Answer {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); ; <-tick.C {
		if a := call(); !a.Unknown() || time.Now().After(deadline) {
			return a
		}
	}
}

// audit compares what callers were told with what the databases hold.
func (s *service) audit(t *testing.T) {
	t.Helper()
	s.Check(t)
	for what, sql := range map[string]string{
		"sessions without their row": `SELECT count(*) FROM sessions s WHERE (SELECT count(*) FROM audit_log a
			WHERE a.event = 'session.created' AND a.handoff_id = s.handoff_id) <> 1`,
		"rows without their session": `SELECT count(*) FROM audit_log a WHERE a.event = 'session.created'
			AND NOT EXISTS (SELECT FROM sessions s WHERE s.handoff_id = a.handoff_id)`,
		"hand-offs with two sessions": `SELECT count(*) FROM (SELECT handoff_id FROM sessions GROUP BY handoff_id HAVING count(*) > 1) twice`,
	} {
		if n := testkit.Count(t, s.stores.FOS, sql); n != 0 {
			t.Errorf("I4: %d %s", n, what)
		}
	}
	if n := testkit.Count(t, s.stores.DAO, `SELECT count(*) FROM handoffs h WHERE COALESCE(h.redeemed_as = 'exchanged', false)::int <>
		(SELECT count(*) FROM audit_log a WHERE a.event = 'handoff.exchanged' AND a.handoff_id = h.handoff_id)`); n != 0 {
		t.Errorf("I4: %d hand-offs whose rows do not say what the ledger says", n)
	}
	if slowest := s.Summary().Slowest; slowest >= faulttest.Patience {
		t.Errorf("I13: somebody waited for %v", slowest)
	}
}
