//go:build faults

package crowd_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// road is the way from one half to the other, for the people who travel it.
type road struct {
	dao, fos *lines
	people   []*traveller
	next     atomic.Int64
}

// newRoad opens at most lines connections to each half.
func newRoad(t testing.TB, daoURL, fosURL string, people []*traveller, most int) *road {
	t.Helper()
	r := &road{dao: &lines{url: daoURL, most: most}, fos: &lines{url: fosURL, most: most}, people: people}
	t.Cleanup(func() { r.dao.close(); r.fos.close() })
	return r
}

// person is the next of them.
func (r *road) person() *traveller {
	return r.people[int(r.next.Add(1))%len(r.people)]
}

// repeats is how often a page presents one token again before it gives up.
const repeats = 5

// handoff is an errand: one journey.
func (r *road) handoff(ctx context.Context, due time.Time, to *tally) {
	who, set := r.person(), time.Now()
	minted, err := r.dao.ask(ctx, who.minting)
	to.served(minted, err, time.Since(set))
	if !to.note(mint, minted, err, time.Since(due)) || minted.token == "" {
		return
	}
	request := who.arrival(minted.token)
	for range repeats {
		asked := time.Now()
		arrived, err := r.fos.ask(ctx, request)
		to.served(arrived, err, time.Since(asked))
		if to.note(arrive, arrived, err, time.Since(asked)) {
			to.finish(time.Now())
			return
		}
		if err != nil && !errors.Is(err, errNoLine) || err == nil && !arrived.shed() {
			return
		}
		if !again(ctx, arrived) {
			return
		}
	}
}

// again waits for as long as the answer says, a second if there was none.
func again(ctx context.Context, told answer) bool {
	seconds, err := strconv.Atoi(told.retryAfter)
	if err != nil {
		seconds = 1
	}
	select {
	case <-time.After(time.Duration(seconds) * time.Second):
		return true
	case <-ctx.Done():
		return false
	}
}

// errand is what one of a crowd does. due is when they wanted to begin.
type errand func(ctx context.Context, due time.Time, to *tally)

// closed lets so many people run the errand again and again until enough says so.
func closed(ctx context.Context, people int, run errand, enough func() bool) *tally {
	return closedInto(ctx, newTally(), people, run, enough)
}

// closedInto is closed for those who look at the tally meanwhile.
func closedInto(ctx context.Context, to *tally, people int, run errand, enough func() bool) *tally {
	var all sync.WaitGroup
	for range people {
		all.Go(func() {
			for ctx.Err() == nil && !enough() {
				run(ctx, time.Now(), to)
			}
		})
	}
	all.Wait()
	return to.end()
}

// during is an enough for closed.
func during(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

// ended is an enough for closed.
func ended(over <-chan struct{}) func() bool {
	return func() bool {
		select {
		case <-over:
			return true
		default:
			return false
		}
	}
}

// open lets rate people a second set out for so long, whatever becomes of those
// before them, and returns when all have been answered or have given up.
func open(ctx context.Context, rate float64, long time.Duration, run errand) *tally {
	to := newTally()
	var all sync.WaitGroup
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent, begun := 0, time.Now(); time.Since(begun) < long; <-tick.C {
		for ; float64(sent) < rate*time.Since(begun).Seconds(); sent++ {
			due := begun.Add(time.Duration(float64(sent) / rate * float64(time.Second)))
			to.late = append(to.late, time.Since(due)) // nobody else does
			all.Go(func() { run(ctx, due, to) })
		}
	}
	to.offered()
	all.Wait()
	return to.end()
}

// wantHandoff demands that one hand-off succeeds, without a repeat.
func (r *road) wantHandoff(t testing.TB) time.Duration {
	t.Helper()
	to, begun := newTally(), time.Now()
	r.handoff(t.Context(), begun, to)
	if to.done() != 1 || to.count(arrive) != 1 {
		t.Errorf("a hand-off failed: %v", to.end())
	}
	return time.Since(begun)
}

// wantBooks demands that the databases hold what a crowd was told, when everybody
// was answered: a row for every success, and no success without one (I4), a session
// for every arrival (I1).
func wantBooks(t testing.TB, books []book) {
	t.Helper()
	for _, b := range books {
		if got := testkit.Count(t, b.in, b.query); got != b.want {
			t.Errorf("%d from %q, want %d", got, b.query, b.want)
		}
	}
}
