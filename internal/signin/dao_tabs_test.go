package signin_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// For 30 s a tab that still has the cookie before is given what the first tab was
// given: the same cookie, the same times. After that it has none.
func TestRefresh_theCookieBeforeConvergesForThirtySeconds(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	d.clock.Advance(time.Hour) // idle for long: the laptop wakes up with all its tabs
	first, next, err := d.refresh(t, login, login.Cookie)
	if err != nil {
		t.Fatal(err)
	}
	for _, wait := range []time.Duration{0, time.Second, 28999 * time.Millisecond} { // 29.999 s all together
		d.clock.Advance(wait)
		for name, shown := range map[string]member.Cookie{"the cookie before": login.Cookie, "the new one": next} {
			session, again, err := d.refresh(t, login, shown)
			if err != nil || again.Reveal() != next.Reveal() {
				t.Fatalf("%s leads to another cookie: %v", name, err)
			}
			if !session.IdleExpiresAt.Equal(first.IdleExpiresAt) || session.ID != first.ID {
				t.Errorf("%s: idle until %v, want %v", name, session.IdleExpiresAt, first.IdleExpiresAt)
			}
			if found, _, err := d.Current(t.Context(), shown); err != nil || found.ID != first.ID {
				t.Errorf("%s does not say who is signed in: %v", name, err)
			}
		}
	}
	d.clock.Advance(time.Millisecond)
	if _, again, err := d.refresh(t, login, login.Cookie); !errors.Is(err, member.ErrNoSession) || again.Reveal() != "" {
		t.Errorf("30 s later: %v", err)
	}
	if _, _, err := d.Current(t.Context(), next); err != nil {
		t.Errorf("that has signed out the tab with the new cookie: %v", err)
	}
	if third := d.mustRefresh(t, login, next); third.Reveal() == next.Reveal() {
		t.Error("30 s later the new cookie still has no successor")
	}
}

// The attack on the tabs is their own timing: one is given the new cookie and
// refreshes with it, while the request of another, with the cookie before, is still
// on its way. Its answer may come last, too, and what it sets must be good.
func TestRefresh_aTabThatIsEarlyDoesNotShutOutTheLateOne(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	next := d.mustRefresh(t, login, login.Cookie)
	early := d.mustRefresh(t, login, next)
	d.clock.Advance(3 * time.Second) // what a request may take
	_, late, err := d.refresh(t, login, login.Cookie)
	if err != nil {
		t.Fatalf("the late tab is signed out: %v", err)
	}
	for name, cookie := range map[string]member.Cookie{"early": early, "late": late} {
		if _, _, err := d.Current(t.Context(), cookie); err != nil {
			t.Errorf("the %s tab's cookie: %v", name, err)
		}
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE reason = 'rotated'`); n != 1 {
		t.Errorf("%d rotations", n)
	}
}

// Fifty at once over two replicas: one rotation, one cookie, and a row for each.
func TestRefresh_fiftyAtOnceAreOneRotation(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	replicas := []*signin.DAO{d.DAO, d.replica(t, "6b")}
	login := d.ada(t)
	cookies := make([]string, 50)
	var wg sync.WaitGroup
	for i := range cookies {
		wg.Go(func() {
			_, next, err := replicas[i%2].Refresh(context.Background(), login.Cookie, login.Session.ID, audit.Origin{})
			if err != nil {
				t.Error(err)
			}
			cookies[i] = next.Reveal()
		})
	}
	wg.Wait()
	slices.Sort(cookies)
	if different := slices.Compact(slices.Clone(cookies)); len(different) != 1 || different[0] == login.Cookie.Reveal() {
		t.Errorf("%d different cookies", len(different))
	}
	for reason, want := range map[string]int{"rotated": 1, "converged": len(cookies) - 1} {
		if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = $1`, reason); n != want {
			t.Errorf("I4: %d rows say %s, want %d", n, reason, want)
		}
	}
}

// The sealing keys change under the tabs' hands, one replica at a time: what one
// made, the other finds again.
func TestRefresh_convergesAcrossAKeyRotation(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	steps := []*signin.DAO{d.replica(t, "6b"), d.replica(t, "6b", "7c"), d.replica(t, "7c", "6b"), d.replica(t, "7c")}
	for i := range steps[1:] {
		for _, pair := range [][2]*signin.DAO{{steps[i], steps[i+1]}, {steps[i+1], steps[i]}} {
			login := d.again(t, "ada@example.org")
			_, first, err := pair[0].Refresh(t.Context(), login.Cookie, login.Session.ID, audit.Origin{})
			if err != nil {
				t.Fatal(err)
			}
			_, second, err := pair[1].Refresh(t.Context(), login.Cookie, login.Session.ID, audit.Origin{})
			if err != nil || second.Reveal() != first.Reveal() {
				t.Errorf("between step %d and %d: another cookie, %v", i, i+1, err)
			}
		}
	}
	// Too early a drop costs the late tab its cookie, and nobody the session.
	login := d.again(t, "ada@example.org")
	_, next, err := steps[0].Refresh(t.Context(), login.Cookie, login.Session.ID, audit.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	session, lost, err := steps[3].Refresh(t.Context(), login.Cookie, login.Session.ID, audit.Origin{})
	if !errors.Is(err, member.ErrNoSession) || lost.Reveal() != "" || session.ID != uuid.Nil {
		t.Errorf("with the key dropped: %v", err)
	}
	if _, _, err := steps[3].Current(t.Context(), next); err != nil {
		t.Errorf("the cookie of now: %v", err)
	}
}

// deaf writes what it is told and never hears that it was done.
type deaf struct {
	*signin.DAOStore
	lost int // how many answers will be lost
}

func (d *deaf) Rotate(ctx context.Context, r signin.Rotate) (signin.Rotated, error) {
	rotated, err := d.DAOStore.Rotate(ctx, r)
	if d.lost > 0 {
		d.lost--
		return signin.Rotated{}, outage.Postgres(errors.New("connection reset"))
	}
	return rotated, err
}

// An answer that is lost, between browser and service or between service and
// database, costs nobody the session: the cookie before leads to it for 30 s.
func TestRefresh_aLostAnswerSignsNobodyOut(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.Store = &deaf{signin.NewDAOStore(d.db), 1}
	login := d.ada(t)
	var down *outage.Error
	if _, next, err := d.refresh(t, login, login.Cookie); !errors.As(err, &down) || next.Reveal() != "" {
		t.Fatalf("a commit whose answer was lost: %v", err)
	}
	d.clock.Advance(29 * time.Second)
	if _, _, err := d.Current(t.Context(), login.Cookie); err != nil {
		t.Errorf("meanwhile nobody is signed in: %v", err)
	}
	neverReceived := d.mustRefresh(t, login, login.Cookie)
	again := d.mustRefresh(t, login, login.Cookie)
	if again.Reveal() != neverReceived.Reveal() {
		t.Error("asked again, the answer is another")
	}
	if _, _, err := d.Current(t.Context(), again); err != nil {
		t.Errorf("the cookie at last: %v", err)
	}
}
