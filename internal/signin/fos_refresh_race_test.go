package signin_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// underWay tells of a refresh with the token of generation 1 that comes while change
// is made to its session and not committed, and returns what it came to. It has to
// wait for the row's lock, or there is no answer within the test's patience.
func underWay(t *testing.T, change string) (*desk, uuid.UUID, refreshed) {
	t.Helper()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	before := d.enters(t, "ada@example.org")
	held := testkit.Hold(t, d.db, change, before.Session.ID, d.clock.Now())
	done := make(chan refreshed, 1)
	go func() {
		entered, err := d.Refresh(context.Background(), signin.Shown{Refresh: []string{before.Pair.Refresh.Reveal()}}, origin)
		done <- refreshed{entered, err}
	}()
	testkit.UntilWaiting(t, d.db, 1)
	held.Commit()
	return d, before.Session.ID, <-done
}

// refreshed is what a refresh came to.
type refreshed struct {
	signin.Entered
	err error
}

// I11: whoever ends a session at the moment in which it is refreshed has ended it. No
// pair is signed, and the end stands.
func TestI11_aRefreshWaitsForWhoeverEndsTheSession(t *testing.T) {
	t.Parallel()
	d, id, got := underWay(t, `UPDATE sessions SET ended_at = $2, ended_as = 'logout' WHERE id = $1`)
	if !errors.Is(got.err, session.ErrEnded) || got.Pair.Refresh.Reveal() != "" {
		t.Errorf("the refresh: %v", got.err)
	}
	if s := stored(t, d, id); s.Generation != 1 || s.Ended == nil || s.EndedAs != "logout" {
		t.Errorf("the row: %+v", s)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event LIKE 'session.re%'`); n != 0 {
		t.Errorf("%d rows record a refresh", n)
	}
}

// The other tab was a moment earlier: this one finds that it did, and converges.
func TestI11_aRefreshWaitsForAnotherAndConverges(t *testing.T) {
	t.Parallel()
	d, id, got := underWay(t, `UPDATE sessions SET generation = 2, rotated_at = $2 WHERE id = $1`)
	if got.err != nil || got.Session.Generation != 2 {
		t.Errorf("the refresh: generation %d, %v", got.Session.Generation, got.err)
	}
	if s := stored(t, d, id); s.Generation != 2 || s.Ended != nil {
		t.Errorf("the row: %+v", s)
	}
}

// The session went on twice while this one waited: what was the current token when it
// was shown is a copy by now.
func TestI11_aRefreshWaitsForTwoAndFindsItselfACopy(t *testing.T) {
	t.Parallel()
	d, id, got := underWay(t, `UPDATE sessions SET generation = 3, rotated_at = $2 WHERE id = $1`)
	if !errors.Is(got.err, session.ErrEnded) {
		t.Errorf("the refresh: %v", got.err)
	}
	if s := stored(t, d, id); s.Generation != 3 || s.EndedAs != "reuse" {
		t.Errorf("the row: %+v", s)
	}
}

// The other way round: who ends the session waits for a refresh that is under way, and
// ends what came of it.
func TestI11_whoeverEndsASessionWaitsForItsRefresh(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	entered := d.enters(t, "ada@example.org")
	refreshing := testkit.Hold(t, d.db, `UPDATE sessions SET generation = 2, rotated_at = $1, generation_used = false`, d.clock.Now())
	left := make(chan error, 1)
	go func() {
		left <- d.Logout(context.Background(), signin.Shown{Access: entered.Pair.Access.Reveal()}, origin)
	}()
	testkit.UntilWaiting(t, d.db, 1)
	refreshing.Commit()
	if err := <-left; err != nil {
		t.Fatal(err)
	}
	if s := stored(t, d, entered.Session.ID); s.Generation != 2 || s.EndedAs != "logout" {
		t.Errorf("the row: %+v", s)
	}
}

// I11 and I4, without arranging anything: twenty tabs refresh while somebody leaves.
// Whatever the order, one generation is one row, and in the end nothing is good.
func TestI11_leavingWhileTwentyTabsRefresh(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	for range 5 {
		first := d.enters(t, "ada@example.org")
		var mu sync.Mutex
		given := []session.Pair{first.Pair}
		var group sync.WaitGroup
		for tab := range 20 {
			group.Go(func() {
				if tab == 10 {
					if err := d.Logout(context.Background(), signin.Shown{Access: first.Pair.Access.Reveal()}, origin); err != nil {
						t.Error(err)
					}
					return
				}
				entered, err := d.Refresh(context.Background(), signin.Shown{Refresh: []string{first.Pair.Refresh.Reveal()}}, origin)
				if err == nil {
					mu.Lock()
					given = append(given, entered.Pair)
					mu.Unlock()
				} else if !errors.Is(err, session.ErrEnded) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, pair := range given {
			if _, err := d.Current(t.Context(), pair.Access.Reveal()); !errors.Is(err, session.ErrEnded) {
				t.Errorf("an access token afterwards: %v", err)
			}
			if _, err := d.Refresh(t.Context(), signin.Shown{Refresh: []string{pair.Refresh.Reveal()}}, origin); !errors.Is(err, session.ErrEnded) {
				t.Errorf("a refresh token afterwards: %v", err)
			}
		}
		s := stored(t, d, first.Session.ID)
		if s.EndedAs != "logout" || s.Generation > 2 {
			t.Errorf("the row: %+v", s)
		}
		d.clock.Advance(time.Hour)
	}
	rotations := testkit.Count(t, d.db, `SELECT sum(generation - 1) FROM sessions`)
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = 'rotated'`); n != rotations {
		t.Errorf("%d rows record %d rotations", n, rotations)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event = 'session.ended'`); n != 5 {
		t.Errorf("%d rows record 5 ends", n)
	}
}
