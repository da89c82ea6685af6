package datastore_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// with is databaseURL after what change does to it.
func with(t testing.TB, databaseURL privacy.Secret, change func(*url.URL)) privacy.Secret {
	t.Helper()
	parsed, err := url.Parse(databaseURL.Reveal())
	if err != nil {
		t.Fatal("no URL")
	}
	change(parsed)
	return privacy.NewSecret(parsed.String())
}

func withOption(t testing.TB, databaseURL privacy.Secret, name, value string) privacy.Secret {
	t.Helper()
	return with(t, databaseURL, func(u *url.URL) {
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // as libpq, the driver takes + for a plus
	})
}

// unwaiting are the ways in which a session gets synchronous_commit = off; Postgres says of
// where it has it from what stands before the comma.
var unwaiting = map[string]func(t testing.TB, databaseURL privacy.Secret) privacy.Secret{
	"client": func(t testing.TB, databaseURL privacy.Secret) privacy.Secret {
		return withOption(t, databaseURL, "synchronous_commit", "false")
	},
	"client, by options": func(t testing.TB, databaseURL privacy.Secret) privacy.Secret {
		return withOption(t, databaseURL, "options", "-c synchronous_commit=0")
	},
	"database": func(t testing.TB, databaseURL privacy.Secret) privacy.Secret {
		testkit.Exec(t, testkit.Pool(t, databaseURL), "ALTER DATABASE "+nameOf(t, databaseURL)+" SET synchronous_commit = off")
		return databaseURL
	},
	"user": func(t testing.TB, databaseURL privacy.Secret) privacy.Secret {
		pool, role := testkit.Pool(t, databaseURL), "unwaiting_"+nameOf(t, databaseURL)
		testkit.Exec(t, pool, "CREATE ROLE "+role+" LOGIN PASSWORD 'hunter2'")
		t.Cleanup(func() { testkit.Exec(t, pool, "DROP ROLE "+role) })
		testkit.Exec(t, pool, "ALTER ROLE "+role+" SET synchronous_commit = off")
		return with(t, databaseURL, func(u *url.URL) { u.User = url.UserPassword(role, "hunter2") })
	},
}

func nameOf(t testing.TB, databaseURL privacy.Secret) string {
	t.Helper()
	parsed, err := url.Parse(databaseURL.Reveal())
	if err != nil {
		t.Fatal("no URL")
	}
	return strings.TrimPrefix(parsed.Path, "/")
}

// The attack: the server dies a moment after it said that the token was redeemed, comes
// back without that commit, and the token is shown again.
func TestI1_aSessionThatDoesNotWaitForItsCommitsIsRefused(t *testing.T) {
	t.Parallel()
	for source, unwait := range unwaiting {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			pool := testkit.Pool(t, unwait(t, testkit.EmptyDatabaseURL(t)))
			err := pool.Ping(t.Context())
			var forgets *datastore.ForgetsError
			if !errors.As(err, &forgets) {
				t.Fatalf("it lets us work: %v", err)
			}
			if says := "synchronous_commit is off (set by: " + strings.TrimSuffix(source, ", by options") + ")"; !strings.Contains(forgets.Error(), says) {
				t.Errorf("%q does not say %q", forgets, says)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("quotes the password: %v", err)
			}
			if down := (*outage.Error)(nil); !errors.As(outage.Postgres(err), &down) {
				t.Errorf("to a request it is no outage: %v", err)
			}
		})
	}
}

func TestI1_asideNobodyForgetsEither(t *testing.T) {
	t.Parallel()
	pool, err := datastore.OpenAside(t.Context(), withOption(t, testkit.EmptyDatabaseURL(t), "synchronous_commit", "off"), datastore.ThroughItsOwnCrash)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if forgets := (*datastore.ForgetsError)(nil); !errors.As(pool.Ping(t.Context()), &forgets) {
		t.Error("it lets us work")
	}
}

// What is said of standbys is the operator's to choose.
func TestKept_whateverWaitsForThisServersDiskIsEnough(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"local", "remote_write", "on", "remote_apply"} {
		pool := testkit.Pool(t, withOption(t, testkit.EmptyDatabaseURL(t), "synchronous_commit", value))
		if err := datastore.ThroughItsOwnCrash.Ready(t.Context(), pool); err != nil {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// A server without fsync, as that of the tests is, keeps commits through its own crash, not
// through the machine's.
func TestI1_inProductionTheMachineMayCrash(t *testing.T) {
	t.Parallel()
	databaseURL := testkit.EmptyDatabaseURL(t)
	var fsync string
	if err := testkit.Pool(t, databaseURL).QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil {
		t.Fatal(err)
	}
	for kept, refused := range map[datastore.Kept]bool{datastore.ThroughItsOwnCrash: false, datastore.ThroughTheMachines: fsync == "off"} {
		pool, err := datastore.OpenWatched(t.Context(), databaseURL, kept, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		err = pool.Ping(t.Context())
		forgets := (*datastore.ForgetsError)(nil)
		if errors.As(err, &forgets) != refused || refused != (err != nil) || refused && forgets.Setting != "fsync" {
			t.Errorf("%d, fsync %s: %v", kept, fsync, err)
		}
	}
}

// ALTER SYSTEM and a reload change the sessions that there are.
func TestI1_whatIsTurnedOffLaterIsFoundAndGivenUp(t *testing.T) {
	t.Parallel()
	pool := testkit.Pool(t, withOption(t, testkit.EmptyDatabaseURL(t), "pool_max_conns", "1"))
	if err := datastore.ThroughItsOwnCrash.Ready(t.Context(), pool); err != nil {
		t.Fatal(err)
	}
	testkit.Exec(t, pool, "SET synchronous_commit = off")
	err := datastore.ThroughItsOwnCrash.Ready(t.Context(), pool)
	if forgets := (*datastore.ForgetsError)(nil); !errors.As(err, &forgets) {
		t.Fatalf("it is ready: %v", err)
	}
	var now string
	if err := pool.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&now); err != nil || now == "off" {
		t.Errorf("the session that forgets is still used: %q, %v", now, err)
	}
}

// Who demands a primary still gets one.
func TestOpen_demandsOfTheURLStand(t *testing.T) {
	t.Parallel()
	databaseURL := testkit.EmptyDatabaseURL(t)
	testkit.Exec(t, testkit.Pool(t, databaseURL), fmt.Sprintf("ALTER DATABASE %s SET default_transaction_read_only = on", nameOf(t, databaseURL)))
	pool := testkit.Pool(t, withOption(t, databaseURL, "target_session_attrs", "read-write"))
	if err := pool.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("%v", err)
	}
}
