//go:build faults

package crash_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// asleep is for how long a replica is stopped: longer than any request may take.
const asleep = 4 * time.Second

// I1, I8: a replica is stopped (SIGSTOP: a machine that is moved, a container out of
// its share) when the statement with which it redeems has left it and has not come to
// Postgres. Meanwhile somebody else redeems the token through another replica, or nobody
// does. What then comes to Postgres, and whatever the replica does when it wakes, is too
// late: there is no second session, and a token that nobody redeemed is still good.
func TestFaults_I1_I8_AReplicaIsStoppedOnItsWayToTheLedger(t *testing.T) {
	t.Parallel()
	n := newNap(t)
	for i := range faulttest.Scale(2, 20) {
		n.rivalry(t, i%4 < 2, i%2 == 0) // that both are true comes first
	}
	faulttest.Report(t, "a replica slept %v %d times between a statement and Postgres: the rivals had their answer at once, slowest %s; the sleeper's callers then heard yes %d times, no %d, come again %d",
		asleep, n.times, asMS(n.slowest), n.yes, n.no, n.perhaps)
	n.wantBooks(t)
}

// nap is two replicas. Between the one that sleeps and the DAO database are two lines,
// one behind the other: what passes the first, which is watched, waits at the second.
type nap struct {
	*site
	sleeper, awake *faulttest.Server
	moments        *faulttest.Moments
	gate           *faulttest.Line // the second line

	times, yes, no, perhaps int
	slowest                 time.Duration
}

func newNap(t *testing.T) *nap {
	t.Helper()
	stores := faulttest.NewStores(t)
	n := &nap{site: newSite(t, stores), moments: faulttest.NewMoments(), awake: faulttest.Serve(t, stores.Environ(), nil)}
	gate, through := faulttest.LineTo(t, stores.DAODatabaseURL)
	watched, through := faulttest.LineTo(t, through)
	watched.Watch("dao database", n.moments)
	n.gate = gate
	n.sleeper = faulttest.Serve(t, stores.Environ(), map[string]string{"DAO_DATABASE_URL": through})
	return n
}

// rivalry puts the sleeper to sleep, and wakes it.
func (n *nap) rivalry(t *testing.T, arrives, redeemed bool) {
	t.Helper()
	first := &caller{token: n.mint(t, n.awake.DAOURL, n.person(0)), key: newKey(), arrives: arrives}
	rival := &caller{token: first.token, key: newKey(), arrives: arrives}
	// Last before the call: its connection is there, and has not rested for a second, after
	// which it would be asked first whether it still lives.
	if !n.handsOff(t, n.sleeper) {
		t.Fatal("the sleeper does not hand off")
	}
	n.moments.Count()
	n.gate.Hang()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		n.presentToSleeper(t, first)
	}()
	until(t, time.Second, "on its way", n.redeems)
	woken := time.After(asleep)
	n.sleeper.Pause(t)
	if redeemed {
		n.present(t, n.awake, rival)
		n.slowest = max(n.slowest, rival.answer.Took)
	}
	<-woken
	n.gate.Mend(t)
	n.sleeper.Wake(t)
	<-answered
	n.awaitQuiet(t)
	if !redeemed {
		n.present(t, n.awake, rival)
	}
	n.times++
	n.wantOne(t, first, rival)
}

// presentToSleeper is the call of somebody who has to wait for a replica that does not
// run: nothing can be promised to them but that it is over when it wakes.
func (n *nap) presentToSleeper(t *testing.T, c *caller) {
	t.Helper()
	if c.arrives {
		c.answer = n.history.Arrive(t.Context(), n.sleeper.FOSURL, c.token.Token, c.key)
		n.told.Arrived(c.token.HandoffID, c.key, c.answer)
		return
	}
	c.answer = n.history.Exchange(t.Context(), n.sleeper.DAOURL, c.token.Token, c.key)
	n.told.Exchanged(c.token.HandoffID, c.key, c.answer)
}

// redeems reports whether a statement with parameters has passed the first line: the
// gate is the first that a redemption runs on the DAO database.
func (n *nap) redeems() bool {
	for _, flight := range n.moments.Heard() {
		if _, what, _ := strings.Cut(flight, ": "); strings.HasPrefix(what, "B") {
			return true
		}
	}
	return false
}

// awaitQuiet waits until Postgres has done what the sleeper had sent.
func (n *nap) awaitQuiet(t *testing.T) {
	t.Helper()
	until(t, answered, "quiet", func() bool {
		return testkit.Count(t, n.stores.DAO, `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`) == 0
	})
}

// wantOne: one of the two was let in, the one who was asked for while the other's
// replica slept.
func (n *nap) wantOne(t *testing.T, first, rival *caller) {
	t.Helper()
	switch {
	case first.answer.OK():
		n.yes++
	case first.answer.Refused():
		n.no++
	default:
		n.perhaps++
	}
	if first.answer.OK() || !rival.answer.OK() {
		t.Errorf("I1: by the replica that slept: %v; by the other: %v", first.answer, rival.answer)
	}
	if first.answer.Err != nil {
		t.Errorf("the replica woke, and %v", first.answer)
	}
}
