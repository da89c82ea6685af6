//go:build faults

package crowd_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// The two requests of a hand-off.
const (
	mint   = "mint"
	arrive = "arrive"
)

// tally is what a crowd was answered, and what it cost to ask. It is safe for
// concurrent use.
type tally struct {
	mu      sync.Mutex
	begun   time.Time
	stopped time.Time // when nobody set out any more
	ended   time.Time
	cost    time.Duration // processor time of this process, until end: when it began

	good     map[string]times // answered 200, by request
	shed     times            // told to come back, from when they were due
	sent     times            // the same, from when they set out: the crowd may have been late
	late     times            // how long after they were due people of an open loop set out
	faults   map[string]int   // anything else, by what it was
	unasked  int              // the crowd had no line free
	finished []time.Time      // hand-offs
}

func newTally() *tally {
	now := time.Now()
	return &tally{begun: now, stopped: now, cost: processorTime(), good: map[string]times{}, faults: map[string]int{}}
}

// note writes an answer down and reports whether it was 200.
func (c *tally) note(request string, a answer, err error, took time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, errNoLine):
		c.unasked++
	case err != nil:
		c.faults[request+": "+err.Error()]++
	case a.status == 200:
		c.good[request] = append(c.good[request], took)
		return true
	case a.shed():
		c.shed = append(c.shed, took)
	default:
		c.faults[request+": "+a.String()]++
	}
	return false
}

// served notes how long somebody who was told to come back waited once they had set out.
func (c *tally) served(a answer, err error, took time.Duration) {
	if err == nil && a.shed() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sent = append(c.sent, took)
	}
}

func (c *tally) finish(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finished = append(c.finished, at)
}

// offered says that nobody sets out from now on.
func (c *tally) offered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = time.Now()
}

func (c *tally) end() *tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.cost = time.Now(), processorTime()-c.cost
	if c.stopped.Equal(c.begun) {
		c.stopped = c.ended
	}
	return c
}

// done is how many hand-offs went well.
func (c *tally) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.finished)
}

// count is how many such requests were answered 200.
func (c *tally) count(request string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.good[request])
}

// answered is how many requests were answered, in whatever way.
func (c *tally) answered() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.good[mint]) + len(c.good[arrive]) + len(c.shed)
	for _, times := range c.faults {
		n += times
	}
	return n
}

// await waits until n more requests have been answered.
func (c *tally) await(t testing.TB, n int) {
	t.Helper()
	goal := c.answered() + n
	until(t, time.Minute, fmt.Sprintf("%d answers", goal), func() bool { return c.answered() >= goal })
}

// until waits for what must come to be within the time, and asks often.
func until(t testing.TB, within time.Duration, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(within); !is(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// warmUp is left out of a rate.
const warmUp = time.Second

// goodput is hand-offs a second, between the end of the warm-up and the moment from
// which nobody set out any more: what was finished afterwards does not count.
func (c *tally) goodput() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, n := c.begun.Add(warmUp), 0
	for _, at := range c.finished {
		if at.After(from) && at.Before(c.stopped) {
			n++
		}
	}
	return float64(n) / c.stopped.Sub(from).Seconds()
}

// share is how much of one processor the crowd itself used.
func (c *tally) share() float64 { return c.cost.Seconds() / c.ended.Sub(c.begun).Seconds() }

// each is what the crowd itself computed for one request.
func (c *tally) each() time.Duration { return c.cost / time.Duration(max(c.answered(), 1)) }

func (c *tally) String() string {
	text := fmt.Sprintf("%d hand-offs; mint %v; arrive %v; shed %v", c.done(), c.good[mint], c.good[arrive], c.shed)
	if c.unasked > 0 {
		text += fmt.Sprintf("; %d not asked for want of a line", c.unasked)
	}
	if len(c.late) > 0 {
		text += fmt.Sprintf("; the crowd itself was late by %v", c.late)
	}
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(c.faults)) {
		faults = append(faults, fmt.Sprintf("%d %s", c.faults[name], name))
	}
	return strings.Join(append([]string{text}, faults...), "; ")
}

// times are how long answers took.
type times []time.Duration

// at is the quantile q, 0 of nothing.
func (ts times) at(q float64) time.Duration {
	if len(ts) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(ts))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

// beyond is how many took longer.
func (ts times) beyond(limit time.Duration) (n int) {
	for _, took := range ts {
		if took > limit {
			n++
		}
	}
	return n
}

func (ts times) String() string {
	if len(ts) == 0 {
		return "none"
	}
	ms := func(q float64) float64 { return float64(ts.at(q).Microseconds()) / 1000 }
	return fmt.Sprintf("%d (p50 %.1f, p99 %.1f, max %.1f ms)", len(ts), ms(0.5), ms(0.99), ms(1))
}

// book is a number that a database must hold.
type book struct {
	in    *pgxpool.Pool
	query string
	want  int
}

// processorTime is what this process has computed so far.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0 // it does not fail for one's own
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
