package signin_test

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// ada is a member who is signed in.
func (d *dao) ada(t testing.TB) signin.Login {
	t.Helper()
	d.member(t, "ada@example.org", "right", member.Active)
	return d.again(t, "ada@example.org")
}

// again signs a member in, once more.
func (d *dao) again(t testing.TB, email string) signin.Login {
	t.Helper()
	login, err := d.login(t, email, "right")
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// refresh shows a cookie of the login's session.
func (d *dao) refresh(t testing.TB, of signin.Login, cookie member.Cookie) (member.Session, member.Cookie, error) {
	t.Helper()
	return d.Refresh(t.Context(), cookie, of.Session.ID, audit.Origin{RequestID: "a refresh"})
}

// mustRefresh is refresh for cookies that are good.
func (d *dao) mustRefresh(t testing.TB, of signin.Login, cookie member.Cookie) member.Cookie {
	t.Helper()
	_, next, err := d.refresh(t, of, cookie)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// A refresh gives another cookie and a new half hour, and changes nothing else: who
// the person is, and when and how they proved it (I10).
func TestRefresh_rotatesAndExtends(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	d.clock.Advance(10 * time.Minute)
	session, next, err := d.refresh(t, login, login.Cookie)
	if err != nil {
		t.Fatal(err)
	}
	want := login.Session
	want.IdleExpiresAt = d.clock.Now().Add(30 * time.Minute)
	if diff := cmp.Diff(want, session, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("the session (-want +got):\n%s", diff)
	}
	if next.Reveal() == login.Cookie.Reveal() {
		t.Error("the cookie is the same")
	}
	d.clock.Advance(30*time.Minute - time.Microsecond)
	found, who, err := d.Current(t.Context(), next)
	if err != nil || who.ID != login.Member.ID {
		t.Fatalf("the last moment: %v", err)
	}
	if diff := cmp.Diff(want, found, cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
	if _, _, err := d.Current(t.Context(), login.Cookie); !errors.Is(err, member.ErrNoSession) {
		t.Errorf("the cookie before is good for half an hour: %v", err)
	}
}

// Seven days after signing in it is over, however often it was extended; and until
// then it comes back from any sleep.
func TestRefresh_neverGoesPastTheAbsoluteEnd(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	end := login.Session.ExpiresAt
	cookie := login.Cookie
	for _, sleep := range []time.Duration{30 * time.Minute, 5 * 24 * time.Hour, 47 * time.Hour, 20 * time.Minute, 10*time.Minute - time.Microsecond} {
		d.clock.Advance(sleep)
		session, next, err := d.refresh(t, login, cookie)
		if err != nil {
			t.Fatalf("at %v: %v", d.clock.Now(), err)
		}
		want := d.clock.Now().Add(30 * time.Minute)
		if want.After(end) {
			want = end
		}
		if !session.IdleExpiresAt.Equal(want) || !session.ExpiresAt.Equal(end) {
			t.Errorf("at %v: idle until %v, at most %v, want %v, %v", d.clock.Now(), session.IdleExpiresAt, session.ExpiresAt, want, end)
		}
		cookie = next
	}
	d.clock.Advance(end.Sub(d.clock.Now()))
	if _, next, err := d.refresh(t, login, cookie); !errors.Is(err, member.ErrNoSession) || next.Reveal() != "" {
		t.Errorf("at the end: %v", err)
	}
}

// Who may finish signing up here may also stay.
func TestRefresh_pendingAndUnverifiedMembersMayStay(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "pending@example.org", "right", member.Pending)
	d.member(t, "unverified@example.org", "right", member.Active)
	testkit.Exec(t, d.db, `UPDATE members SET email_verified = false WHERE email = 'unverified@example.org'`)
	for _, email := range []string{"pending@example.org", "unverified@example.org"} {
		login := d.again(t, email)
		d.mustRefresh(t, login, login.Cookie)
	}
}

// A refusal names its reason, gives nothing, and leaves everything as it is: not
// even a stolen cookie ends a session that it does not belong to any more.
func TestRefresh_refusesAndChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "eve@example.org", "right", member.Active)
	other := d.again(t, "eve@example.org")
	logout := func(t *testing.T, cookie member.Cookie, id uuid.UUID) {
		if err := d.Logout(t.Context(), cookie, id, audit.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		happens func(t *testing.T, login *signin.Login)
		want    error
	}{
		"seven days have passed": {func(*testing.T, *signin.Login) { d.clock.Advance(7 * 24 * time.Hour) }, member.ErrNoSession},
		"they signed out": {func(t *testing.T, login *signin.Login) {
			logout(t, login.Cookie, login.Session.ID)
		}, member.ErrSessionRevoked},
		"they signed out seven days ago": {func(t *testing.T, login *signin.Login) {
			logout(t, login.Cookie, login.Session.ID)
			d.clock.Advance(7 * 24 * time.Hour)
		}, member.ErrSessionRevoked},
		"they signed out in another tab, which had refreshed": {func(t *testing.T, login *signin.Login) {
			logout(t, d.mustRefresh(t, *login, login.Cookie), login.Session.ID)
		}, member.ErrSessionRevoked},
		"they signed out in a tab that had not": {func(t *testing.T, login *signin.Login) {
			next := d.mustRefresh(t, *login, login.Cookie)
			logout(t, login.Cookie, login.Session.ID)
			login.Cookie = next
		}, member.ErrSessionRevoked},
		"the member was suspended": {func(t *testing.T, login *signin.Login) {
			testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'suspended' WHERE id = $1`, login.Member.ID)
		}, member.ErrSessionRevoked},
		"the membership ended, and another tab had refreshed": {func(t *testing.T, login *signin.Login) {
			d.mustRefresh(t, *login, login.Cookie)
			testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'ended' WHERE id = $1`, login.Member.ID)
		}, member.ErrSessionRevoked},
		"the csrf value is of another session": {func(_ *testing.T, login *signin.Login) {
			login.Session.ID = other.Session.ID
		}, member.ErrCSRF},
		"the csrf value is of another session, and the cookie the one before": {func(t *testing.T, login *signin.Login) {
			d.mustRefresh(t, *login, login.Cookie)
			login.Session.ID = other.Session.ID
		}, member.ErrCSRF},
		"the csrf value is of a session that is gone": {func(_ *testing.T, login *signin.Login) {
			login.Session.ID = uuid.New()
		}, member.ErrCSRF},
		"the cookie is of nobody": {func(t *testing.T, login *signin.Login) {
			unknown, err := member.NewCookie(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			login.Cookie = unknown
		}, member.ErrNoSession},
		"the cookie is two rotations old": {func(t *testing.T, login *signin.Login) {
			next := d.mustRefresh(t, *login, login.Cookie)
			d.clock.Advance(30 * time.Second)
			d.mustRefresh(t, *login, next)
		}, member.ErrNoSession},
	} {
		email := strings.ReplaceAll(name, " ", "-") + "@example.org"
		d.member(t, email, "right", member.Active)
		login := d.again(t, email)
		row.happens(t, &login)
		before := testkit.Dump(t, d.db)
		session, next, err := d.refresh(t, login, login.Cookie)
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
		if session.ID != uuid.Nil || next.Reveal() != "" {
			t.Errorf("%s: a session is given beside the error", name)
		}
		if after := testkit.Dump(t, d.db); after != before {
			t.Errorf("%s: something changed (-before +after):\n%s", name, cmp.Diff(before, after))
		}
	}
}

// The rule "may this session be refreshed" stands in Go and in the statement; they
// must agree at every edge, or the one would rotate what the other refuses.
func TestRefresh_theStatementAgreesWithTheRule(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	edges := []time.Duration{-time.Hour, -time.Microsecond, 0, time.Microsecond, time.Hour}
	outcomes := map[bool]int{}
	for _, status := range []member.Status{member.Active, member.Pending, member.Suspended, member.Ended} {
		for _, idle := range edges {
			for _, absolute := range edges {
				for _, ended := range []bool{true, false} {
					now := d.clock.Now()
					session := member.Session{IdleExpiresAt: now.Add(idle), ExpiresAt: now.Add(absolute)}
					if ended {
						session.EndedAt = &now
					}
					testkit.Exec(t, d.db, `UPDATE members SET membership_status = $1`, string(status))
					testkit.Exec(t, d.db, `UPDATE sessions SET digest = $1, previous_digest = NULL, rotated_at = NULL, rotation_nonce = NULL,
						created_at = $3::timestamptz - interval '1 day', idle_expires_at = $2, expires_at = $3, ended_at = $4,
						ended_as = CASE WHEN $4::timestamptz IS NOT NULL THEN 'logout' END`,
						login.Cookie.Digest(), session.IdleExpiresAt, session.ExpiresAt, session.EndedAt)
					_, _, err := d.refresh(t, login, login.Cookie)
					rotated := testkit.Count(t, d.db, `SELECT count(*) FROM sessions WHERE rotated_at IS NOT NULL`) == 1
					want := session.CheckRefreshable(now) == nil && !status.Stopped()
					if rotated != want || (err == nil) != want {
						t.Errorf("%s, idle %v, absolute %v, ended %v: rotated %v with %v, want %v", status, idle, absolute, ended, rotated, err, want)
					}
					outcomes[want]++
				}
			}
		}
	}
	if outcomes[true] == 0 || outcomes[false] == 0 {
		t.Errorf("outcomes %v", outcomes)
	}
}

// I4: a refresh that went well is one row, with all that a row has.
func TestI4_aRefreshIsRecordedOnce(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	login := d.ada(t)
	d.clock.Advance(time.Minute)
	next := d.mustRefresh(t, login, login.Cookie)
	d.mustRefresh(t, login, login.Cookie)
	d.mustRefresh(t, login, next)
	want := []string{
		"session.created success password", "session.refreshed success rotated",
		"session.refreshed success converged", "session.refreshed success converged",
	}
	if got := testkit.Events(t, d.db); !slices.Equal(got, want) {
		t.Errorf("recorded %v", got)
	}
	n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND actor_id = $1 AND at = $2 AND request_id = 'a refresh'`,
		login.Member.ID, d.clock.Now())
	if n != 3 {
		t.Errorf("%d of 3 rows are complete", n)
	}
}
