package fosapi_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

// eachWay tells a story of the whole journey twice: exchanging in process, and
// over HTTP between two processes.
func eachWay(t *testing.T, story func(t *testing.T, s *testkit.Service)) {
	t.Helper()
	for name, overHTTP := range map[string]bool{"in process": false, "over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{OverHTTP: overHTTP})
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(s.Log.Lines(`"level":"ERROR"`))
				}
			})
			story(t, s)
		})
	}
}

// replica runs a second process of the FOS half, which exchanges the way the first
// one does, and returns its URL.
func replica(t testing.TB, s *testkit.Service) string {
	t.Helper()
	if len(s.Started) > 1 {
		return s.Process(t, fosOnly(s.DAOURL)).FOSURL
	}
	_, fosURL := s.Replica(t)
	return fosURL
}

// fosOnly is the environment of a FOS half whose other half is elsewhere.
func fosOnly(daoURL string, more ...map[string]string) map[string]string {
	env := map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": daoURL}
	for _, add := range more {
		maps.Copy(env, add)
	}
	return env
}

func header(name, value string) testkit.Header { return testkit.Header{Name: name, Value: value} }

// key is an arrival key, the browser's own mark on one arrival.
func key(value string) testkit.Header { return header("Idempotency-Key", value) }

const (
	firstKey  = "arrival-0123456789abcdef"
	secondKey = "arrival-fedcba9876543210"
)

// arriveAt presents a token to one of several FOS halves.
func arriveAt(b *testkit.Browser, fosURL, token string, headers ...testkit.Header) testkit.Answer {
	return b.Post(fosURL+"/api/v1/auth/cross-domain-login", map[string]any{"token": token},
		append([]testkit.Header{header("X-Requested-With", "test")}, headers...)...)
}

// meAt asks a FOS half with one access token and no other cookie.
func meAt(t testing.TB, s *testkit.Service, access string) testkit.Answer {
	t.Helper()
	return s.Browser(t).Get(s.FOSURL+"/api/v1/auth/me", header("Cookie", "access_token="+access))
}

// arrived is an arrival that must go well.
func arrived(t testing.TB, answer testkit.Answer) testkit.Answer {
	t.Helper()
	if answer.Status != http.StatusOK {
		t.Fatalf("arrival: %d %s", answer.Status, answer.Raw)
	}
	return answer
}

// arrives signs somebody in by hand-off, in a browser of their own that is signed in
// nowhere else; dao is where they come from.
func arrives(t testing.TB, s *testkit.Service, dao *testkit.Browser) (*testkit.Browser, testkit.Answer) {
	t.Helper()
	b := s.Browser(t)
	return b, arrived(t, b.Arrive(dao.MintToken()))
}

// tokens are what a browser holds of a session.
type tokens struct{ access, refresh string }

func tokensOf(t testing.TB, answer testkit.Answer) tokens {
	t.Helper()
	access, refresh := answer.Cookie("access_token"), answer.Cookie("refresh_token")
	if access == nil || refresh == nil {
		t.Fatalf("no pair: %d %s", answer.Status, answer.Raw)
	}
	return tokens{access.Value, refresh.Value}
}

// sending is the Cookie header of a browser that sends these, in this order; names
// may repeat.
func sending(cookies ...string) testkit.Header { return header("Cookie", strings.Join(cookies, "; ")) }

func accessToken(value string) string  { return "access_token=" + value }
func refreshToken(value string) string { return "refresh_token=" + value }

// tooLong is a password that is always wrong, and that no hash is computed for: a
// story of many failed logins costs nothing.
var tooLong = strings.Repeat("x", password.MaxLength+1)

// wantProblem demands one problem, complete in what every problem has.
func wantProblem(t testing.TB, answer testkit.Answer, status int, code string) {
	t.Helper()
	if answer.Status != status || answer.Code() != code {
		t.Errorf("%d %s, want %d %s: %s", answer.Status, answer.Code(), status, code, answer.Raw)
		return
	}
	for what, ok := range map[string]bool{
		"media type":  answer.Header.Get("Content-Type") == "application/problem+json",
		"no-store":    answer.Header.Get("Cache-Control") == "no-store",
		"status":      answer.Body["status"] == float64(status),
		"message":     answer.Text("message") != "" && answer.Text("message") == answer.Text("detail"),
		"success":     answer.Body["success"] == false,
		"request id":  answer.Text("request_id") != "" && answer.Text("request_id") == answer.Header.Get("X-Request-ID"),
		"no cookie":   len(answer.Cookies) == 0,
		"Retry-After": (code == "dependency_unavailable" || code == "rate_limited") == (answer.Header.Get("Retry-After") != ""),
	} {
		if !ok {
			t.Errorf("%s: not as every problem: %s %v", what, answer.Raw, answer.Header)
		}
	}
}

// wantInvalid demands handoff_invalid with its reason and, unless that is "", the
// hand-off's id.
func wantInvalid(t testing.TB, answer testkit.Answer, reason, handoffID string) {
	t.Helper()
	wantProblem(t, answer, http.StatusUnauthorized, "handoff_invalid")
	if answer.Text("reason") != reason || answer.Text("handoff_id") != handoffID || answer.Text("stage") != "login" {
		t.Errorf("reason %q, hand-off %q, stage %q; want %q, %q, login: %s",
			answer.Text("reason"), answer.Text("handoff_id"), answer.Text("stage"), reason, handoffID, answer.Raw)
	}
}

// fields are an object's member names, sorted.
func fields(object any) []string {
	members, _ := object.(map[string]any)
	return slices.Sorted(maps.Keys(members))
}
