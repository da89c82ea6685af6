//go:build faults

package crash_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// apart runs the halves as two processes on the stores, with a line between them.
func apart(t *testing.T, stores *faulttest.Stores) (s *site, both *faulttest.Server, between *faulttest.Line) {
	t.Helper()
	s = newSite(t, stores)
	s.noExchange = true
	dao := faulttest.Serve(t, s.environ, map[string]string{"HANDOFF_HALVES": "dao"})
	between, bridge := faulttest.LineTo(t, dao.DAOURL)
	env := maps.Clone(s.environ)
	maps.Copy(env, map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": bridge})
	fos := faulttest.Serve(t, env, nil)
	return s, &faulttest.Server{DAOURL: dao.DAOURL, FOSURL: fos.FOSURL}, between
}

// I1, I8, I13: the DAO half is down, hangs, is slower than its 2 s, or answers
// garbage, also after it has redeemed. The browser gets a clear 503 in time, and comes
// in when it repeats with its key.
func TestFaults_I8_ThePeerIsAway(t *testing.T) {
	t.Parallel()
	s, server, line := apart(t, faulttest.NewStores(t))
	for name, begin := range map[string]func(t *testing.T){
		"down":    func(*testing.T) { line.Cut() },
		"hangs":   func(*testing.T) { line.Hang() },
		"slow":    func(*testing.T) { line.Delay(2500 * time.Millisecond) },
		"garbage": func(*testing.T) { line.GarbageAnswers() },
		"connections dead": func(t *testing.T) {
			open := s.callers(t, server, crowd/3)
			each(len(open), func(i int) { s.present(t, server, open[i]) })
			if line.HalfOpen() == 0 {
				t.Error("there was nothing to break")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.endureAgain(t, server, fault{begin: begin, end: func(t *testing.T) { line.Mend(t) }})
		})
	}
	s.wantBooks(t)
}

// I8: the connection between the halves is lost on the way there, or on the way back,
// when the token is redeemed already. The FOS half repeats by itself, with its own
// key: the browser notices nothing, with a key or without.
func TestFaults_I8_TheAnswerOfAnExchangeIsLost(t *testing.T) {
	t.Parallel()
	s, server, line := apart(t, faulttest.NewStores(t))
	moments := faulttest.NewMoments()
	line.Watch("between", moments)
	var slowest time.Duration
	n := faulttest.Scale(8, 100)
	for i := range n {
		c := &caller{token: s.mint(t, server.DAOURL, s.person(i)), arrives: true}
		if i%4 < 2 {
			c.key = newKey()
		}
		come := moments.Await(faulttest.Moment{Line: "between", N: 1, Answered: i%2 == 0, Ends: true}, func() {})
		s.present(t, server, c)
		if c.answer.Status != http.StatusOK || !await(come, 0) {
			t.Errorf("the browser notices: %v", c.answer)
		}
		slowest = max(slowest, c.answer.Took)
	}
	faulttest.Report(t, "%d exchanges lost between the halves, half of them after they were redeemed: all let in at the first try, slowest %s", n, asMS(slowest))
	s.wantBooks(t)
}
