//go:build faults

package crash_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I8, I13: three times as many people as the service has places for, by default, come
// while a store hangs. They come back when they are told to, with their key, and none is
// left without an answer.
func TestFaults_I8_I13_AStoreHangsAndThePlacesAreFew(t *testing.T) {
	t.Parallel()
	s := newSite(t, faulttest.NewStores(t))
	delete(s.environ, "MAX_REQUESTS_IN_FLIGHT")
	server := faulttest.Serve(t, s.environ, nil)
	lines := map[string]*faulttest.Line{"DAO database": s.dao}
	if faulttest.Scale(0, 1) == 1 {
		lines["FOS database"], lines["Redis"] = s.fos, s.redis
	}
	for name, line := range lines {
		t.Run(name, func(t *testing.T) {
			all := make([]*obedient, 2*crowd)
			each(len(all), func(i int) {
				all[i] = &obedient{caller: caller{arrives: i%2 == 0, key: newKey()}}
				all[i].mint(t, s, server)
			})
			line.Hang()
			mended := make(chan time.Time, 1)
			over := time.AfterFunc(4*time.Second, func() {
				line.Mend(t)
				mended <- time.Now()
			})
			defer over.Stop()
			each(len(all), func(i int) { all[i].insist(t, s, server) })
			back := <-mended
			recovery := wantWell(t, back, func() bool { return isReady(t, server) })
			tries, most, lost := 0, 0, 0
			for _, o := range all {
				tries, most = tries+o.tries, max(most, o.tries)
				if !o.answer.OK() {
					lost++
					t.Errorf("a caller with a key ends with %v", o.answer)
				}
			}
			faulttest.Report(t, "%d callers with a key and the places of the default, 4 s: %d tries, %d of one at most, without an answer %d; all had theirs %s after it was over",
				len(all), tries, most, lost, asMS(recovery))
		})
	}
	s.wantBooks(t)
}

// obedient is a caller who comes back when they are told to.
type obedient struct {
	caller
	tries int
}

// mint gets a token, which does not take everybody at once either.
func (o *obedient) mint(t *testing.T, s *site, server *faulttest.Server) {
	t.Helper()
	o.obey(t, func() faulttest.Answer {
		o.token = s.mint(t, server.DAOURL, s.person(0))
		return o.token
	})
	o.tries = 0
}

// insist presents the token until there is an answer.
func (o *obedient) insist(t *testing.T, s *site, server *faulttest.Server) {
	t.Helper()
	o.obey(t, func() faulttest.Answer {
		s.present(t, server, &o.caller)
		return o.answer
	})
}

// obey calls until there is an answer, for no longer than a token may be repeated, and
// waits in between for as long as it is told.
func (o *obedient) obey(t *testing.T, call func() faulttest.Answer) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		o.tries++
		a := call()
		if !a.Unknown() {
			return
		}
		wantClear(t, a)
		seconds, err := strconv.Atoi(a.RetryAfter)
		if err != nil || a.Status != http.StatusServiceUnavailable {
			return // wantClear has complained
		}
		<-time.After(time.Duration(seconds) * time.Second)
	}
}
