package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// namesOf are the variables of one half.
func namesOf(half string) []string {
	var names []string
	for _, v := range config.Variables() {
		if v.Half == half {
			names = append(names, v.Name)
		}
	}
	return names
}

// I14: a process that runs one half needs nothing of the other, and is not even
// troubled by nonsense in the other's variables.
func TestI14_OneHalfNeedsNothingOfTheOther(t *testing.T) {
	nonsense := func(e environ, half string) environ {
		for _, name := range namesOf(half) {
			e[name] = "\x01nonsense"
		}
		return e
	}
	dao := mustLoad(t, nonsense(development().with(environ{"HANDOFF_HALVES": "dao"}), config.HalfFOS))
	if dao.Halves != (config.Halves{DAO: true}) || !reflect.DeepEqual(dao.FOS, config.FOS{}) || dao.DAO.Addr == "" {
		t.Errorf("DAO half alone: %+v", dao)
	}
	fos := mustLoad(t, nonsense(development().with(environ{
		"HANDOFF_HALVES": "FOS", "ORACLE_BRIDGE_URL": "https://dao.example.org",
	}), config.HalfDAO).with(environ{"DAO_DATABASE_URL_FILE": "/nowhere"}))
	if fos.Halves != (config.Halves{FOS: true}) || !reflect.DeepEqual(fos.DAO, config.DAO{}) || fos.FOS.Addr == "" {
		t.Errorf("FOS half alone: %+v", fos)
	}
}

// The FOS half exchanges somewhere: in this process, or at a URL.
func TestFOSAloneNeedsTheBridge(t *testing.T) {
	wantFault(t, development().with(environ{"HANDOFF_HALVES": "fos"}), "ORACLE_BRIDGE_URL", "required")
}

// Redis is required where it is used, and named by the variable that is missing.
func TestRedisIsRequiredWhereUsed(t *testing.T) {
	own := environ{"DAO_REDIS_URL": "unix:///run/redis.sock?db=1"}
	dao := development().with(environ{"HANDOFF_HALVES": "dao"}).without("REDIS_URL")
	if c := mustLoad(t, dao.with(own)); c.DAO.RedisURL.Reveal() != own["DAO_REDIS_URL"] {
		t.Error("DAO_REDIS_URL is not used")
	}
	wantFault(t, dao, "REDIS_URL", "required")
	wantFault(t, development().without("REDIS_URL").with(own), "REDIS_URL", "required")
	wantFault(t, development().without("REDIS_URL"), "REDIS_URL", "required")
	wantFault(t, development().with(environ{"REDIS_URL": "http://x"}), "REDIS_URL", "not a redis")
	wantFault(t, dao.with(environ{"REDIS_URL": "http://x"}), "REDIS_URL", "not a redis")
}

// Every variable that is marked required is missed when it is not there.
func TestRequiredVariablesAreMissed(t *testing.T) {
	for _, v := range config.Variables() {
		if !v.Required {
			continue
		}
		wantFault(t, development().without(v.Name), v.Name, "is required")
		wantFault(t, development().with(environ{v.Name: ""}), v.Name, "is required")
	}
}

// A slip in HANDOFF_HALVES is reported alone: nothing is said to be missing for a
// half that nobody asked for.
func TestUnknownHalf(t *testing.T) {
	wantFault(t, development().with(environ{"HANDOFF_HALVES": "dao,doa"}).without(namesOf(config.HalfFOS)...),
		"HANDOFF_HALVES", "item 2 is neither")
	wantFault(t, development().with(environ{"HANDOFF_HALVES": "dao,fos,dao"}), "HANDOFF_HALVES", "item 3 repeats")
	wantFault(t, development().with(environ{"HANDOFF_HALVES": ","}), "HANDOFF_HALVES", "names no half")
}

// DATABASE_USER and DATABASE_PASSWORD override the URL's, wherever it has them,
// whatever characters they are made of, and for the migrations too unless those
// have a URL of their own.
func TestDatabaseCredentialsOverride(t *testing.T) {
	for _, tc := range []struct{ url, user, password, want string }{
		{"postgres://a:b@h/d", "", "", "postgres://a:b@h/d"},
		{"postgres://a:b@h/d", "c", "", "postgres://c:b@h/d"},
		{"postgres://a:b@h/d", "", "p@/:%?#", "postgres://a:p%40%2F%3A%25%3F%23@h/d"},
		{"postgres://h:1,i:2/d?sslmode=require", "c", "e", "postgres://c:e@h:1,i:2/d?sslmode=require"},
		{"postgres://h/d?user=a&password=b", "c", "e", "postgres://c:e@h/d"},
		{"postgres://h/d?user=a&password=b", "", "e", "postgres://a:e@h/d"},
		{"postgres://h/d?user=a&password=b", "c", "", "postgres://c:b@h/d"},
		{"postgres://a@h/d", "c", "", "postgres://c@h/d"},
	} {
		c := mustLoad(t, development().with(environ{
			"DATABASE_URL": tc.url, "DATABASE_USER": tc.user, "DATABASE_PASSWORD": tc.password,
		}))
		if got := c.FOS.DatabaseURL.Reveal(); got != tc.want || c.FOS.MigrateDatabaseURL.Reveal() != tc.want {
			t.Errorf("%+v gives %s", tc, got)
		}
	}
	c := mustLoad(t, development().with(environ{
		"DATABASE_USER": "u", "DATABASE_PASSWORD": "p", "MIGRATE_DATABASE_URL": "postgres://o:q@h/handoff_fos",
	}))
	if strings.Contains(c.FOS.MigrateDatabaseURL.Reveal(), "u:p") {
		t.Error("the overrides reach a migration URL of its own")
	}
	wantFault(t, development().with(environ{"DATABASE_URL": "postgres://h/d", "DATABASE_PASSWORD": "p"}),
		"DATABASE_PASSWORD", "no user")
}
