//go:build faults

package crash_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I1, I4, I8: a database refuses, or hangs, while tokens are presented. None is
// burnt, and whoever repeats with their key gets their answer.
func TestFaults_I1_I8_ADatabaseRefusesOrHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t, faulttest.NewStores(t))
	server := faulttest.Serve(t, s.environ, nil)
	for half, line := range map[string]*faulttest.Line{"DAO": s.dao, "FOS": s.fos} {
		f := fault{end: func(t *testing.T) { line.Mend(t) }}
		if f.fos = "postgres"; half == "DAO" {
			f.dao, f.fos, f.shut = "postgres", "", true
		}
		t.Run(half+" refuses", func(t *testing.T) {
			f.begin = func(*testing.T) { line.Cut() }
			s.endureAgain(t, server, f)
		})
		t.Run(half+" hangs", func(t *testing.T) {
			f.begin = func(*testing.T) { line.Hang() }
			s.endureAgain(t, server, f)
		})
	}
	s.wantBooks(t)
}

// The same of a Postgres that both halves have in common, by the means of the system:
// killed and restarted, and stopped and woken, when it goes on with the statements that
// it had taken. Those are too late to redeem anything (I1: the deadline in the gate).
func TestFaults_I1_I8_PostgresIsKilledOrStopped(t *testing.T) {
	t.Parallel()
	postgres := faulttest.NewPostgres(t)
	s := newSite(t, postgres.Stores())
	server := faulttest.Serve(t, s.stores.Environ(), nil)
	both := fault{dao: "postgres", fos: "postgres", shut: true}
	t.Run("killed", func(t *testing.T) {
		both.begin, both.end = func(t *testing.T) { postgres.Kill(t) }, func(t *testing.T) { postgres.Restart(t) }
		s.endureAgain(t, server, both)
	})
	t.Run("stopped", func(t *testing.T) {
		both.begin, both.end = func(t *testing.T) { postgres.Pause(t) }, func(t *testing.T) { postgres.Wake(t) }
		s.endureAgain(t, server, both)
	})
	s.wantBooks(t)
}
