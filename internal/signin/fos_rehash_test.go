package signin_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

// rehashing is the real store, with something that happens before a hash is replaced.
type rehashing struct {
	*signin.FOSStore
	before func() error
}

func (r *rehashing) Rehash(ctx context.Context, account user.Credentials, replacement privacy.Secret, now time.Time) error {
	if err := r.before(); err != nil {
		return err
	}
	return r.FOSStore.Rehash(ctx, account, replacement, now)
}

// rehashingDesk is a desk at which Ada's hash is to be replaced.
func rehashingDesk(t testing.TB, before func() error) (*desk, user.User) {
	t.Helper()
	d := newDesk(t)
	d.Store = &rehashing{signin.NewFOSStore(d.db), before}
	d.checker.replacement = "right##"
	return d, d.account(t, "ada@example.org", "right")
}

// The person does not wait for it, nor does it end with their request; the process
// waits for it before its stores are closed.
func TestFOSLogin_aReplacementIsStoredBehindTheAnswer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	d, ada := rehashingDesk(t, func() error { <-release; return nil })
	d.clock.Advance(time.Minute)
	request, answered := context.WithCancel(t.Context())
	if _, err := d.Login(request, "ada@example.org", privacy.NewSecret("right"), origin); err != nil {
		t.Fatal(err)
	}
	answered()
	if hash := d.hashOf(t, ada); hash != "right" {
		t.Errorf("before the answer the hash was %q", hash)
	}
	close(release)
	d.Wait()
	if hash := d.hashOf(t, ada); hash != "right##" {
		t.Errorf("behind the answer the hash is %q", hash)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM users WHERE updated_at = $1`, d.clock.Now()); n != 1 {
		t.Error("updated_at does not say when")
	}
	d.enters(t, "ada@example.org")
}

// The attack of carelessness: the old password, hashed anew, takes the place of the
// one that its owner has just chosen.
func TestFOSLogin_aReplacementNeverUndoesAChangeOfThePassword(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct{ change, hash string }{
		"another password": {`UPDATE users SET password_hash = 'new'`, "new"},
		"no password":      {`UPDATE users SET password_hash = NULL`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var d *desk
			d, ada := rehashingDesk(t, func() error {
				_, err := d.db.Exec(context.Background(), story.change)
				return err
			})
			d.enters(t, "ada@example.org")
			d.Wait()
			if hash := d.hashOf(t, ada); hash != story.hash {
				t.Errorf("the hash is %q, want %q", hash, story.hash)
			}
		})
	}
}

// What is lost here is done at the next login; nobody is turned away for it.
func TestFOSLogin_aReplacementThatFailsIsLoggedAndLosesNothing(t *testing.T) {
	t.Parallel()
	away := true
	d, ada := rehashingDesk(t, func() error {
		if away {
			return errors.New("the database is away")
		}
		return nil
	})
	d.enters(t, "ada@example.org")
	d.Wait()
	lines := d.s.Log.Lines("a password hash was not replaced")
	if len(lines) != 1 || !strings.Contains(lines[0], ada.ID.String()) || !strings.Contains(lines[0], "the database is away") {
		t.Errorf("the log says %q", lines)
	}
	if log := d.s.Log.String(); strings.Contains(log, "right") || strings.Contains(log, "example.org") { // I6
		t.Errorf("the log says too much: %s", log)
	}
	if hash := d.hashOf(t, ada); hash != "right" {
		t.Errorf("the hash is %q", hash)
	}
	away = false
	d.enters(t, "ada@example.org")
	d.Wait()
	if hash := d.hashOf(t, ada); hash != "right##" {
		t.Errorf("after the next login the hash is %q", hash)
	}
}

// Who is not let in leaves no trace in the account, be their password ever so right.
func TestFOSLogin_onlyWhoEntersGetsTheirHashReplaced(t *testing.T) {
	t.Parallel()
	d, ada := rehashingDesk(t, func() error { t.Error("a hash is replaced"); return nil })
	d.checker.meanwhile = []func(){func() { testkit.Exec(t, d.db, `UPDATE users SET status = 'SUSPENDED'`) }}
	if _, err := d.login(t, "ada@example.org", "right"); !errors.Is(err, user.ErrInactive) {
		t.Errorf("suspended while their password was checked: %v", err)
	}
	for _, change := range []string{
		`UPDATE users SET status = 'SUSPENDED'`, `UPDATE users SET status = 'ACTIVE', email_verified = false`,
		`UPDATE users SET email_verified = true, totp_secret = 'a second factor'`,
	} {
		testkit.Exec(t, d.db, change)
		if _, err := d.login(t, "ada@example.org", "right"); err == nil {
			t.Errorf("after %s they entered", change)
		}
	}
	if _, err := d.login(t, "ada@example.org", "wrong"); !errors.Is(err, user.ErrInvalidCredentials) {
		t.Error(err)
	}
	d.Wait()
	if hash := d.hashOf(t, ada); hash != "right" {
		t.Errorf("the hash is %q", hash)
	}
}

// With the real hashes: who has a bcrypt one signs in with it once, and has an
// Argon2id one afterwards, of the same password.
func TestFOSLogin_aLegacyHashIsReplaced(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *signin.FOSConfig) {
		c.Passwords = user.Passwords{
			Hasher: password.NewHasher(password.Limits{Concurrent: 1, Queue: 4}), Log: slog.New(slog.DiscardHandler),
		}
	})
	legacy, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	ada := d.account(t, "ada@example.org", string(legacy))
	d.enters(t, "ada@example.org")
	d.Wait()
	replaced := d.hashOf(t, ada)
	if !strings.HasPrefix(replaced, "$argon2id$v=19$m=65536,t=3,p=4$") {
		t.Fatalf("the hash is %q", replaced)
	}
	d.enters(t, "ada@example.org")
	d.Wait()
	if again := d.hashOf(t, ada); again != replaced {
		t.Error("a hash that is as it should be was replaced")
	}
}
