package app_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// unwaiting is a database's URL by which its sessions do not wait for their commits.
func unwaiting(t testing.TB, databaseURL string) string {
	t.Helper()
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("no URL")
	}
	q := parsed.Query()
	q.Set("synchronous_commit", "off")
	parsed.RawQuery = q.Encode()
	return parsed.String()
}

func TestI1_aDatabaseThatForgetsCommitsIsAClearError(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for half, variable := range map[string]string{"dao": "DAO_DATABASE_URL", "fos": "DATABASE_URL"} {
		env := map[string]string{variable: unwaiting(t, s.Environ[variable])}
		_, err := build(t, s, env)
		if err == nil {
			t.Fatalf("%s: it starts", half)
		}
		for _, words := range []string{"the " + half + " database", "synchronous_commit is off", "set by: client"} {
			if !strings.Contains(err.Error(), words) {
				t.Errorf("%q does not say %q", err, words)
			}
		}
		wantNoSecret(t, err.Error(), env)
	}
}

// Development and staging start on the tests' server, which has no fsync.
func TestI1_inProductionFsyncIsDemanded(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	var fsync string
	if err := s.DAO.QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil {
		t.Fatal(err)
	}
	environ := []string{}
	for name, value := range s.Environ {
		environ = append(environ, name+"="+value)
	}
	c, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	c.Environment = config.Production
	a, err := app.New(t.Context(), c, app.Options{})
	if refused := err != nil && strings.Contains(err.Error(), "fsync is off"); refused != (fsync == "off") {
		t.Errorf("fsync is %s: %v", fsync, err)
	}
	if err == nil {
		_ = a.Close()
	}
}

// A failover leads to a server that forgets: nothing is acknowledged there, readiness says
// so, and when it is mended nobody has to restart anything.
func TestI1_aServerThatForgetsAfterAFailoverIsNotWorkedOn(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	l := s.Linked(t, nil)
	b := l.SignIn(t, l.Member(t, "ada@example.org"))
	b.MintToken()
	alter := "ALTER DATABASE " + strings.TrimPrefix(mustParse(t, s.Environ["DAO_DATABASE_URL"]).Path, "/")

	testkit.Exec(t, s.DAO, alter+" SET synchronous_commit = off")
	l.DAOPostgres.Cut()
	l.DAOPostgres.Mend()
	until(t, b, l.DAOURL+"/health", func(answer testkit.Answer, _ error) bool { return answer.Status == http.StatusServiceUnavailable })
	before := testkit.Count(t, s.DAO, "SELECT count(*) FROM handoffs")
	if mint := b.Mint(nil); mint.Status != http.StatusServiceUnavailable || mint.Code() != "dependency_unavailable" {
		t.Errorf("mint: %d %s", mint.Status, mint.Raw)
	}
	wantHealth(t, b, l.DAOURL, http.StatusServiceUnavailable, checks("unavailable", "down", "ok"))
	wantHealth(t, b, l.FOSURL, http.StatusOK, checks("ready", "ok", "ok"))
	if n := testkit.Count(t, s.DAO, "SELECT count(*) FROM handoffs"); n != before {
		t.Errorf("%d rows more", n-before)
	}
	if !strings.Contains(l.Log.String(), "synchronous_commit is off (set by: database)") {
		t.Error("the log does not say why")
	}

	testkit.Exec(t, s.DAO, alter+" RESET synchronous_commit")
	until(t, b, l.DAOURL+"/health", func(answer testkit.Answer, _ error) bool { return answer.Status == http.StatusOK })
	b.MintToken()
}

func mustParse(t testing.TB, raw string) *url.URL {
	t.Helper()
	parsed, err := url.Parse(raw)
	if err != nil {
		t.Fatal("no URL")
	}
	return parsed
}
