package rollout_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
)

// tally counts what was done and what went wrong, each by its name. It is safe for
// concurrent use.
type tally struct {
	mu sync.Mutex
	score
}

// score is what a tally has counted since it was last taken.
type score struct{ done, failed, signedOut counts }

type counts map[string]int

func newTally() *tally { return &tally{score: newScore()} }

func newScore() score { return score{counts{}, counts{}, counts{}} }

func (c counts) sum() int {
	sum := 0
	for _, n := range c {
		sum += n
	}
	return sum
}

func (c counts) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("%d %s", c[name], name))
	}
	return strings.Join(parts, ", ")
}

func (t *tally) count(in func(*score) counts, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	in(&t.score)[name]++
}

func done(s *score) counts      { return s.done }
func failed(s *score) counts    { return s.failed }
func signedOut(s *score) counts { return s.signedOut }

// take returns what was counted, and begins anew.
func (t *tally) take() score {
	t.mu.Lock()
	defer t.mu.Unlock()
	taken := t.score
	t.score = newScore()
	return taken
}

// troubles is how often something went wrong.
func (s score) troubles() int { return s.failed.sum() + s.signedOut.sum() }

func (t *tally) inTrouble() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.troubles() > 0
}

// load is people who use the service, all at once and in rounds, until they are told
// to stop. Between two rounds half a minute passes, so that no round finds the
// sessions as fresh as the one before left them.
type load struct {
	*tally
	people []*person
	stop   context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	turned *sync.Cond // a round was finished
	rounds int
}

const pace = member.PreviousTTL // of the test's clock

// begin lets people begin. They stop with the test at the latest.
func (f *fleet) begin(t testing.TB, counted *tally, people []*person) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{tally: counted, people: people, stop: cancel}
	l.turned = sync.NewCond(&l.mu)
	l.ended.Go(func() {
		for ctx.Err() == nil {
			l.round()
			f.Clock.Advance(pace)
		}
	})
	t.Cleanup(l.end)
	return l
}

func (l *load) round() {
	var all sync.WaitGroup
	for _, who := range l.people {
		all.Go(func() { who.round(l.tally) })
	}
	all.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rounds++
	l.turned.Broadcast()
}

// end lets everybody finish their round.
func (l *load) end() {
	l.stop()
	l.ended.Wait()
}

// patience is for a machine that is very busy; nothing is measured by it.
const patience = time.Minute

// await waits until n rounds have begun and ended, or enough says that it is enough.
func (l *load) await(t testing.TB, n int, enough func() bool) {
	t.Helper()
	late := time.AfterFunc(patience, l.turned.Broadcast)
	defer late.Stop()
	begun := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	goal := l.rounds + 1 + n // the one under way began earlier
	for l.rounds < goal && !enough() {
		if time.Since(begun) >= patience {
			t.Fatalf("people did not get through %d rounds in %v", n, patience)
		}
		l.turned.Wait()
	}
}

// turns waits until n rounds have begun and ended.
func (l *load) turns(t testing.TB, n int) {
	t.Helper()
	l.await(t, n, func() bool { return false })
}
