//go:build faults

package crash_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// load is people who hand off all the while, each with a key, and repeat what was
// not answered.
type load struct {
	*site
	server *faulttest.Server
	stop   context.CancelFunc
	all    sync.WaitGroup

	done, lost, unresolved atomic.Int64
	each                   []atomic.Int64 // done, by person
	slowest                atomic.Int64   // ns
}

func (s *site) load(t *testing.T, server *faulttest.Server, people int) *load {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	l := &load{site: s, server: server, stop: stop, each: make([]atomic.Int64, people)}
	t.Cleanup(l.all.Wait) // also of a story that ends early, which ends t's context
	for i := range people {
		l.all.Go(func() {
			for ctx.Err() == nil {
				l.handOff(t, i)
			}
		})
	}
	return l
}

func (l *load) handOff(t *testing.T, i int) {
	minted := l.mint(t, l.server.DAOURL, l.person(i))
	if t.Context().Err() != nil { // the story is over: nobody waits for the answer
		return
	}
	l.took(minted)
	if !minted.OK() {
		l.lost.Add(1)
		wantClear(t, minted)
		return
	}
	c := &caller{token: minted, key: newKey(), arrives: true}
	for end := time.Now().Add(9 * time.Second); time.Now().Before(end); {
		if l.present(t, l.server, c); !c.answer.Unknown() {
			break
		}
		if t.Context().Err() != nil {
			return
		}
		l.lost.Add(1)
		wantClear(t, c.answer)
		l.took(c.answer)
	}
	l.took(c.answer)
	if !c.answer.OK() {
		l.unresolved.Add(1)
		t.Errorf("a person with a key ends with %v", c.answer)
		return
	}
	l.done.Add(1)
	l.each[i].Add(1)
}

func (l *load) took(a faulttest.Answer) {
	for {
		known := l.slowest.Load()
		if int64(a.Took) <= known || l.slowest.CompareAndSwap(known, int64(a.Took)) {
			return
		}
	}
}

// goesOn waits until so many more hand-offs are done. How long that may take is no
// promise of the service.
func (l *load) goesOn(t *testing.T, more int64) {
	t.Helper()
	from := l.done.Load()
	until(t, 20*time.Second, "going on", func() bool { return l.done.Load() >= from+more })
}

// recovers waits until everybody has got through with one more hand-off and both halves
// are ready.
func (l *load) recovers(t *testing.T, back time.Time) time.Duration {
	t.Helper()
	from := make([]int64, len(l.each))
	for i := range l.each {
		from[i] = l.each[i].Load()
	}
	return wantWell(t, back, func() bool {
		for i := range l.each {
			if l.each[i].Load() == from[i] {
				return false
			}
		}
		return isReady(t, l.server)
	})
}

func (l *load) end(t *testing.T, within time.Duration) {
	t.Helper()
	l.stop()
	l.all.Wait()
	faulttest.Report(t, "%d hand-offs, %d calls not answered meanwhile, unresolved %d; slowest answer %s; hand-offs went on within %s",
		l.done.Load(), l.lost.Load(), l.unresolved.Load(), asMS(time.Duration(l.slowest.Load())), asMS(within))
}

// I1, I4, I8: Postgres dies and comes back under load, again and again.
func TestFaults_I1_I4_PostgresRestartsUnderLoad(t *testing.T) {
	t.Parallel()
	postgres := faulttest.NewPostgres(t)
	s := newSite(t, postgres.Stores())
	server := faulttest.Serve(t, s.stores.Environ(), nil)
	l := s.load(t, server, 8)
	l.goesOn(t, 20)
	var slowest time.Duration
	for range faulttest.Scale(2, 10) {
		postgres.Kill(t)
		wantUnready(t, server, fault{dao: "postgres", fos: "postgres"})
		postgres.Restart(t)
		slowest = max(slowest, l.recovers(t, time.Now()))
	}
	l.end(t, slowest)
	s.wantBooks(t)
}

// I13, I1: somebody holds a lock that every hand-off needs, so that statements wait for it, and
// all other callers for them. Nobody hangs, the connections that are left serve everything
// else, readiness with it, and the statements that were still waiting when the lock is gone
// redeem for nobody.
func TestFaults_I13_ALockThatEveryHandoffNeedsIsHeld(t *testing.T) {
	t.Parallel()
	s := newSite(t, faulttest.NewStores(t))
	server := faulttest.Serve(t, s.environ, nil)
	for half, db := range map[string]string{"DAO": "handoffs", "FOS": "sessions"} {
		t.Run(half, func(t *testing.T) {
			f, pool := fault{}, s.stores.FOS
			if half == "DAO" {
				f, pool = fault{shut: true}, s.stores.DAO
			}
			holder, err := pool.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Release()
			exec := func(t *testing.T, sql string) {
				t.Helper()
				if _, err := holder.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			f.begin = func(t *testing.T) { exec(t, "BEGIN; LOCK TABLE "+db+" IN ACCESS EXCLUSIVE MODE") }
			f.end = func(t *testing.T) { exec(t, "COMMIT") }
			var all outcome
			for range faulttest.Scale(1, 10) {
				all = all.add(s.endure(t, server, f, crowd))
			}
			all.report(t)
		})
	}
	s.wantBooks(t)
}

// I13: the connections that a pool keeps have gone dead without a word (a firewall
// forgot them, a machine failed over). New ones work, so that the service gets well by
// itself.
func TestFaults_I13_TheConnectionsOfThePoolsGoDead(t *testing.T) {
	t.Parallel()
	s := newSite(t, faulttest.NewStores(t))
	server := faulttest.Serve(t, s.environ, nil)
	for name, line := range map[string]*faulttest.Line{"DAO database": s.dao, "FOS database": s.fos, "Redis": s.redis} {
		t.Run(name, func(t *testing.T) {
			l := s.load(t, server, 32)
			l.goesOn(t, 100)
			var slowest time.Duration
			for range faulttest.Scale(1, 10) {
				dead := time.Now()
				if line.HalfOpen() == 0 {
					t.Error("there was nothing to break")
				}
				slowest = max(slowest, l.recovers(t, dead))
				l.goesOn(t, 300)
			}
			l.end(t, slowest)
			line.Mend(t)
		})
	}
	s.wantBooks(t)
}
