// Package health says whether this process can do its work: named checks of what
// it depends on, asked at once and each within a second, and whether it is
// leaving.
//
// Liveness is not asked here: a process that answers at all is alive, and one
// that is restarted because its database is slow makes the outage worse.
package health

import (
	"context"
	"maps"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// Timeout bounds each check.
const Timeout = time.Second

// Check asks one dependency; nil is well.
type Check func(ctx context.Context) error

// Result is one dependency's answer.
type Result struct {
	Name    string
	Err     error
	Latency time.Duration
}

// Checks are the named checks of one half. It is safe for concurrent use.
type Checks struct {
	byName   map[string]Check
	draining atomic.Bool
	asking   singleflight.Group

	mu      sync.Mutex
	down    map[string]bool
	changed func(Result)
}

// New takes the checks.
func New(byName map[string]Check) *Checks {
	return &Checks{byName: byName, down: map[string]bool{}, changed: func(Result) {}}
}

// OnChange is called with the first result that says that a dependency is down, and
// with the first that says that it is back: once, however many ask. Set it before
// anybody does.
func (c *Checks) OnChange(changed func(Result)) { c.changed = changed }

func (c *Checks) notice(r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if down := r.Err != nil; down != c.down[r.Name] {
		c.down[r.Name] = down
		c.changed(r)
	}
}

// Drain makes the process unready for good, so that a load balancer turns away
// before the listeners close.
func (c *Checks) Drain() { c.draining.Store(true) }

// Draining reports whether Drain was called.
func (c *Checks) Draining() bool { return c.draining.Load() }

// Ask runs all checks at once and returns their results, by name. A check that
// ignores its context is not waited for. Who asks while somebody else does gets the
// same results: anybody may ask as often as they like, and each time it would cost a
// connection to Postgres that others wait for (I13).
func (c *Checks) Ask(ctx context.Context) []Result {
	asked := c.asking.DoChan("", func() (any, error) {
		return c.ask(context.WithoutCancel(ctx)), nil // the others want to know too
	})
	select {
	case answer := <-asked:
		results, _ := answer.Val.([]Result)
		return results
	case <-ctx.Done():
		return c.unknown(ctx.Err())
	}
}

// unknown is what somebody hears who did not wait.
func (c *Checks) unknown(why error) []Result {
	results := make([]Result, 0, len(c.byName))
	for _, name := range slices.Sorted(maps.Keys(c.byName)) {
		results = append(results, Result{Name: name, Err: why})
	}
	return results
}

func (c *Checks) ask(ctx context.Context) []Result {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	var mu sync.Mutex
	var wg sync.WaitGroup
	results := make([]Result, 0, len(c.byName))
	for name, check := range c.byName {
		wg.Go(func() {
			begun := time.Now()
			answer := make(chan error, 1)
			go func() { answer <- check(ctx) }()
			var err error
			select {
			case err = <-answer:
			case <-ctx.Done():
				err = ctx.Err()
			}
			mu.Lock()
			defer mu.Unlock()
			results = append(results, Result{Name: name, Err: err, Latency: time.Since(begun)})
		})
	}
	wg.Wait()
	for _, r := range results {
		c.notice(r)
	}
	sort.Slice(results, func(i, j int) bool { return results[i].Name < results[j].Name })
	return results
}
