package user_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

func (w world) seed(a user.Account, now time.Time) (u user.User, created bool, err error) {
	err = pgx.BeginFunc(context.Background(), w.db, func(tx pgx.Tx) error {
		u, created, err = user.Seed(context.Background(), tx, a, user.Moment{Now: now, NewID: uuid.New()})
		return err
	})
	return u, created, err
}

func TestSeedingTwiceIsOneAccountAsLastTold(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	a := user.Account{
		Email: email(t, "regression-admin@example.org"), DisplayName: "Regression Admin",
		Role: user.Admin, PasswordHash: privacy.NewSecret("$argon2id$first"),
	}
	first, created, err := w.seed(a, noon)
	if err != nil || !created {
		t.Fatalf("first seed: %v, created %v", err, created)
	}
	w.exec(`UPDATE users SET status = 'SUSPENDED', email_verified = false, role = 'guest'`)

	a.Email, a.DisplayName, a.PasswordHash = email(t, "Regression-Admin@example.org"), "", privacy.NewSecret("$argon2id$second")
	second, created, err := w.seed(a, noon.Add(time.Hour))
	if err != nil || created || second.ID != first.ID {
		t.Fatalf("second seed: %v, created %v, %+v", err, created, second)
	}
	if second.Role != user.Admin || second.Status != user.Active || !second.EmailVerified ||
		second.DisplayName != nil || !second.CreatedAt.Equal(noon) {
		t.Errorf("the account is %+v", second)
	}
	if w.count("users WHERE password_hash = '$argon2id$second' AND updated_at = $1", noon.Add(time.Hour)) != 1 {
		t.Errorf("the database holds\n%s", w.dump())
	}
}

func TestSeedRefusesWhatCouldNeverSignIn(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	hash := privacy.NewSecret("$argon2id$")
	for name, a := range map[string]user.Account{
		"no password":  {Email: email(t, "a@example.org"), Role: user.Member},
		"no email":     {PasswordHash: hash, Role: user.Member},
		"unknown role": {Email: email(t, "a@example.org"), PasswordHash: hash, Role: "owner"},
	} {
		if _, _, err := w.seed(a, noon); err == nil {
			t.Errorf("%s: seeded", name)
		}
	}
	if w.count("users") != 0 {
		t.Errorf("the database holds\n%s", w.dump())
	}
}
