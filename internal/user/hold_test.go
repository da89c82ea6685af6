package user_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// adaWithHash is an account that may enter, as it was read before its password was
// checked.
func adaWithHash(t testing.TB) (world, user.Credentials) {
	t.Helper()
	w := world{t, testkit.Database(t, datastore.FOS)}
	w.withHash("ada@example.org", argon2id)
	w.withHash("bob@example.org", bcryptOf("12"))
	c, err := w.credentials("ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	return w, c
}

// hold is one hold in a transaction of its own, which does not wait for ever.
func (w world) hold(c user.Credentials) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return pgx.BeginFunc(ctx, w.db, func(tx pgx.Tx) error { return user.Hold(ctx, tx, c) })
}

// I9: the account that gets a session is the one whose password was checked. Each way
// in which it can have become another, or one that may not enter, is noticed.
func TestI9_anAccountIsHeldOnlyAsItWasChecked(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		change string
		want   error
	}{
		"as it was":         {`SELECT 1`, nil},
		"another name":      {`UPDATE users SET display_name = 'Countess', updated_at = now()`, nil},
		"another role":      {`UPDATE users SET role = 'guest'`, nil},
		"a neighbour's":     {`DELETE FROM users WHERE email = 'bob@example.org'`, nil},
		"another hash":      {`UPDATE users SET password_hash = password_hash || 'x'`, user.ErrRaced},
		"no hash":           {`UPDATE users SET password_hash = NULL`, user.ErrRaced},
		"pending":           {`UPDATE users SET status = 'PENDING'`, user.ErrRaced},
		"suspended":         {`UPDATE users SET status = 'SUSPENDED'`, user.ErrRaced},
		"deactivated":       {`UPDATE users SET status = 'DEACTIVATED'`, user.ErrRaced},
		"unverified":        {`UPDATE users SET email_verified = false`, user.ErrRaced},
		"a second factor":   {`UPDATE users SET totp_secret = 'shared'`, user.ErrRaced},
		"deleted":           {`DELETE FROM users`, user.ErrRaced},
		"somebody else now": {`UPDATE users SET id = gen_random_uuid() WHERE email = 'ada@example.org'`, user.ErrRaced},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c := adaWithHash(t)
			w.exec(story.change)
			if err := w.hold(c); !errors.Is(err, story.want) || (story.want == nil) != (err == nil) {
				t.Errorf("%v, want %v", err, story.want)
			}
		})
	}
}

// Nobody is held by having no password: an account without one is not the one that
// was checked, whatever the caller thinks.
func TestI9_anAccountWithoutAPasswordIsNeverHeld(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	w.withHash("ada@example.org", "")
	c, err := w.credentials("ada@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.hold(c); !errors.Is(err, user.ErrRaced) {
		t.Errorf("Ada: %v", err)
	}
	if err := w.hold(user.Credentials{}); !errors.Is(err, user.ErrRaced) {
		t.Errorf("nobody: %v", err)
	}
}

// Whoever changes the account waits until the session of the one who holds it is
// committed, and two who sign in at once do not wait for each other.
func TestI9_whoChangesAHeldAccountWaits(t *testing.T) {
	t.Parallel()
	w, c := adaWithHash(t)
	ctx := context.Background()
	held := testkit.Hold(t, w.db, "")
	if err := user.Hold(ctx, held.Tx, c); err != nil {
		t.Fatal(err)
	}
	if err := w.hold(c); err != nil {
		t.Fatal(err)
	}
	changed := make(chan error, 1)
	go func() {
		_, err := w.db.Exec(ctx, `UPDATE users SET password_hash = NULL`)
		changed <- err
	}()
	testkit.UntilWaiting(t, w.db, 1)
	held.Commit()
	if err := <-changed; err != nil {
		t.Error(err)
	}
	if err := w.hold(c); !errors.Is(err, user.ErrRaced) {
		t.Errorf("afterwards: %v", err)
	}
}

func TestHoldingWithoutADatabaseIsAnOutage(t *testing.T) {
	t.Parallel()
	w, c := adaWithHash(t)
	tx, err := w.db.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Conn().Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if down := (*outage.Error)(nil); !errors.As(user.Hold(context.Background(), tx, c), &down) {
		t.Error("Hold on a closed connection is no outage")
	}
	if err := tx.Rollback(context.Background()); err == nil {
		t.Error("a closed connection rolled back")
	}
}

// A hash is replaced where it still is the one that was verified, and nowhere else.
func TestAHashIsReplacedOnlyWhereItIsTheOneThatWasVerified(t *testing.T) {
	t.Parallel()
	const replacement = "$argon2id$the replacement"
	for name, story := range map[string]struct {
		change string
		want   string
	}{
		"as it was":        {`SELECT 1`, replacement},
		"another password": {`UPDATE users SET password_hash = 'new'`, "new"},
		"none any more":    {`UPDATE users SET password_hash = NULL`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, c := adaWithHash(t)
			w.exec(story.change)
			now := noon.Add(time.Hour)
			if err := user.Rehash(t.Context(), w.db, c, privacy.NewSecret(replacement), now); err != nil {
				t.Fatal(err)
			}
			if w.count(`users WHERE id = $1 AND coalesce(password_hash, '') = $2`, c.ID, story.want) != 1 {
				t.Errorf("the database holds\n%s", w.dump())
			}
			replaced := 0
			if story.want == replacement {
				replaced = 1
			}
			// Bob is as he was, and the row says when it was changed.
			if w.count(`users WHERE updated_at = $1`, now) != replaced || w.count(`users WHERE password_hash = $1`, replacement) != replaced {
				t.Errorf("the database holds\n%s", w.dump())
			}
		})
	}
}
