package signin_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// leave signs out with this cookie and the csrf value of this session.
func (d *dao) leave(t testing.TB, cookie member.Cookie, session uuid.UUID) error {
	t.Helper()
	return d.Logout(t.Context(), cookie, session, audit.Origin{})
}

// Who wants out gets out: also a browser whose answer was lost, or whose session a
// thief has refreshed since, and which has no newer cookie than one from long ago.
func TestLogout_withACookieFromBefore(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	for name, rotate := range map[string]func(t *testing.T, login signin.Login) member.Cookie{
		"the one of now": func(_ *testing.T, login signin.Login) member.Cookie { return login.Cookie },
		"the one before": func(t *testing.T, login signin.Login) member.Cookie { return d.mustRefresh(t, login, login.Cookie) },
		"the one before, an hour ago": func(t *testing.T, login signin.Login) member.Cookie {
			next := d.mustRefresh(t, login, login.Cookie)
			d.clock.Advance(time.Hour)
			return next
		},
		"one of long ago": func(t *testing.T, login signin.Login) member.Cookie {
			cookie := login.Cookie
			for range 3 {
				cookie = d.mustRefresh(t, login, cookie)
				d.clock.Advance(time.Minute)
			}
			return cookie
		},
	} {
		login := d.again(t, "ada@example.org")
		current := rotate(t, login)
		if err := d.leave(t, login.Cookie, login.Session.ID); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := d.Current(t.Context(), current); !errors.Is(err, member.ErrSessionRevoked) {
			t.Errorf("%s: whoever has the newest cookie is still signed in: %v", name, err)
		}
	}
}

// The attack: a neighbour plants the csrf value of a session of their own, so that
// this one ends in place of the person's, who believes that they are out. A cookie
// that is another session's, of now or before, leaves none.
func TestLogout_withAnotherSessionsCookie(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "mallory@example.org", "right", member.Active)
	mallory, ada := d.again(t, "mallory@example.org"), d.ada(t)
	before := testkit.Events(t, d.db)
	if err := d.leave(t, ada.Cookie, mallory.Session.ID); !errors.Is(err, member.ErrCSRF) {
		t.Errorf("with the cookie of now: %v", err)
	}
	next := d.mustRefresh(t, ada, ada.Cookie)
	for name, cookie := range map[string]member.Cookie{"before": ada.Cookie, "now": next} {
		if err := d.leave(t, cookie, mallory.Session.ID); !errors.Is(err, member.ErrCSRF) {
			t.Errorf("with the cookie of %s, after a refresh: %v", name, err)
		}
	}
	if got := testkit.Events(t, d.db); !slices.Equal(got, append(before, "session.refreshed success rotated")) {
		t.Errorf("recorded %v", got)
	}
	for name, login := range map[string]signin.Login{"ada": {Cookie: next}, "mallory": mallory} {
		if _, _, err := d.Current(t.Context(), login.Cookie); err != nil {
			t.Errorf("%s is signed out: %v", name, err)
		}
	}
}

// I4: an end is recorded once, and only what could still have been used has one:
// asleep it could be woken, after seven days it is over.
func TestI4_onlyASessionThatIsThereEnds(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	over := d.again(t, "ada@example.org")
	d.clock.Advance(member.AbsoluteTTL - time.Hour)
	asleep := d.again(t, "ada@example.org")
	d.clock.Advance(time.Hour)
	nobody, err := member.NewCookie(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, login := range []signin.Login{over, asleep, asleep} {
		if err := d.leave(t, login.Cookie, login.Session.ID); err != nil {
			t.Error(err)
		}
	}
	if err := d.leave(t, nobody, uuid.New()); err != nil {
		t.Errorf("a session that was never there: %v", err)
	}
	want := []string{"session.created success password", "session.created success password", "session.ended success logout"}
	if got := testkit.Events(t, d.db); !slices.Equal(got, want) {
		t.Errorf("recorded %v", got)
	}
	n := testkit.Count(t, d.db, `SELECT count(*) FROM sessions WHERE id = $1 AND ended_at = $2 AND ended_as = 'logout'`, asleep.Session.ID, d.clock.Now())
	if n != 1 {
		t.Error("the row does not say that it ended")
	}
}
