package signin_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// A password takes a fifth of a second to check. These are stories of what happens to
// the account in it. The attack: to hold a session of an account that its owner has
// just taken back, or that was just locked.

func TestI9_anAccountThatChangesWhileItsPasswordIsCheckedIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		change string
		asked  []string // what the second look verified
		want   error
	}{
		"the owner chose another password": {`UPDATE users SET password_hash = 'new'`, []string{"right", "new"}, user.ErrInvalidCredentials},
		"the password was taken away":      {`UPDATE users SET password_hash = NULL`, []string{"right", ""}, user.ErrInvalidCredentials},
		"suspended":                        {`UPDATE users SET status = 'SUSPENDED'`, []string{"right", "right"}, user.ErrInactive},
		"deactivated":                      {`UPDATE users SET status = 'DEACTIVATED'`, []string{"right", "right"}, user.ErrInactive},
		"pending again":                    {`UPDATE users SET status = 'PENDING'`, []string{"right", "right"}, user.ErrInactive},
		"the address is not proven now":    {`UPDATE users SET email_verified = false`, []string{"right", "right"}, user.ErrEmailUnverified},
		"a second factor was added":        {`UPDATE users SET totp_secret = 'new'`, []string{"right", "right"}, user.ErrSecondFactor},
		"deleted":                          {`DELETE FROM users`, []string{"right", ""}, user.ErrInvalidCredentials},
		"another name, which is no matter": {`UPDATE users SET display_name = 'Countess', updated_at = now()`, []string{"right"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.account(t, "ada@example.org", "right")
			d.checker.meanwhile = []func(){func() { testkit.Exec(t, d.db, story.change) }}
			entered, err := d.login(t, "ada@example.org", "right")
			if !errors.Is(err, story.want) || (story.want == nil) != (err == nil) || errors.Is(err, user.ErrRaced) {
				t.Errorf("%v, want %v", err, story.want)
			}
			if !slices.Equal(d.checker.asked, story.asked) {
				t.Errorf("verified %q, want %q", d.checker.asked, story.asked)
			}
			signedIn := err == nil
			if (entered.Pair.Access.Reveal() != "") != signedIn || (d.sessions(t) == 1) != signedIn {
				t.Errorf("%v, and %d sessions", err, d.sessions(t))
			}
			if events := testkit.Events(t, d.db); len(events) != 1 { // I4
				t.Errorf("recorded %q", events)
			}
		})
	}
}

// Two browsers sign in at once with an old hash, and both replacements are good: the
// one that comes second is not turned away for the first one's.
func TestFOSLogin_aHashThatAnotherLoginReplacedIsNoWrongPassword(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ada := d.account(t, "ada@example.org", "right")
	d.checker.meanwhile = []func(){func() { testkit.Exec(t, d.db, `UPDATE users SET password_hash = 'right#'`) }}
	entered := d.enters(t, "ada@example.org")
	if entered.User.ID != ada.ID || d.sessions(t) != 1 || !slices.Equal(d.checker.asked, []string{"right", "right#"}) {
		t.Errorf("%s, %d sessions, verified %q", entered.User.ID, d.sessions(t), d.checker.asked)
	}
	if events := testkit.Events(t, d.db); !slices.Equal(events, []string{"session.created success password"}) {
		t.Errorf("recorded %q", events)
	}
}

// Looking again has an end, or an account that changes all the time would be hashed
// for all the time.
func TestFOSLogin_looksTwiceAndNoMore(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	change := func() { testkit.Exec(t, d.db, `UPDATE users SET password_hash = password_hash || '#'`) }
	d.checker.meanwhile = []func(){change, change, change}
	if entered, err := d.login(t, "ada@example.org", "right"); !errors.Is(err, user.ErrInvalidCredentials) || entered.Pair.Access.Reveal() != "" {
		t.Errorf("%v", err)
	}
	if !slices.Equal(d.checker.asked, []string{"right", "right#"}) || d.sessions(t) != 0 {
		t.Errorf("verified %q, %d sessions", d.checker.asked, d.sessions(t))
	}
	if events := testkit.Events(t, d.db); !slices.Equal(events, []string{"login.failed failure invalid_credentials"}) {
		t.Errorf("recorded %q", events)
	}
}

// reclaim is a hand-off of the owner, which empties the account if it is unproven.
func reclaim(t testing.TB, d *desk, tx pgx.Tx, email string) {
	t.Helper()
	resolution, err := user.Resolve(t.Context(), tx, user.Arrival{
		Subject: uuid.New(), Email: testkit.Email(t, email), EmailVerified: true,
	}, user.Moment{Now: d.clock.Now(), NewID: uuid.New()})
	if err != nil || resolution.Action != user.Reclaimed {
		t.Errorf("the owner's arrival: %+v, %v", resolution, err)
	}
}

// Somebody made an account under Ada's address and proved it once; an operator took
// the proof back; Ada arrives by hand-off while the stranger is signing in.
func TestI9_aReclaimWhileThePasswordIsCheckedLeavesTheStrangerOutside(t *testing.T) {
	t.Parallel()
	for name, proven := range map[string]bool{"the account was read as proven": true, "it was read as unproven": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			stranger := d.account(t, "ada@example.org", "right", func(u *user.User) { u.EmailVerified = proven })
			d.checker.meanwhile = []func(){func() {
				testkit.Exec(t, d.db, `UPDATE users SET email_verified = false`)
				err := pgx.BeginFunc(t.Context(), d.db, func(tx pgx.Tx) error {
					reclaim(t, d, tx, "ada@example.org")
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}}
			if entered, err := d.login(t, "ada@example.org", "right"); err == nil || entered.Pair.Access.Reveal() != "" {
				t.Errorf("the stranger: %v", err)
			}
			if d.sessions(t) != 0 || d.hashOf(t, stranger) != "" {
				t.Errorf("%d sessions, hash %q", d.sessions(t), d.hashOf(t, stranger))
			}
			if _, err := d.login(t, "ada@example.org", "right"); !errors.Is(err, user.ErrInvalidCredentials) {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// The same at its narrowest: the password is checked, the reclaim has not committed
// yet. Beginning the session waits for it, and then looks.
func TestI9_aSessionWaitsForAReclaimThatIsUnderWay(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	owner := testkit.Hold(t, d.db, "")
	d.checker.meanwhile = []func(){func() {
		if _, err := owner.Tx.Exec(t.Context(), `UPDATE users SET email_verified = false`); err != nil {
			t.Error(err)
		}
		reclaim(t, d, owner.Tx, "ada@example.org")
	}}
	done := make(chan error, 1)
	go func() {
		_, err := d.Login(context.Background(), "ada@example.org", privacy.NewSecret("right"), origin)
		done <- err
	}()
	testkit.UntilWaiting(t, d.db, 1)
	owner.Commit()
	if err := <-done; !errors.Is(err, user.ErrInvalidCredentials) {
		t.Errorf("the stranger: %v", err)
	}
	if d.sessions(t) != 0 {
		t.Error("the stranger has a session")
	}
}
