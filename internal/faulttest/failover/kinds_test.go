//go:build faults

package failover_test

import (
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// How many tokens a cycle exposes, and how many nobody uses before the fault.
const (
	exposedEach = 8
	keptEach    = 4
)

func cycles() int { return faulttest.Scale(2, 50) }

// The link is lost first: what the primary does then, the replica never hears, and
// when it is promoted, tokens that were used come back.
func TestFaults_I1_TheReplicationLinkIsLostAndThenThePrimary(t *testing.T) {
	t.Parallel()
	set := faulttest.NewRedisSet(t, 1)
	d := newDrill(t, set.URL())
	stop := d.load(t, 2)
	for range cycles() {
		set.AwaitReplication(t)
		primary := set.Primary(t)
		replica := set.Other(primary)
		d.exposed, d.kept = d.tickets(t, exposedEach, replica), d.tickets(t, keptEach, replica)

		set.CutReplication(t)
		d.useAll(t, d.exposed)
		primary.Kill()
		outage := d.watchOutage(t)
		set.AwaitPrimary(t, replica)
		d.overWith(t, outage, time.Now())

		d.lookForAll(t, replica)
		d.useAll(t, d.kept)
		d.presentAll(t)
		d.presentLate(t, replica)
		set.MendReplication(t, replica)
		set.Rejoin(t, primary)
	}
	d.finish(t, set.Primary(t), stop)
}

// Redis has a snapshot on disk, against the protocol's advice, and is killed: it comes
// back as it was before the tokens were used.
func TestFaults_I1_RedisComesBackFromAnOldSnapshot(t *testing.T) {
	t.Parallel()
	redis := faulttest.NewRedis(t)
	d := newDrill(t, redis.URL())
	stop := d.load(t, 2)
	for range cycles() {
		d.exposed, d.kept = d.tickets(t, exposedEach, redis), d.tickets(t, keptEach, redis)
		redis.Snapshot(t)
		d.useAll(t, d.exposed)

		redis.Kill()
		outage := d.watchOutage(t)
		faulttest.Await(t, func() bool { return d.allSayRedisIsDown(t.Context()) }, func() string { return "nobody says that redis is down" })
		outage.end()
		redis.Start(t)
		d.overWith(t, outage, time.Now())

		d.lookForAll(t, redis)
		d.useAll(t, d.kept)
		d.presentAll(t)
		d.presentLate(t, redis)
	}
	d.finish(t, redis, stop)
}

// A failover that an operator orders: nothing is broken, but for a moment two servers
// believe that they are the primary, and what is written to the old one is lost.
func TestFaults_I1_AFailoverIsOrderedUnderLoad(t *testing.T) {
	t.Parallel()
	set := faulttest.NewRedisSet(t, 1)
	d := newDrill(t, set.URL())
	stop := d.load(t, 2)
	for range cycles() {
		set.AwaitReplication(t)
		replica := set.Other(set.Primary(t))
		d.exposed, d.kept = d.tickets(t, 5*exposedEach, replica), d.tickets(t, keptEach, replica)

		failedOver := make(chan struct{})
		var using sync.WaitGroup
		using.Go(func() { d.stream(t, failedOver) })
		set.Failover(t)
		set.AwaitPrimary(t, replica)
		back := time.Now()
		close(failedOver)
		using.Wait()
		d.over(t, back)

		d.look(t, replica)
		d.useAll(t, d.kept)
		d.presentAll(t)
		d.presentLate(t, replica)
	}
	d.finish(t, set.Primary(t), stop)
}

// stream uses the exposed tokens one after the other, evenly, until Redis has failed
// over. Whether each use goes well is open.
func (d *drill) stream(t *testing.T, until <-chan struct{}) {
	var using sync.WaitGroup
	defer using.Wait()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for _, ticket := range d.exposed {
		using.Go(func() { d.use(t.Context(), ticket) })
		select {
		case <-tick.C:
		case <-until:
			return
		}
	}
}
