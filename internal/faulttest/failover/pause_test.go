//go:build faults

package failover_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// deaf are further replicas of the service that never hear of a failover: each speaks to
// one node of the set, whatever that node is.
type deaf map[*faulttest.Redis]*faulttest.Server

func (s *service) deaf(t *testing.T, set *faulttest.RedisSet) deaf {
	t.Helper()
	all := deaf{}
	for _, node := range set.Nodes {
		all[node] = faulttest.Serve(t, s.stores.Environ(), map[string]string{"REDIS_URL": node.URL()})
	}
	return all
}

// The primary is stopped, its replica promoted, tokens are used there; then the old
// one wakes and believes that it is the primary, and that nobody has used anything. A
// replica of the service that has not heard of the failover believes the same.
func TestFaults_I1_ThePrimaryIsPausedAndWakes(t *testing.T) {
	t.Parallel()
	set := faulttest.NewRedisSet(t, 1)
	d := newDrill(t, set.URL())
	deaf := d.deaf(t, set)
	stop := d.load(t, 2)
	var asPrimary, demoted shown
	for range cycles() {
		set.AwaitReplication(t)
		primary := set.Primary(t)
		replica := set.Other(primary)
		d.exposed, d.kept = d.tickets(t, exposedEach, replica), d.tickets(t, keptEach, replica)

		primary.Pause(t)
		outage := d.watchOutage(t)
		set.AwaitPrimary(t, replica)
		d.overWith(t, outage, time.Now())
		d.useAll(t, d.exposed)
		d.awaitLongAgo(t)

		primary.Wake(t)
		d.lookForAll(t, primary)
		asPrimary.add(d.presentTo(t, primary, deaf[primary]))
		if !primary.IsPrimary(t) {
			t.Error("the old primary was demoted before all tokens were presented there: this shows less than it says")
		}
		faulttest.Await(t, func() bool { return !primary.IsPrimary(t) }, func() string { return "the old primary is not demoted" })
		demoted.add(d.presentTo(t, primary, deaf[primary]))
		d.presentAll(t)
		d.late = nil // presented above
	}
	set.AwaitReplication(t)
	d.finish(t, set.Primary(t), stop)
	faulttest.Report(t, "shown to a replica that had not heard of the failover: %v when the old primary woke; %v when it was demoted", asPrimary, demoted)
	if asPrimary.back != d.used {
		t.Errorf("%d of %d tokens were exposed", asPrimary.back, d.used)
	}
}

// awaitLongAgo waits until every used token of the cycle that is back can only have
// come back.
func (d *drill) awaitLongAgo(t *testing.T) {
	t.Helper()
	faulttest.Await(t, func() bool {
		for _, tick := range d.exposed {
			if time.Since(tick.redeemed) < longAgo {
				return false
			}
		}
		return true
	}, func() string { return "no time passes" })
}

// shown counts used tokens that were shown again: those that Redis gave back then, and
// who was refused as used.
type shown struct{ tokens, back, refused int }

func (s *shown) add(more shown) {
	s.tokens, s.back, s.refused = s.tokens+more.tokens, s.back+more.back, s.refused+more.refused
}

func (s shown) String() string {
	return fmt.Sprintf("%d of %d refused as used, %d of them given back by redis", s.refused, s.tokens, s.back)
}

// presentTo presents the used tokens of the cycle to one server, under another key, each
// time a new one. Every one must be refused as used (I1); what its Redis gives back,
// before and after, the audit log must call resurrected, which finish looks at.
func (d *drill) presentTo(t *testing.T, redis *faulttest.Redis, server *faulttest.Server) shown {
	t.Helper()
	before := d.back(t, redis)
	all := shown{tokens: len(d.exposed)}
	answers := make([]faulttest.Answer, len(d.exposed))
	var presenting sync.WaitGroup
	for i, tick := range d.exposed {
		_, key := d.next()
		presenting.Go(func() {
			answers[i] = told(func() faulttest.Answer { return d.redeemBy(t.Context(), server, tick, key) })
		})
	}
	presenting.Wait()
	after := d.back(t, redis)
	for i, a := range answers {
		if faulttest.OutcomeOf(a) == faulttest.Used {
			all.refused++
		} else {
			t.Errorf("I1: a used token is shown to a replica that has not heard of the failover: %v\n%s", a, server.Log())
		}
		if before[i] && after[i] {
			all.back++
			d.resurrected = append(d.resurrected, d.exposed[i].handoff)
		}
	}
	return all
}

// back says which of the cycle's used tokens redis gives back.
func (d *drill) back(t *testing.T, redis *faulttest.Redis) []bool {
	t.Helper()
	are := make([]bool, 0, len(d.exposed))
	for _, tick := range d.exposed {
		are = append(are, isBack(t, redis, tick))
	}
	return are
}
