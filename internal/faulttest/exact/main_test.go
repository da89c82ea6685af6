//go:build faults

package exact_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

func TestMain(m *testing.M) { faulttest.Main(m) }

// pair is two replicas on the same stores.
type pair struct {
	*faulttest.Stores
	replicas [2]*faulttest.Server
	client   *faulttest.Client
	told     *faulttest.Told
	tally    tally
}

// callers is how many call at once.
const callers = 32

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{Stores: faulttest.NewStores(t), client: faulttest.NewClient(callers), told: faulttest.NewTold()}
	t.Cleanup(p.client.Close)
	for i := range p.replicas {
		p.replicas[i] = faulttest.Serve(t, p.Environ(), nil)
	}
	return p
}

// dao and fos are the halves of one replica and then of the other.
func (p *pair) dao(i int) string { return p.replicas[i%2].DAOURL }
func (p *pair) fos(i int) string { return p.replicas[i%2].FOSURL }

// atOnce calls do with 0 to n-1, many at a time and in that order.
func atOnce(n int, do func(i int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	all.Wait()
}

// mint makes a token for each, by the replicas in turn. Who gets none asks again.
func (p *pair) mint(ctx context.Context, people []faulttest.Person) []faulttest.Answer {
	minted := make([]faulttest.Answer, len(people))
	atOnce(len(people), func(i int) {
		for try := range 3 {
			minted[i] = p.client.Mint(ctx, p.dao(i+try), people[i])
			p.told.Minted(minted[i])
			p.tally.add("mint", minted[i])
			if minted[i].OK() {
				return
			}
		}
	})
	return minted
}

// tally counts answers by what was asked and what was said.
type tally struct {
	mu      sync.Mutex
	counts  map[string]int
	slowest time.Duration
}

func (c *tally) add(what string, a faulttest.Answer) {
	outcome := fmt.Sprint(what, " ", a.Status, " ", a.Code, a.Reason)
	if a.Err != nil {
		outcome = what + " unanswered"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[strings.TrimSpace(outcome)]++
	c.slowest = max(c.slowest, a.Took)
}

// of is how many answers begin with that.
func (c *tally) of(begin string) int {
	n := 0
	for outcome, count := range c.counts {
		if strings.HasPrefix(outcome, begin) {
			n += count
		}
	}
	return n
}

func (c *tally) String() string {
	var list []string
	for _, outcome := range slices.Sorted(maps.Keys(c.counts)) {
		list = append(list, fmt.Sprintf("%s: %d", outcome, c.counts[outcome]))
	}
	return strings.Join(list, ", ")
}
