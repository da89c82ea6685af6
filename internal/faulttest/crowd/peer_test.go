//go:build faults

package crowd_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I13: the DAO half hangs, and more people arrive than the FOS half has places. They
// wait, or are told to come back; everything else of the FOS half goes on as if nothing
// were the matter, and when the DAO half is there again so do they.
func TestFaults_I13_APeerThatHangsKeepsOnlyThoseWaitingWhoNeedIt(t *testing.T) {
	t.Parallel()
	stores := faulttest.NewStores(t)
	environ := stores.Environ()
	dao := faulttest.Serve(t, environ, map[string]string{"HANDOFF_HALVES": "dao"})
	between, bridge := faulttest.LineTo(t, dao.DAOURL)
	fos := faulttest.Serve(t, environ, map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": bridge, "MAX_REQUESTS_IN_FLIGHT": "8"})
	way := newRoad(t, dao.DAOURL, fos.FOSURL, travellers(t, stores, 64), crowded)
	way.wantHandoff(t)

	between.Hang()
	other := newTally()
	people := open(t.Context(), 50, time.Duration(faulttest.Scale(3, 10))*time.Second, func(ctx context.Context, due time.Time, to *tally) {
		way.handoff(ctx, due, to)
		asked := time.Now()
		a, err := way.fos.ask(ctx, []byte("GET /api/v1/auth/me HTTP/1.1\r\nHost: crowd\r\n\r\n"))
		if err == nil && a.status == http.StatusUnauthorized { // as somebody is told who has no session
			a.status = http.StatusOK
		}
		other.note(arrive, a, err, time.Since(asked))
	})
	between.Mend(t)
	faulttest.Report(t, "the DAO half hangs, 50 people a second arrive, 8 places: %d told to come back after %v; anything else of the FOS half: %v, %d told to come back",
		people.count(mint), people.shed, other.good[arrive], len(other.shed))
	if len(people.shed) == 0 || people.done() > 0 || len(people.faults) > 0 {
		t.Errorf("an outage that tests nothing: %v", people)
	}
	if len(other.shed) > 0 || len(other.faults) > 0 || other.count(arrive) == 0 {
		t.Errorf("what needs no peer waits for it: %v", other)
	}
	until(t, 5*time.Second, "a hand-off after it", func() bool {
		to := newTally()
		way.handoff(t.Context(), time.Now(), to)
		return to.done() == 1
	})
}
