package daoapi_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

const (
	mintPath     = "/api/staging_token/mint"
	exchangePath = "/api/staging_token/exchange"
	loginPath    = "/api/auth/login"
	logoutPath   = "/api/auth/logout"
	refreshPath  = "/api/auth/refresh"
	sessionPath  = "/api/auth/session"
	csrfPath     = "/api/auth/csrf-token"

	firstKey  = "attempt-0123456789abcdef"
	secondKey = "attempt-fedcba9876543210"
)

func header(name, value string) testkit.Header { return testkit.Header{Name: name, Value: value} }

func key(value string) testkit.Header { return header("Idempotency-Key", value) }

var bearer = header("Authorization", "Bearer "+testkit.ServiceToken)

// present exchanges a token at one of several DAO halves, for testkit.Target
// unless fields say otherwise.
func present(b *testkit.Browser, daoURL, token string, fields map[string]any, headers ...testkit.Header) testkit.Answer {
	body := map[string]any{"token": token, "target_domain": testkit.Target}
	maps.Copy(body, fields)
	return b.Post(daoURL+exchangePath, body, append([]testkit.Header{bearer}, headers...)...)
}

// wantProblem demands one problem, complete in what every problem has. stage is
// "" where the endpoint is no part of a journey.
func wantProblem(t testing.TB, answer testkit.Answer, status int, code, stage string) {
	t.Helper()
	if answer.Status != status || answer.Code() != code {
		t.Errorf("%d %s, want %d %s: %s", answer.Status, answer.Code(), status, code, answer.Raw)
		return
	}
	for what, ok := range map[string]bool{
		"media type":       answer.Header.Get("Content-Type") == "application/problem+json",
		"no-store":         answer.Header.Get("Cache-Control") == "no-store",
		"status":           answer.Body["status"] == float64(status),
		"message":          answer.Text("message") != "" && answer.Text("message") == answer.Text("detail"),
		"success":          answer.Body["success"] == false,
		"request id":       answer.Text("request_id") != "" && answer.Text("request_id") == answer.Header.Get("X-Request-ID"),
		"stage":            answer.Text("stage") == stage,
		"no cookie":        len(answer.Cookies) == 0,
		"Retry-After":      (code == "dependency_unavailable" || code == "rate_limited") == (answer.Header.Get("Retry-After") != ""),
		"RateLimit":        (code == "rate_limited") == (answer.Header.Get("RateLimit") != ""),
		"WWW-Authenticate": (code == "invalid_service_token") == (answer.Header.Get("WWW-Authenticate") == "Bearer"),
	} {
		if !ok {
			t.Errorf("%s: not as every problem: %s %v", what, answer.Raw, answer.Header)
		}
	}
}

func wantOK(t testing.TB, answer testkit.Answer) testkit.Answer {
	t.Helper()
	if answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	return answer
}

// kinds are an answer's members with their JSON types, as "name:type", sorted.
func kinds(answer testkit.Answer) []string {
	var list []string
	for name, value := range answer.Body {
		kind := fmt.Sprintf("%T", value)
		switch value := value.(type) {
		case nil:
			kind = "null"
		case float64:
			kind = "integer"
			if value != float64(int64(value)) {
				kind = "number"
			}
		case []any:
			kind = "list"
		}
		list = append(list, name+":"+kind)
	}
	slices.Sort(list)
	return list
}

// wantMembers compares an answer's members and their types, no more and no less.
func wantMembers(t testing.TB, answer testkit.Answer, want ...string) {
	t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, kinds(answer)); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if answer.Header.Get("Cache-Control") != "no-store" || answer.Header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", answer.Header)
	}
}

// wantEvents compares the audit rows of the DAO half.
func wantEvents(t testing.TB, s *testkit.Service, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), testkit.Events(t, s.DAO)); diff != "" {
		t.Errorf("audit rows (-want +got):\n%s", diff)
	}
}

// hash is testkit.Password's, made once: it is slow, which is its purpose.
var hash = sync.OnceValues(func() (string, error) { return password.Hash(testkit.Password) })

// withPassword gives a member testkit.Password.
func withPassword(t testing.TB) func(*member.Account) {
	t.Helper()
	encoded, err := hash()
	if err != nil {
		t.Fatal(err)
	}
	return func(a *member.Account) { a.PasswordHash = privacy.NewSecret(encoded) }
}

// login signs in with a password.
func login(b *testkit.Browser, daoURL string, body any, headers ...testkit.Header) testkit.Answer {
	return testkit.Judged(func() testkit.Answer { return b.Post(daoURL+loginPath, body, headers...) })
}

// stored is what the stores hold that a request could change: every row of the
// DAO database, and every key in Redis with its value. When a service token was
// last used is left out: it is written behind the answer, and only for good ones.
func stored(t testing.TB, s *testkit.Service) string {
	t.Helper()
	return testkit.Dump(t, s.DAO, "service_token_use") + redisDump(t, s)
}

// keysIn are the keys of Redis, sorted, without the counters of the rate limits:
// those stand before the stores, and have tests of their own.
func keysIn(t testing.TB, s *testkit.Service) []string {
	t.Helper()
	keys, err := s.Redis.Keys(context.Background(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	keys = slices.DeleteFunc(keys, func(name string) bool { return strings.HasPrefix(name, "dao:rate:") })
	slices.Sort(keys)
	return keys
}

// redisDump is every key of Redis but the counters, with its value.
func redisDump(t testing.TB, s *testkit.Service) string {
	t.Helper()
	ctx := context.Background()
	var dump strings.Builder
	for _, name := range keysIn(t, s) {
		value, err := s.Redis.Get(ctx, name).Result()
		if err != nil {
			t.Fatal(err)
		}
		dump.WriteString("redis " + name + " " + value + "\n")
	}
	return dump.String()
}

// claimsKey is the one key that Redis holds, the claims of the one live token.
func claimsKey(t testing.TB, s *testkit.Service) string {
	t.Helper()
	keys := keysIn(t, s)
	if len(keys) != 1 {
		t.Fatalf("keys %v", keys)
	}
	return keys[0]
}

// settle waits until nothing runs behind an answer: the claims of a redeemed token
// are shortened, or dropped, after it.
func settle(t testing.TB, s *testkit.Service, done func(keys []string) bool) {
	t.Helper()
	deadline, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for deadline.Err() == nil {
		if done(keysIn(t, s)) {
			return
		}
	}
	t.Fatal("redis did not come to rest")
}
