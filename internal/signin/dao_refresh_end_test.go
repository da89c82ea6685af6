package signin_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Somebody signs out while other tabs refresh, at two replicas: the session ends,
// whoever comes first, and no refresh brings it back.
func TestRefresh_neverRevivesAnEndedSession(t *testing.T) {
	t.Parallel()
	const rounds, tabs = 60, 4
	d := newDAO(t)
	replicas := []*signin.DAO{d.DAO, d.replica(t, "6b")}
	d.member(t, "ada@example.org", "right", member.Active)
	outcomes := map[bool]int{}
	for range rounds {
		login := d.again(t, "ada@example.org")
		cookies, refusals := make([]member.Cookie, tabs), make([]error, tabs)
		var wg sync.WaitGroup
		for i := range tabs {
			wg.Go(func() {
				cookies[i] = login.Cookie
				for range 2 { // the second with what the first was given
					_, next, err := replicas[i%2].Refresh(context.Background(), cookies[i], login.Session.ID, audit.Origin{})
					if err != nil {
						refusals[i] = err
						return
					}
					cookies[i] = next
				}
			})
		}
		wg.Go(func() {
			if err := replicas[1].Logout(context.Background(), login.Cookie, login.Session.ID, audit.Origin{}); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for i := range tabs {
			if refusals[i] != nil && !errors.Is(refusals[i], member.ErrSessionRevoked) {
				t.Errorf("a tab was told %v", refusals[i])
			}
			if _, _, err := d.Current(t.Context(), cookies[i]); !errors.Is(err, member.ErrSessionRevoked) {
				t.Fatalf("a tab is still signed in: %v", err)
			}
			outcomes[refusals[i] == nil]++
		}
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event = 'session.ended'`); n != rounds {
		t.Errorf("%d of %d ends are recorded", n, rounds)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 0 {
		t.Errorf("%d sessions live", n)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE reason = 'rotated'`); n > rounds {
		t.Errorf("%d rotations in %d sessions", n, rounds)
	}
	t.Logf("refreshed before the end %d times, refused after it %d times", outcomes[true], outcomes[false])
}

// The order that a race may come to, without the race: the refresh waits for the
// row while somebody else ends the session, and judges what it finds then.
func TestRefresh_judgesWhatItFindsAfterTheWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile string
		want      error
	}{
		"it was ended":       {`UPDATE sessions SET ended_at = created_at, ended_as = 'logout'`, member.ErrSessionRevoked},
		"it ran out":         {`UPDATE sessions SET expires_at = created_at, idle_expires_at = created_at`, member.ErrNoSession},
		"nothing came of it": {`UPDATE sessions SET amr = amr`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDAO(t)
			login := d.ada(t)
			holder := testkit.Hold(t, d.db, c.meanwhile)
			answer := make(chan error, 1)
			go func() {
				_, _, err := d.Refresh(context.Background(), login.Cookie, login.Session.ID, audit.Origin{})
				answer <- err
			}()
			testkit.UntilWaiting(t, d.db, 1)
			holder.Commit()
			if err := <-answer; !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			rotated := testkit.Count(t, d.db, `SELECT count(*) FROM sessions WHERE rotated_at IS NOT NULL`) == 1
			if rotated != (c.want == nil) {
				t.Errorf("rotated: %v", rotated)
			}
		})
	}
}

// Without a database, or without randomness, nothing is known and nothing changes:
// the person is not signed out by it.
func TestRefresh_passesTroubleOn(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	before := testkit.Dump(t, d.db)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var down *outage.Error
	session, next, err := d.Refresh(gone, login.Cookie, login.Session.ID, audit.Origin{})
	if !errors.As(err, &down) || session.ID != uuid.Nil || next.Reveal() != "" {
		t.Errorf("without a database: %v", err)
	}
	if _, err := d.Refreshable(gone, login.Cookie); !errors.As(err, &down) {
		t.Errorf("asked whether it can be refreshed: %v", err)
	}
	dry := errors.New("dry")
	broken, err := member.NewRotation([]privacy.Key{testkit.Key(t, testkit.SealingKey)}, iotest.ErrReader(dry))
	if err != nil {
		t.Fatal(err)
	}
	rotation := d.Rotation
	d.Rotation = broken
	if _, next, err := d.refresh(t, login, login.Cookie); !errors.Is(err, dry) || next.Reveal() != "" {
		t.Errorf("without randomness: %v", err)
	}
	d.Rotation = rotation
	testkit.Exec(t, d.db, `ALTER TABLE audit_log RENAME TO away`)
	if _, next, err := d.refresh(t, login, login.Cookie); !errors.As(err, &down) || next.Reveal() != "" {
		t.Errorf("I4: without an audit log: %v", err)
	}
	testkit.Exec(t, d.db, `ALTER TABLE away RENAME TO audit_log`)
	if testkit.Dump(t, d.db) != before {
		t.Error("something changed")
	}
	d.mustRefresh(t, login, login.Cookie)
}

// A csrf value is given to whoever can refresh, and to nobody else.
func TestRefreshable_isTheRefreshWithoutTheRotation(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	want := func(name string, want error) {
		t.Helper()
		session, err := d.Refreshable(t.Context(), login.Cookie)
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err == nil && session.ID != login.Session.ID {
			t.Errorf("%s: the session %v", name, session.ID)
		}
	}
	want("fresh", nil)
	d.clock.Advance(member.IdleTTL)
	want("idle", nil)
	d.clock.Advance(member.AbsoluteTTL - member.IdleTTL)
	want("over", member.ErrNoSession)
	testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'suspended'`)
	want("suspended", member.ErrSessionRevoked)
	testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'active'`)
	want("a member again", member.ErrSessionRevoked)
}
