package signin_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

func is(status user.Status) func(*user.User) { return func(u *user.User) { u.Status = status } }
func unproven(u *user.User)                  { u.EmailVerified = false }

// Whoever asks, one verification is done, and before anything else of the account is
// looked at: the time of the answer tells nothing of it. I4: each outcome is one row.
func TestI4_FOSLogin_verifiesOnceAndRecordsOnceWhoeverAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	d.account(t, "unproven@example.org", "right", unproven)
	d.account(t, "pending@example.org", "right", is(user.Pending))
	d.account(t, "pending-unproven@example.org", "right", is(user.Pending), unproven)
	d.account(t, "suspended@example.org", "right", is(user.Suspended))
	d.account(t, "suspended-unproven@example.org", "right", is(user.Suspended), unproven)
	d.account(t, "deactivated@example.org", "right", is(user.Deactivated))
	d.account(t, "passwordless@example.org", "")
	d.account(t, "otp@example.org", "right")
	testkit.Exec(t, d.db, `UPDATE users SET totp_secret = 'a second factor' WHERE email = 'otp@example.org'`)
	const refused, created = "login.failed failure ", "session.created success password"
	const wrong = refused + "invalid_credentials"
	for _, row := range []struct {
		email, password, hash string
		want                  error
		event                 string
	}{
		{"ada@example.org", "right", "right", nil, created},
		{"ADA@Example.ORG", "right", "right", nil, created},
		{"ada@example.org", "wrong", "right", user.ErrInvalidCredentials, wrong},
		{"ada@example.org", "", "right", user.ErrInvalidCredentials, wrong},
		{"unproven@example.org", "right", "right", user.ErrEmailUnverified, refused + "email_unverified"},
		{"unproven@example.org", "wrong", "right", user.ErrInvalidCredentials, wrong},
		{"pending@example.org", "right", "right", user.ErrInactive, refused + "account_inactive"},
		{"pending-unproven@example.org", "right", "right", user.ErrEmailUnverified, refused + "email_unverified"},
		{"suspended@example.org", "right", "right", user.ErrInactive, refused + "account_inactive"},
		{"suspended@example.org", "wrong", "right", user.ErrInvalidCredentials, wrong},
		{"suspended-unproven@example.org", "right", "right", user.ErrInactive, refused + "account_inactive"},
		{"deactivated@example.org", "right", "right", user.ErrInactive, refused + "account_inactive"},
		{"otp@example.org", "right", "right", user.ErrSecondFactor, refused + "second_factor_required"},
		{"otp@example.org", "wrong", "right", user.ErrInvalidCredentials, wrong},
		{"passwordless@example.org", "right", "", user.ErrInvalidCredentials, wrong},
		{"passwordless@example.org", "", "", user.ErrInvalidCredentials, wrong},
		{"nobody@example.org", "right", "", user.ErrInvalidCredentials, wrong},
		{"no address at all", "right", "", user.ErrInvalidCredentials, wrong},
		{"ada@example.org\x00", "right", "", user.ErrInvalidCredentials, wrong},
		{"\u212Aada@example.org", "right", "", user.ErrInvalidCredentials, wrong}, // KELVIN SIGN
		{"", "", "", user.ErrInvalidCredentials, wrong},
	} {
		d.checker.asked = nil
		before, sessions := testkit.Events(t, d.db), d.sessions(t)
		entered, err := d.login(t, row.email, row.password)
		if !errors.Is(err, row.want) || (row.want == nil) != (err == nil) {
			t.Errorf("%q, %q: %v, want %v", row.email, row.password, err, row.want)
		}
		if !slices.Equal(d.checker.asked, []string{row.hash}) {
			t.Errorf("%q, %q: verified %q, want %q once", row.email, row.password, d.checker.asked, row.hash)
		}
		signedIn := err == nil
		if (entered.Pair.Access.Reveal() != "") != signedIn || (d.sessions(t) == sessions+1) != signedIn || (entered.User.ID != uuid.Nil) != signedIn {
			t.Errorf("%q, %q: %v, and there is a pair, a session or a user", row.email, row.password, err)
		}
		if events := testkit.Events(t, d.db)[len(before):]; !slices.Equal(events, []string{row.event}) {
			t.Errorf("%q, %q: recorded %q", row.email, row.password, events)
		}
	}
	for where, want := range map[string]int{
		`actor_id IN (SELECT id FROM users)`: 16, `actor_id IS NULL`: 5,
		`request_id = 'the request'`: 21, `at = '2026-11-21 12:00:00+00'`: 21,
	} {
		if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE `+where); n != want {
			t.Errorf("%d rows with %s, want %d", n, where, want)
		}
	}
}

// While one bcrypt hash is left, everybody is checked at its cost: who has it must not
// show, and neither must who has no account, or no address even.
func TestFOSLogin_costsTheSameWhoeverAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	d.account(t, "passwordless@example.org", "")
	d.account(t, "old@example.org", "$2b$12$"+strings.Repeat("a", 53))
	for _, email := range []string{
		"ada@example.org", "passwordless@example.org", "old@example.org", "nobody@example.org", "no address at all", "", "ada@example.org\x00",
	} {
		if _, err := d.login(t, email, "wrong"); !errors.Is(err, user.ErrInvalidCredentials) {
			t.Errorf("%q: %v", email, err)
		}
	}
	if !slices.Equal(d.checker.costs, []int{12, 12, 12, 12, 12, 12, 12}) {
		t.Errorf("the costs were %v", d.checker.costs)
	}
}

// I10: what a session by password is: elevated, begun and proven now.
func TestI10_aSessionByPasswordActsAsItsUser(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	founder := d.account(t, "ada@example.org", "right", func(u *user.User) { u.Role = user.Founder })
	now := d.clock.Now()
	entered := d.enters(t, "ada@example.org")
	want := session.Session{
		ID: entered.Session.ID, UserID: founder.ID, Origin: session.Password, Generation: 1, Elevated: true,
		AuthTime: now, AMR: []string{"pwd"}, CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour),
	}
	if diff := cmp.Diff(want, entered.Session); diff != "" {
		t.Errorf("the session (-want +got):\n%s", diff)
	}
	if entered.ActingRole != "founder" || entered.User.ID != founder.ID {
		t.Errorf("%s acts as %s", entered.User.ID, entered.ActingRole)
	}
	current, err := d.Current(t.Context(), entered.Pair.Access.Reveal())
	if err != nil || current.Session.ID != entered.Session.ID || current.ActingRole != "founder" {
		t.Errorf("the access token: %+v, %v", current, err)
	}
	refreshed, err := d.Refresh(t.Context(), signin.Shown{Refresh: []string{entered.Pair.Refresh.Reveal()}}, origin)
	if err != nil || refreshed.ActingRole != "founder" || refreshed.Session.Generation != 2 {
		t.Errorf("the refresh token: %+v, %v", refreshed, err)
	}
}

// What cannot be decided is no verdict on the password, and leaves nothing.
func TestFOSLogin_passesTroubleOn(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	d.checker.err = password.ErrBusy
	for _, email := range []string{"ada@example.org", "nobody@example.org"} {
		if entered, err := d.login(t, email, "right"); !errors.Is(err, password.ErrBusy) || entered.Pair.Access.Reveal() != "" {
			t.Errorf("%s: %v", email, err)
		}
	}
	d.checker.err, d.checker.asked = nil, nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var down *outage.Error
	if _, err := d.Login(gone, "ada@example.org", privacy.NewSecret("right"), origin); !errors.As(err, &down) || d.checker.asked != nil {
		t.Errorf("without a database: %v, verified %q", err, d.checker.asked)
	}
	d.Random = iotest.ErrReader(errors.New("no entropy"))
	if _, err := d.login(t, "ada@example.org", "right"); err == nil {
		t.Error("a session without randomness")
	}
	if got := testkit.Events(t, d.db); len(got) != 0 || d.sessions(t) != 0 {
		t.Errorf("recorded %v, %d sessions", got, d.sessions(t))
	}
}

// I4: no row, no credential; and no refusal either, or passwords could be tried
// without a trace.
func TestI4_aLoginThatCannotBeRecordedIsAnOutage(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	testkit.Exec(t, d.db, `ALTER TABLE audit_log RENAME TO away`)
	for _, plain := range []string{"right", "wrong"} {
		var down *outage.Error
		entered, err := d.login(t, "ada@example.org", plain)
		if !errors.As(err, &down) || errors.Is(err, user.ErrInvalidCredentials) || entered.Pair.Access.Reveal() != "" {
			t.Errorf("%s: %v", plain, err)
		}
	}
	if n := d.sessions(t); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
