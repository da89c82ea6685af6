//go:build faults

package failover_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
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
	s.MayHear(replays...)
	s.stores.RedisURL = redisURL
	s.people = faulttest.People(t, s.stores.DAO, people)
	for i := range s.replicas {
		s.replicas[i] = faulttest.Serve(t, s.stores.Environ(), nil)
	}
	return s
}

// replays are what who presents a used token is told. losses are what people hear
// besides where Redis forgets: a token that it acknowledged in its last moment is gone,
// and they click again.
var (
	replays = []string{"arrive handoff_invalid used", "exchange token_used"}
	losses  = []string{"arrive handoff_invalid invalid", "exchange token_unknown"}
)

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

// burst is how many hand-offs must go through each replica at once before it counts as
// recovered. One alone may find the one connection that is good already.
const burst = 8

// The promises of the service in time, and the one thing that is allowed beside them:
// this machine has two cores for all of it.
const (
	recovery      = 5 * time.Second // after Redis is back, hand-offs go on and all halves are ready
	busyMachine   = 2 * time.Second // on top of that
	answerTime    = 3 * time.Second // within which every call has an answer (I13)
	busyForAnswer = 500 * time.Millisecond
)

// recovered waits until such a burst goes through both replicas, and then until all
// halves are ready, and says how long the hand-offs took. Both must be in time.
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
	if ready := time.Since(since); took > recovery+busyMachine || ready > recovery+busyMachine {
		t.Errorf("after redis was back, hand-offs needed %v, and the halves %v to be ready", took, ready)
	}
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

// audit asks what is asked after every story. What was told decides about a double
// redemption; no constraint of a database can hide one from that (I1).
func (s *service) audit(t *testing.T) {
	t.Helper()
	s.Check(t)
	redeemed := s.Told().Redemptions()
	for _, double := range redeemed.Doubles[:min(20, len(redeemed.Doubles))] {
		t.Error(double)
	}
	faulttest.Balance(t, s.stores, s.Told()) // every 2xx has its one row (I4)
	faulttest.Report(t, "%v", redeemed)
	if slowest := s.Summary().Slowest; slowest > answerTime+busyForAnswer {
		t.Errorf("I13: somebody waited for %v", slowest)
	}
}
