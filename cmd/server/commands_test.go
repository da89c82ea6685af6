package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	server(t, environ{}, "", "version").wants(t, 0, "development\n", "")
}

// Exit code 2 and the usage on standard error: a typing mistake, nothing was done.
func TestWhatCannotBeMeantIsAUsageError(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"", "start", "serve now", "version 2", "healthcheck dao", "migrate", "migrate sideways", "migrate up nowhere", "migrate up dao fos",
		"selftest", "selftest --email ada@example.org", "selftest --password-stdin", "selftest --unknown",
		"selftest --email ada@example.org --password-stdin extra",
		"config", "config show", "config check all", "config names dao", "config drift", "config drift -manifest", "config drift -manifest a b",
	} {
		r := server(t, environ{}, "secret", strings.Fields(line)...)
		if r.exit != 2 || !strings.Contains(strings.ToLower(r.err), "usage") || r.out != "" {
			t.Errorf("server %s: exit %d, out %q, err %q", line, r.exit, r.out, r.err)
		}
	}
}

func TestServeNamesAllFaultsOfTheConfigurationAtOnce(t *testing.T) {
	t.Parallel()
	r := server(t, environ{"JWT_SECRET_KEY": "too-short-and-secret", "ENVIRONMENT": "production"}, "", "serve")
	r.wants(t, 1, "", "the configuration has faults")
	for _, variable := range []string{"DAO_DATABASE_URL", "DATABASE_URL", "REDIS_URL", "JWT_SECRET_KEY", "AUDIT_PSEUDONYM_KEYS"} {
		if !strings.Contains(r.err, variable) {
			t.Errorf("%s is not named: %s", variable, r.err)
		}
	}
	if strings.Contains(r.err, "too-short-and-secret") {
		t.Error("the secret is shown")
	}
	server(t, environ{}, "", "healthcheck").wants(t, 1, "", "the configuration has faults")
}

func TestServeOnADatabaseThatIsNotMigratedSaysWhatToDo(t *testing.T) {
	t.Parallel()
	env := whole(t).with(environ{"DATABASE_URL": testkit.EmptyDatabaseURL(t).Reveal()})
	server(t, env, "", "serve").wants(t, 1, "", "run `server migrate up`")
}

func TestMigrateUpStatusAndDown(t *testing.T) {
	t.Parallel()
	env := environ{"DAO_DATABASE_URL": testkit.EmptyDatabaseURL(t).Reveal(), "DATABASE_URL": testkit.EmptyDatabaseURL(t).Reveal()}
	type step struct{ command, out string }
	steps := []step{
		{"migrate status", fmt.Sprintf("dao: at migration 0 of %d\nfos: at migration 0 of %d\n", allDAO, allFOS)},
		{"migrate up fos", fmt.Sprintf("fos: applied %d migrations\n", allFOS)},
		{"migrate status", fmt.Sprintf("dao: at migration 0 of %d\nfos: at migration %d of %d\n", allDAO, allFOS, allFOS)},
		{"migrate up", fmt.Sprintf("dao: applied %d migrations\nfos: applied 0 migrations\n", allDAO)},
		{"migrate down dao", fmt.Sprintf("dao: took back migration %d\n", allDAO)},
		{"migrate status dao", fmt.Sprintf("dao: at migration %d of %d\n", allDAO-1, allDAO)},
		{"migrate down", fmt.Sprintf("dao: took back migration %d\nfos: took back migration %d\n", allDAO-1, allFOS)},
	}
	for left := allDAO - 2; left > 0; left-- {
		steps = append(steps, step{"migrate down dao", fmt.Sprintf("dao: took back migration %d\n", left)})
	}
	steps = append(steps,
		step{"migrate down dao", "dao: nothing to take back\n"},
		step{"migrate status", fmt.Sprintf("dao: at migration 0 of %d\nfos: at migration %d of %d\n", allDAO, allFOS-1, allFOS)},
		step{"migrate up", fmt.Sprintf("dao: applied %d migrations\nfos: applied 1 migrations\n", allDAO)},
	)
	for _, step := range steps {
		r := server(t, env, "", strings.Fields(step.command)...)
		if r.exit != 0 || r.out != step.out {
			t.Errorf("%s: exit %d, %q, want %q; %s", step.command, r.exit, r.out, step.out, r.err)
		}
	}
}

// How many migrations each half has.
const allDAO, allFOS = 13, 14

// A job that migrates is given no key of the service and may have a role of its own.
func TestMigrateNeedsTheDatabasesAloneAndPrefersTheirOwners(t *testing.T) {
	t.Parallel()
	owner := testkit.EmptyDatabaseURL(t).Reveal()
	env := environ{"DATABASE_URL": "postgres://nobody:no-such-password@127.0.0.1:1/nowhere", "MIGRATE_DATABASE_URL": owner}
	server(t, env, "", "migrate", "up").wants(t, 0, fmt.Sprintf("fos: applied %d migrations\n", allFOS), "")
}

func TestMigrateWithoutOrWithAWrongDatabaseFailsInWords(t *testing.T) {
	t.Parallel()
	server(t, environ{}, "", "migrate", "up").wants(t, 1, "", "set DAO_DATABASE_URL (dao), DATABASE_URL (fos) or both")
	for _, what := range []string{"up", "down", "status"} {
		r := server(t, environ{"DATABASE_URL": "postgres://fos:unspeakable@127.0.0.1:1/fos"}, "", "migrate", what)
		r.wants(t, 1, "", "server: ")
		if strings.Contains(r.err+r.out, "unspeakable") {
			t.Errorf("migrate %s shows the password: %s", what, r.err)
		}
	}
}

// The second half would take the first one's history for its own, and be "migrated"
// without a table.
func TestMigrateRefusesOneDatabaseForBothHalves(t *testing.T) {
	t.Parallel()
	one := testkit.EmptyDatabaseURL(t).Reveal()
	env := environ{"DAO_DATABASE_URL": one, "DATABASE_URL": one}
	server(t, env, "", "migrate", "up").wants(t, 1, "", "the same database")
	server(t, env, "", "migrate", "status").wants(t, 1, "", "the same database")
}

// Several replicas migrate at their start; one works, the others find it done.
func TestMigrateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	env := environ{"DATABASE_URL": testkit.EmptyDatabaseURL(t).Reveal()}
	results := make(chan result, 2)
	for range 2 {
		go func() { results <- server(t, env, "", "migrate", "up") }()
	}
	said := (<-results).out + (<-results).out
	if !strings.Contains(said, fmt.Sprintf("applied %d", allFOS)) || !strings.Contains(said, "applied 0") {
		t.Errorf("they said %q", said)
	}
}
