//go:build faults

package crash_test

import (
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// apartOnPostgres runs the halves as two processes. The DAO half's database is on a
// server of its own, which may break.
func apartOnPostgres(t *testing.T) (*site, *faulttest.Server, *faulttest.Postgres) {
	t.Helper()
	postgres := faulttest.NewPostgres(t)
	stores := faulttest.NewStores(t)
	stores.DAODatabaseURL, stores.DAO = postgres.Stores().DAODatabaseURL, postgres.Stores().DAO
	s, server, _ := apart(t, stores)
	return s, server, postgres
}

// I1, I4, I8: the halves are two processes, and the database of the DAO half refuses,
// hangs, or is stopped and woken. No token is burnt, and whoever repeats with their key
// gets their answer: what the DAO half still does when the FOS half has given up
// redeems for nobody.
func TestFaults_I1_I8_TheDatabaseBehindThePeerIsAway(t *testing.T) {
	t.Parallel()
	s, server, postgres := apartOnPostgres(t)
	for name, f := range map[string]fault{
		"refuses": {begin: func(*testing.T) { s.dao.Cut() }, end: func(t *testing.T) { s.dao.Mend(t) }},
		"hangs":   {begin: func(*testing.T) { s.dao.Hang() }, end: func(t *testing.T) { s.dao.Mend(t) }},
		"stopped": {begin: func(t *testing.T) { postgres.Pause(t) }, end: func(t *testing.T) { postgres.Wake(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			f.dao, f.shut = "postgres", true
			s.endureAgain(t, server, f)
		})
	}
	s.wantBooks(t)
}

// wakes are when Postgres wakes: about when the FOS half gives up, and about when the
// gate's time is over.
var wakes = []time.Duration{2000 * time.Millisecond, 2100 * time.Millisecond, 1200 * time.Millisecond, 1900 * time.Millisecond, 2050 * time.Millisecond, 1150 * time.Millisecond}

// I1: as above, but Postgres wakes at just about the time when the FOS half gives up.
// Each person without a key was told that nothing became of it, or was let in; a token
// that is redeemed for somebody who was told no is burnt.
func TestFaults_I1_TheDatabaseBehindThePeerWakesWhenItIsTooLate(t *testing.T) {
	t.Parallel()
	s, server, postgres := apartOnPostgres(t)
	let, told, burnt, slowest := 0, 0, 0, time.Duration(0)
	for round := range faulttest.Scale(2, 12) {
		after := wakes[round%len(wakes)]
		all := s.callers(t, server, 16)
		postgres.Pause(t)
		woken := time.After(after)
		waking := make(chan struct{})
		go func() {
			defer close(waking)
			<-woken
			postgres.Wake(t)
		}()
		each(len(all), func(i int) {
			all[i].key = ""
			s.present(t, server, all[i])
		})
		<-waking
		wantWell(t, time.Now(), func() bool { return s.handsOff(t, server) && isReady(t, server) })
		for _, c := range all {
			slowest = max(slowest, c.answer.Took)
			if c.answer.OK() {
				let++
				continue
			}
			told++
			wantClear(t, c.answer)
			if s.present(t, server, c); !c.answer.OK() {
				burnt++
				t.Errorf("Postgres woke %v after the call: %v", after, c.answer)
			}
		}
	}
	faulttest.Report(t, "Postgres behind the peer woke 1.2 to 2.1 s after %d callers without a key: %d let in, %d told to come again, of these burnt %d; slowest answer %s",
		let+told, let, told, burnt, asMS(slowest))
	s.wantBooks(t)
}
