package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// regression are the three accounts in the order in which the command tells of them.
var regression = []string{"founder", "admin", "member"}

func told(verb string) string {
	var lines strings.Builder
	for _, role := range regression {
		lines.WriteString(verb + " " + role + " " + id + "\n")
	}
	return lines.String()
}

// signIn signs a regression account in at the FOS half.
func signIn(t testing.TB, s *testkit.Service, role, plain string) (*testkit.Browser, testkit.Answer) {
	t.Helper()
	b := s.Browser(t)
	return b, testkit.Judged(func() testkit.Answer { return b.FOSLogin("regression-"+role+"@founderyos.dev", plain) })
}

func accountsOf(s *testkit.Service) database {
	return database{"DATABASE_URL", s.Environ["DATABASE_URL"], s.FOS.Config().ConnConfig.Database, s.FOS}
}

// The command seeds, the service lets in: each of the three as who they are, and with
// what their role may do. A hash that the service refuses would show here and nowhere
// else.
func TestEachRegressionAccountSignsInAtTheFOSHalf(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	const plain = "a regression password"
	ids := accountsOf(s).seed(t, plain+"\n", "accounts").says(t, told("created"))
	for i, role := range regression {
		b, answer := signIn(t, s, role, plain)
		if answer.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", role, answer.Status, answer.Raw)
		}
		for where, answer := range map[string]testkit.Answer{"login": answer, "me": b.Me()} {
			who, _ := answer.Body["user"].(map[string]any)
			if who["id"] != ids[i] || who["role"] != role || who["status"] != "ACTIVE" || who["email_verified"] != true ||
				who["email"] != "regression-"+role+"@founderyos.dev" {
				t.Errorf("%s, %s: %v", role, where, who)
			}
		}
		want := http.StatusOK
		if role == "member" {
			want = http.StatusNotFound
		}
		if details := b.Get(s.FOSURL + "/health/detailed"); details.Status != want {
			t.Errorf("%s sees what operators see: %d", role, details.Status)
		}
	}
}

// Told another password, the command rotates it: at once for whoever signs in. Whoever
// is signed in stays so, with the old password or the new, until they are put out.
func TestARotatedPasswordIsTheOnlyOneAndEndsNoSession(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	const first, next = "a regression password", "the next regression password"
	d := accountsOf(s)
	ids := d.seed(t, first+"\n", "accounts").says(t, told("created"))
	before, answer := signIn(t, s, "admin", first)
	if answer.Status != http.StatusOK {
		t.Fatalf("with the first: %d %s", answer.Status, answer.Raw)
	}

	again := d.seed(t, next+"\n", "accounts").says(t, told("updated"))
	if strings.Join(ids, " ") != strings.Join(again, " ") {
		t.Errorf("ids %v and then %v", ids, again)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM users`); n != 3 {
		t.Errorf("%d accounts", n)
	}
	for _, one := range ids {
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'account.seeded' AND actor_id = $1`, one); n != 2 {
			t.Errorf("%d rows record what was done to %s, want 2", n, one)
		}
	}
	for _, role := range regression {
		if _, answer := signIn(t, s, role, first); answer.Code() != "invalid_credentials" {
			t.Errorf("%s with the old password: %d %s", role, answer.Status, answer.Raw)
		}
	}
	after, answer := signIn(t, s, "admin", next)
	if answer.Status != http.StatusOK {
		t.Fatalf("with the new one: %d %s", answer.Status, answer.Raw)
	}

	if me := before.Me(); me.Status != http.StatusOK {
		t.Errorf("the session of before: %d %s", me.Status, me.Raw)
	}
	if out := after.FOSPost("logout-all", nil); out.Status != http.StatusNoContent {
		t.Errorf("logout-all: %d %s", out.Status, out.Raw)
	}
	if me := before.Me(); me.Code() != "session_revoked" {
		t.Errorf("the session of before, after logout-all: %d %s", me.Status, me.Raw)
	}
}
