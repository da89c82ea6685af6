package seed_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// hash stands for a PHC string; nobody signs in in these stories.
var hash = privacy.NewSecret("$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2E$aGFzaA")

func seeder(pool *pgxpool.Pool) *seed.Seeder {
	return seed.New(pool, pool.Config().ConnConfig.Database, noon)
}

func ada(t testing.TB, change ...func(*member.Account)) member.Account {
	t.Helper()
	account := member.Account{PasswordHash: hash, Member: member.Member{
		Email: testkit.Email(t, "ada@example.org"), EmailVerified: true, Roles: []string{}, Status: member.Active,
	}}
	for _, alter := range change {
		alter(&account)
	}
	return account
}

func regression(t testing.TB) []user.Account {
	t.Helper()
	accounts, err := seed.Regression(hash)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

func TestTheRegressionAccountsAreTheThreeThatTheTestsOfThePlatformKnow(t *testing.T) {
	t.Parallel()
	got := map[string]user.Role{}
	for _, account := range regression(t) {
		got[account.Email.Reveal()] = account.Role
	}
	want := map[string]user.Role{
		"regression-founder@founderyos.dev": user.Founder, "regression-admin@founderyos.dev": user.Admin,
		"regression-member@founderyos.dev": user.Member,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
}

func TestSeedingTwiceIsSeedingOnce(t *testing.T) {
	t.Parallel()
	dao, fos := testkit.Database(t, datastore.DAO), testkit.Database(t, datastore.FOS)
	founder := regression(t)[0]
	for half, do := range map[string]func() (seed.Seeded, error){
		"dao": func() (seed.Seeded, error) { return seeder(dao).Member(t.Context(), ada(t)) },
		"fos": func() (seed.Seeded, error) { return seeder(fos).Account(t.Context(), founder) },
	} {
		first, err := do()
		if err != nil || !first.Created {
			t.Fatalf("%s: %+v, %v", half, first, err)
		}
		second, err := do()
		if err != nil || second.Created || second.ID != first.ID {
			t.Errorf("%s: %+v and then %+v, %v", half, first, second, err)
		}
	}
	for half, pool := range map[string]*pgxpool.Pool{"dao": dao, "fos": fos} {
		if n := testkit.Count(t, pool, `SELECT count(*) FROM audit_log WHERE event = 'account.seeded' AND at = $1 AND actor_id IS NOT NULL`, noon); n != 2 {
			t.Errorf("%s: %d rows record it", half, n)
		}
	}
}

// The attack is a mistake: the right command at the wrong URL.
func TestAnotherDatabaseThanExpectedIsLeftAlone(t *testing.T) {
	t.Parallel()
	dao, fos := testkit.Database(t, datastore.DAO), testkit.Database(t, datastore.FOS)
	before := testkit.Dump(t, dao) + testkit.Dump(t, fos)
	for _, expect := range []string{"production", "", strings.ToUpper(dao.Config().ConnConfig.Database)} {
		if _, err := seed.New(dao, expect, noon).Member(t.Context(), ada(t)); !errors.Is(err, seed.ErrWrongDatabase) {
			t.Errorf("dao, expecting %q: %v", expect, err)
		}
		if _, err := seed.New(fos, expect, noon).Account(t.Context(), regression(t)[0]); !errors.Is(err, seed.ErrWrongDatabase) {
			t.Errorf("fos, expecting %q: %v", expect, err)
		}
	}
	if diff := cmp.Diff(before, testkit.Dump(t, dao)+testkit.Dump(t, fos)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}

// I4: an account and the row that records it are there together, or neither.
func TestI4_anAccountThatCannotBeRecordedIsNotSeeded(t *testing.T) {
	t.Parallel()
	dao, fos := testkit.Database(t, datastore.DAO), testkit.Database(t, datastore.FOS)
	for _, pool := range []*pgxpool.Pool{dao, fos} {
		testkit.Exec(t, pool, `ALTER TABLE audit_log RENAME TO audit_log_away`)
	}
	var down *outage.Error
	if _, err := seeder(dao).Member(t.Context(), ada(t)); !errors.As(err, &down) {
		t.Errorf("dao: %v", err)
	}
	if _, err := seeder(fos).Account(t.Context(), regression(t)[0]); !errors.As(err, &down) {
		t.Errorf("fos: %v", err)
	}
	if n := testkit.Count(t, dao, `SELECT count(*) FROM members`) + testkit.Count(t, fos, `SELECT count(*) FROM users`); n != 0 {
		t.Errorf("%d accounts", n)
	}
}

// Postgres quotes the row that stands in the way; the error for an operator's
// terminal does not.
func TestAPrincipalThatIsTakenIsAnErrorThatQuotesNobody(t *testing.T) {
	t.Parallel()
	dao := testkit.Database(t, datastore.DAO)
	principal := "2vxsx-fae"
	with := func(email string) func(*member.Account) {
		return func(a *member.Account) { a.Principal, a.Email = &principal, testkit.Email(t, email) }
	}
	if _, err := seeder(dao).Member(t.Context(), ada(t, with("first@example.org"))); err != nil {
		t.Fatal(err)
	}
	_, err := seeder(dao).Member(t.Context(), ada(t, with("second@example.org")))
	if err == nil || strings.Contains(err.Error(), principal) || strings.Contains(err.Error(), "example.org") {
		t.Errorf("%v", err)
	}
}

// A member who is seeded anew stays signed in and linked: it is their account.
func TestSeedingAnAccountAnewKeepsWhatIsTheirs(t *testing.T) {
	t.Parallel()
	fos := testkit.Database(t, datastore.FOS)
	account := regression(t)[2]
	seeded, err := seeder(fos).Account(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Exec(t, fos, `INSERT INTO identity_link (provider, subject, user_id, created_at) VALUES ('dao', $1, $2, $3)`,
		seeded.ID.String(), seeded.ID, noon)
	testkit.Exec(t, fos, `
		INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		VALUES ($1, $1, 'password', 1, true, $2, '{pwd}', $2, $2, $3)`, seeded.ID, noon, noon.Add(time.Hour))
	if _, err := seeder(fos).Account(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if n := testkit.Count(t, fos, `SELECT (SELECT count(*) FROM identity_link) + (SELECT count(*) FROM sessions WHERE ended_at IS NULL)`); n != 2 {
		t.Errorf("%d of link and session are left", n)
	}
}
