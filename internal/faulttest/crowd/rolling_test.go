//go:build faults

package crowd_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I1, I4: two replicas are restarted in turn, again and again, by the signal that
// every platform sends, while people hand off. They say that they will leave before
// they do, so that nobody's request is lost; neither when a replica that leaves needs
// the other half, which leaves with it.
func TestFaults_I4_ARollingRestartFailsNoRequest(t *testing.T) {
	t.Parallel()
	for name, overHTTP := range map[string]bool{"exchange in process": false, "exchange over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			stores := faulttest.NewStores(t)
			f := newFleet(t, stores, overHTTP)
			way := newRoad(t, f.dao.URL, f.fos.URL, travellers(t, stores, 64), 64)
			all := f.roll(t, way, faulttest.Scale(1, 5))
			if all.answered() != all.count(mint)+all.count(arrive) || all.unasked > 0 {
				t.Errorf("requests failed: %v", all)
			}
			for _, n := range f.served {
				if n == 0 {
					t.Errorf("a replica served nobody: %v", f.served)
				}
			}
			wantBooks(t, booksOf(stores, all))
		})
	}
}

// fleet is two replicas of both halves behind one address for each half.
type fleet struct {
	environ  map[string]string
	dao, fos *front
	servers  [2]*faulttest.Server
	served   []int64 // requests, by each replica that has left
}

// roll restarts every replica so many times, while eight people travel. They have
// sent as many requests before the first restart as between any two, and after the last.
func (f *fleet) roll(t *testing.T, way *road, rounds int) *tally {
	t.Helper()
	requests := faulttest.Scale(1000, 20000)
	part := requests/(rounds*len(f.servers)+1) + 1
	counted, told := newTally(), make(chan *tally, 1)
	over := make(chan struct{})
	go func() { told <- closedInto(t.Context(), counted, 8, way.handoff, ended(over)) }()
	counted.await(t, part)
	for range rounds {
		for i := range f.servers {
			f.restart(t, i)
			counted.await(t, part)
		}
	}
	close(over)
	all := <-told
	faulttest.Report(t, "%d rolling restarts of 2 replicas: %d of %d requests failed; %v",
		rounds, all.answered()-all.count(mint)-all.count(arrive), all.answered(), all)
	t.Logf("connections refused to the balancer: %d; served by each replica that left: %v",
		f.dao.refused.Load()+f.fos.refused.Load(), f.served)
	return all
}

// booksOf are the rows that a crowd's successes have, when nothing was unknown.
func booksOf(stores *faulttest.Stores, all *tally) []book {
	return []book{
		{stores.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.minted'`, all.count(mint)},
		{stores.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged'`, all.count(arrive)},
		{stores.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_at IS NOT NULL`, all.count(arrive)},
		{stores.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.created'`, all.count(arrive)},
		{stores.FOS, `SELECT count(DISTINCT handoff_id) FROM sessions`, all.count(arrive)},
	}
}

func newFleet(t testing.TB, stores *faulttest.Stores, overHTTP bool) *fleet {
	t.Helper()
	f := &fleet{environ: stores.Environ(), dao: newFront(t), fos: newFront(t)}
	f.environ["SHUTDOWN_DELAY"], f.environ["MAX_REQUESTS_IN_FLIGHT"] = "500ms", places
	if overHTTP {
		f.environ["ORACLE_BRIDGE_URL"] = f.dao.URL
	}
	for i := range f.servers {
		f.start(t, i)
	}
	return f
}

func (f *fleet) start(t testing.TB, i int) {
	t.Helper()
	started := faulttest.Serve(t, f.environ, nil)
	f.servers[i] = started
	f.dao.put(t, started.DAOURL)
	f.fos.put(t, started.FOSURL)
}

// restart ends the i-th replica as a platform does, and starts another. The fronts
// hear of neither but by what the replicas say.
func (f *fleet) restart(t testing.TB, i int) {
	t.Helper()
	old := f.servers[i]
	old.Leave(t)
	f.served = append(f.served, f.dao.remove(old.DAOURL)+f.fos.remove(old.FOSURL))
	f.start(t, i)
}
