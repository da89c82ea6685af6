package rollout_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var urlWord = regexp.MustCompile(`^URL\((.+)\)$`)

// operator goes by the document where a password of a store is replaced.
type operator struct {
	// tell does what the line says at the store; who makes of a word in URL(…) the user and
	// the password of a URL.
	tell func(t testing.TB, told string)
	who  func(word string) *url.Userinfo
	// words are put in for those of the document.
	words *strings.Replacer
}

func (o operator) follow(t testing.TB, r *rotation, variable string) {
	t.Helper()
	for i, s := range stepsOf(t, variable) {
		t.Log(s.line)
		if s.store != "" {
			o.tell(t, o.words.Replace(s.told))
			continue
		}
		for _, d := range r.of(s.halves, i%2 == 1) {
			rollOut(t, r.load, d, s.line, o.change(t, s, d))
		}
	}
}

// change is the step's, for those variables that the deployment has.
func (o operator) change(t testing.TB, s step, d *deployment) environ {
	t.Helper()
	filled := environ{}
	for name, value := range s.change {
		word := urlWord.FindStringSubmatch(value)
		if word == nil {
			t.Fatalf("nobody could do this: %q", s.line)
		}
		if now, has := d.environ[name]; has {
			filled[name] = asUser(t, now, o.who(o.words.Replace(word[1])))
		}
	}
	return filled
}

func asUser(t testing.TB, address string, who *url.Userinfo) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = who
	return parsed.String()
}

// wantNoticedAfter does what nobody should have done yet, and demands that it is noticed.
func wantNoticedAfter(t testing.TB, l *load, says string, do func()) {
	t.Helper()
	do()
	l.await(t, 50, l.inTrouble)
	was := l.take()
	t.Logf("%s: failed: %v; signed out: %v", says, was.failed, was.signedOut)
	if was.troubles() == 0 {
		t.Errorf("%s: nobody noticed", says)
	}
}

// A second role has the rights of the first, and people work under both meanwhile.
func TestRotation_ofPostgresPasswordLosesNoHandOff(t *testing.T) {
	t.Parallel()
	const secret = "a-password-of-postgres-51c7"
	admin := testkit.Pool(t, testkit.EmptyDatabaseURL(t))
	first := fmt.Sprintf("test_rotation_%d", os.Getpid())
	second := first + "_second"
	t.Cleanup(func() { // after the database, whose rights they have
		testkit.Exec(t, admin, "DROP ROLE IF EXISTS "+second)
		testkit.Exec(t, admin, "DROP ROLE IF EXISTS "+first)
	})
	testkit.Exec(t, admin, "CREATE ROLE "+first+" LOGIN PASSWORD '"+secret+"'")
	f, daoEnviron, fosEnviron := newFleet(t)
	for _, right := range []string{"SELECT, INSERT, UPDATE, DELETE ON ALL TABLES", "USAGE ON ALL SEQUENCES"} {
		testkit.Exec(t, f.DAO, "GRANT "+right+" IN SCHEMA public TO "+first)
	}
	daoEnviron["DAO_DATABASE_URL"] = asUser(t, daoEnviron["DAO_DATABASE_URL"], url.UserPassword(first, secret))
	r := begun(f, f.deploy(t, daoEnviron), f.deploy(t, fosEnviron))(t)
	tell := func(t testing.TB, sql string) { testkit.Exec(t, f.DAO, sql) }
	operator{
		tell: tell, who: func(role string) *url.Userinfo { return url.UserPassword(role, secret) },
		words: strings.NewReplacer("OLD", first, "NEW", second, "PASSWORD '"+"PASSWORD'", "PASSWORD '"+secret+"'", "handoff_dao", first),
	}.follow(t, r, "DAO_DATABASE_URL")
	wantConnections(t, f, first, false)
	wantConnections(t, f, second, true)

	wantNoticedAfter(t, r.load, "the role in use is locked out", func() {
		tell(t, "ALTER ROLE "+second+" NOLOGIN")
		tell(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+second+"'")
	})
	tell(t, "ALTER ROLE "+second+" LOGIN")
}

func wantConnections(t testing.TB, f *fleet, role string, want bool) {
	t.Helper()
	n := testkit.Count(t, f.DAO, `SELECT count(*) FROM pg_stat_activity WHERE usename = $1`, role)
	if may := testkit.Count(t, f.DAO, `SELECT count(*) FROM pg_roles WHERE rolname = $1 AND rolcanlogin`, role) > 0; n > 0 != want || may != want {
		t.Errorf("%s has %d connections, and may come: %v; want %v", role, n, may, want)
	}
}

// A user of Redis has two passwords meanwhile.
func TestRotation_ofRedisPasswordLosesNoHandOff(t *testing.T) {
	t.Parallel()
	const old, fresh = "an-old-password-of-redis-8d20", "a-new-password-of-redis-4e6b"
	f, daoEnviron, fosEnviron := newFleet(t)
	admin, err := datastore.OpenRedis(privacy.NewSecret(fosEnviron["REDIS_URL"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	user := fmt.Sprintf("test-rotation-%d", os.Getpid())
	t.Cleanup(func() { _ = admin.Do(context.Background(), "ACL", "DELUSER", user).Err() })
	command := func(t testing.TB, words ...string) {
		t.Helper()
		all := make([]any, 0, len(words))
		for _, word := range words {
			all = append(all, word)
		}
		if err := admin.Do(t.Context(), all...).Err(); err != nil {
			t.Error(err)
		}
	}
	command(t, "ACL", "SETUSER", user, "on", ">"+old, "~*", "&*", "+@all")
	daoEnviron["DAO_REDIS_URL"] = asUser(t, daoEnviron["DAO_REDIS_URL"], url.UserPassword(user, old))
	fosEnviron["REDIS_URL"] = asUser(t, fosEnviron["REDIS_URL"], url.UserPassword(user, old))
	r := begun(f, f.deploy(t, daoEnviron), f.deploy(t, fosEnviron))(t)
	operator{
		tell:  func(t testing.TB, told string) { command(t, strings.Fields(told)...) },
		who:   func(password string) *url.Userinfo { return url.UserPassword(user, password) },
		words: strings.NewReplacer(" USER ", " "+user+" ", "OLD", old, "NEW", fresh),
	}.follow(t, r, "REDIS_URL")
	for password, good := range map[string]bool{old: false, fresh: true} {
		if may := mayEnter(t, asUser(t, fosEnviron["REDIS_URL"], url.UserPassword(user, password))); may != good {
			t.Errorf("%s is taken: %v", password, may)
		}
	}

	wantNoticedAfter(t, r.load, "the password in use is taken away", func() {
		command(t, "ACL", "DELUSER", user)
	})
}

func mayEnter(t testing.TB, address string) bool {
	t.Helper()
	options, err := redis.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer func() { _ = client.Close() }()
	return client.Ping(t.Context()).Err() == nil
}
