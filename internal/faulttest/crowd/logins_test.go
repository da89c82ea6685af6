//go:build faults

package crowd_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const login = "login"

// entrance is where people sign in by password, at both halves in turn. Each half
// knows one person, who signs in on all their devices at once.
type entrance struct {
	doors [2]*lines
	right [2][]byte
	wrong [2][]byte
}

func newEntrance(t testing.TB, stores *faulttest.Stores, server *faulttest.Server) *entrance {
	t.Helper()
	scribe := newScribe(t)
	client := faulttest.NewClient(1)
	defer client.Close()
	e := &entrance{}
	for i, url := range []string{server.DAOURL, server.FOSURL} {
		e.doors[i] = &lines{url: url, most: crowded}
		t.Cleanup(e.doors[i].close)
	}
	for i, email := range []string{memberWithPassword(t, stores), userWithPassword(t, stores)} {
		path := []string{"/api/auth/login", "/api/v1/auth/login"}[i]
		e.right[i] = scribe.signIn(t, path, email, testkit.Password)
		e.wrong[i] = scribe.signIn(t, path, email, "mistyped")
	}
	return e
}

// memberWithPassword makes a member who can sign in at the DAO half, and returns
// their address.
func memberWithPassword(t testing.TB, stores *faulttest.Stores) string {
	t.Helper()
	id := faulttest.People(t, stores.DAO, 1)[0].ID
	testkit.Exec(t, stores.DAO, `UPDATE members SET password_hash = $2 WHERE id = $1`, id, testkit.PasswordHash())
	return id.String() + "@example.org"
}

// userWithPassword makes a user who can sign in at the FOS half, and returns their
// address.
func userWithPassword(t testing.TB, stores *faulttest.Stores) string {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	email := id.String() + "@example.org"
	testkit.Exec(t, stores.FOS, `
		INSERT INTO users (id, email, email_canonical, email_verified, display_name, role, status, password_hash, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'Grace Hopper', 'member', 'ACTIVE', $3, now(), now())`, id, email, testkit.PasswordHash())
	return email
}

// signIn is an errand: one login, at one door or the other, with the right password.
func (e *entrance) signIn(ctx context.Context, due time.Time, to *tally) {
	half := int(due.UnixNano()/1000) % 2
	a, err := e.doors[half].ask(ctx, e.right[half])
	if to.note(login, a, err, time.Since(due)) {
		to.finish(time.Now())
	}
}

// I13: many more people want to sign in by password than can be computed. Those who
// can be served in time are; the others hear at once that they should come back.
func TestFaults_I13_MorePasswordsThanCanBeComputed(t *testing.T) {
	stores := faulttest.NewStores(t)
	server := faulttest.Serve(t, stores.Environ(), small)
	e := newEntrance(t, stores, server)
	way := newRoad(t, server.DAOURL, server.FOSURL, travellers(t, stores, 1), crowded)
	long := time.Duration(faulttest.Scale(4, 10)) * time.Second

	best := closed(t.Context(), 4, e.signIn, during(long))
	wantOnly(t, best)
	offered := max(beyond*best.goodput(), 50)
	pulse := feel(t, server)
	got := open(t.Context(), offered, long, e.signIn)
	felt := pulse()
	faulttest.Report(t, "4 at once: %.1f logins/s, %v; at %.0f/s offered: %.1f logins/s (%.0f%%); login %v; shed %v, %d after a second and more; alive meanwhile %v",
		best.goodput(), best.good[login], offered, got.goodput(), 100*got.goodput()/best.goodput(), got.good[login], got.shed, got.shed.beyond(time.Second), felt)
	faulttest.Report(t, "the first hand-off afterwards took %v; the process held at most %d MiB",
		way.wantHandoff(t).Round(time.Millisecond), server.PeakMemory(t)>>20)
	// Who has waited for a turn that did not come in time was not told at once; of these
	// there are as many as may wait, each time that everybody has moved up.
	wantShed(t, got, 0.5)
	wantReady(t, server)
	wantWithin(t, server, container)
	// In a short run on a busy machine these are too few to compare.
	if got.done() == 0 || faulttest.Scale(0, 1) == 1 && got.goodput() < robust*best.goodput() {
		t.Errorf("%.1f logins/s beyond capacity, %.1f at it", got.goodput(), best.goodput())
	}
}

const (
	storm = 200 // logins at the same moment
	// modest is what a storm may take of a container, in bytes.
	modest = 220 << 20
)

// I13: 200 people sign in at the same moment at both halves of one process that has
// 256 MiB, again and again; half of them mistype. Each is answered about their
// password or told to come back, and the process stays below 220 MiB. Where the kernel
// lets us, it really has no more, and finds out by itself what it has.
func TestFaults_I13_AStormOfLoginsStaysWithinAContainer(t *testing.T) {
	stores := faulttest.NewStores(t)
	inside := contain(t, stores, container)
	e := newEntrance(t, stores, inside.Server)
	atRest := inside.PeakMemory(t)
	for range faulttest.Scale(2, 8) {
		got := e.storm(t.Context())
		t.Logf("right %v; wrong %d; %v", got.good[login], got.faults["mistyped: 401 invalid_credentials"], got)
		right, wrong := got.count(login), got.faults["mistyped: 401 invalid_credentials"]
		if right+wrong == 0 || len(got.shed) == 0 || right+wrong+len(got.shed) != storm {
			t.Errorf("not everybody was answered as they should be: %v", got)
		}
	}
	inside.wantWithin(t, modest)
	faulttest.Report(t, "%d waves of %d logins %v: the process held at most %d MiB, %d at rest",
		faulttest.Scale(2, 8), storm, inside, inside.PeakMemory(t)>>20, atRest>>20)
	wantReady(t, inside.Server)
	after := newTally()
	e.signIn(t.Context(), time.Now(), after)
	if after.done() != 1 {
		t.Errorf("the next to come: %v", after.end())
	}
}

// storm is one wave.
func (e *entrance) storm(ctx context.Context) *tally {
	to := newTally()
	gate := make(chan struct{})
	var all sync.WaitGroup
	for i := range storm {
		half, request, name := i%2, e.right[i%2], login
		if i%4 >= 2 {
			request, name = e.wrong[half], "mistyped"
		}
		all.Go(func() {
			<-gate
			begun := time.Now()
			a, err := e.doors[half].ask(ctx, request)
			to.note(name, a, err, time.Since(begun))
		})
	}
	close(gate)
	all.Wait()
	return to.end()
}
