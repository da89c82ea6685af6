package signin_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Checking a password takes a while. The attack is to begin a session in it, with a
// password that its owner is changing at that moment, or on an account that an
// operator is shutting.
func TestLogin_whatChangesMeanwhileIsHeeded(t *testing.T) {
	t.Parallel()
	const invalid = "login.failed failure invalid_credentials"
	for name, c := range map[string]struct {
		change string
		want   error
		asked  []string
		events []string
	}{
		"the password": {
			`UPDATE members SET password_hash = 'another'`, member.ErrInvalidCredentials, []string{"right", "another"}, []string{invalid},
		},
		"to none": {
			`UPDATE members SET password_hash = NULL`, member.ErrInvalidCredentials, []string{"right", ""}, []string{invalid},
		},
		"the membership": {
			`UPDATE members SET membership_status = 'suspended'`, member.ErrInactive, []string{"right", "right"},
			[]string{"login.failed failure account_inactive"},
		},
		"the account is gone": {
			`DELETE FROM members`, member.ErrInvalidCredentials, []string{"right", ""}, []string{invalid},
		},
		"the name only": {
			`UPDATE members SET display_name = 'Countess', membership_status = 'pending'`, nil, []string{"right"},
			[]string{"session.created success password"},
		},
		"again and again": {
			`UPDATE members SET password_hash = password_hash || '#'`, member.ErrInvalidCredentials, []string{"right", "right#"}, []string{invalid},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDAO(t)
			d.member(t, "ada@example.org", "right", member.Active)
			d.checker.meanwhile = func() { testkit.Exec(t, d.db, c.change) }
			login, err := d.login(t, "ada@example.org", "right")
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if !slices.Equal(d.checker.asked, c.asked) {
				t.Errorf("verified %q, want %q", d.checker.asked, c.asked)
			}
			if got := testkit.Events(t, d.db); !slices.Equal(got, c.events) {
				t.Errorf("I4: recorded %q, want %q", got, c.events)
			}
			sessions := testkit.Count(t, d.db, `SELECT count(*) FROM sessions`)
			if begun := login.Cookie.Reveal() != ""; begun != (c.want == nil) || (sessions == 1) != (c.want == nil) {
				t.Errorf("a cookie: %v, and %d sessions", begun, sessions)
			}
		})
	}
}

// The change may be on its way when the password has been checked: the session waits
// for it, and judges what it finds then.
func TestLogin_waitsForAChangeThatIsOnItsWay(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	owner := testkit.Hold(t, d.db, `UPDATE members SET password_hash = 'another'`)
	answer := make(chan error, 1)
	go func() {
		_, err := d.Login(context.Background(), "ada@example.org", privacy.NewSecret("right"), audit.Origin{})
		answer <- err
	}()
	testkit.UntilWaiting(t, d.db, 1)
	owner.Commit()
	if err := <-answer; !errors.Is(err, member.ErrInvalidCredentials) {
		t.Errorf("the password of before: %v", err)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM sessions`); n != 0 {
		t.Errorf("%d sessions by the password of before", n)
	}
}
