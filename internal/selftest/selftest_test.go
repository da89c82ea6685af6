package selftest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/selftest"
)

const (
	email    = "probe@example.org"
	secret   = "a probe's own password"
	token    = "0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f"
	handoff  = "0192f3a1-7b4c-7d5e-8f60-123456789abc"
	greeting = `{"user":{"id":"u","role":"member"},"handoff_id":"` + handoff + `"}`
)

// deployment is both halves as a probe sees them, played by the test: the answers
// by route, each list in order, the last one for good.
type deployment map[string][]answer

type answer struct {
	status int
	body   string
}

func healthy() deployment {
	return deployment{
		"/api/auth/login": {{200, `{"success":true}`}}, "/api/auth/csrf-token": {{200, `{"csrf_token":"c"}`}},
		"/api/staging_token/mint":         {{200, `{"token":"` + token + `","handoff_id":"` + handoff + `"}`}},
		"/api/v1/auth/cross-domain-login": {{200, greeting}, {401, `{"code":"handoff_invalid","reason":"used"}`}},
		"/api/v1/auth/me":                 {{200, greeting}}, "/api/v1/auth/logout": {{204, ""}}, "/api/auth/logout": {{200, `{}`}},
	}
}

func (d deployment) with(route string, answers ...answer) deployment {
	d[route] = answers
	return d
}

// probe runs the self-test against d and returns its steps' names and its error.
func (d deployment) probe(t testing.TB, asked func(*http.Request, string), change ...func(*selftest.Config)) ([]string, error) {
	t.Helper()
	calls := map[string]*atomic.Int64{}
	for route := range d {
		calls[route] = &atomic.Int64{}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked != nil {
			asked(r, string(body))
		}
		answers := d[r.URL.Path]
		if len(answers) == 0 {
			http.NotFound(w, r)
			return
		}
		now := answers[min(int(calls[r.URL.Path].Add(1)), len(answers))-1]
		w.Header().Set("Content-Type", "application/json")
		if now.status >= 400 {
			w.Header().Set("Content-Type", "application/problem+json")
		}
		if now.status/100 == 3 {
			w.Header().Set("Location", now.body)
		}
		w.WriteHeader(now.status)
		if now.status != http.StatusNoContent {
			_, _ = io.WriteString(w, now.body)
		}
	}))
	defer server.Close()
	var steps []string
	config := selftest.Config{DAOURL: server.URL, FOSURL: server.URL, Email: email, Password: privacy.NewSecret(secret), EntryProduct: "think-tank"}
	for _, alter := range change {
		alter(&config)
	}
	err := selftest.Run(t.Context(), config, func(s selftest.Step) {
		if s.Err != nil {
			s.Detail = "FAILED"
		}
		steps = append(steps, s.Name+": "+s.Detail)
	})
	return steps, err
}

func TestAHealthyDeploymentPassesAllStages(t *testing.T) {
	t.Parallel()
	steps, err := healthy().probe(t, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"sign in at the DAO half: ", "fetch a csrf token: ", "mint a token: hand-off " + handoff, "arrive at the FOS half: user u as member",
		"ask who is signed in: user u", "use the token again and be refused: handoff_invalid (used)", "sign out of both halves: ",
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

const start = "/api/v1/auth/cross-domain/start"

func bound(c *selftest.Config) { c.Bound = true }

// A journey that begins at the FOS half takes its challenge and its target to mint.
func TestAJourneyThatBeginsAtTheFOSHalfIsBound(t *testing.T) {
	t.Parallel()
	minted := ""
	steps, err := healthy().with(start, answer{303, "https://think-tank.test/open?challenge=c-1&target_domain=founderyos.test"}).probe(t,
		func(r *http.Request, body string) {
			if strings.HasSuffix(r.URL.Path, "/mint") {
				minted = body
			}
		}, bound)
	if err != nil || len(steps) != 8 || steps[2] != "begin the journey at the FOS half: by way of think-tank.test" {
		t.Errorf("%q, %v", steps, err)
	}
	if want := `{"challenge":"c-1","entry_product":"think-tank","target_domain":"founderyos.test"}`; !sameJSON(t, minted, want) {
		t.Errorf("minted with %s", minted)
	}
	for says, said := range map[string]answer{
		"the page at think-tank.test is told no challenge": {303, "https://think-tank.test/open"},
		"status 400, code invalid_request":                 {400, `{"code":"invalid_request"}`},
		"status 200":                                       {200, "{}"},
	} {
		if _, err := healthy().with(start, said).probe(t, nil, bound); err == nil || !strings.HasPrefix(err.Error(), "begin the journey at the FOS half: "+says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
}

func sameJSON(t testing.TB, one, other string) bool {
	t.Helper()
	var a, b any
	if json.Unmarshal([]byte(one), &a) != nil || json.Unmarshal([]byte(other), &b) != nil {
		return false
	}
	return cmp.Equal(a, b)
}

// Where people are asked whether it is they, the probe says yes, to its own hand-off only.
func TestAProbeThatIsAskedSaysYes(t *testing.T) {
	t.Parallel()
	const arrival, confirm = "/api/v1/auth/cross-domain-login", "/api/v1/auth/cross-domain/confirm"
	asks := answer{202, `{"pending":true,"handoff_id":"` + handoff + `"}`}
	used := answer{401, `{"code":"handoff_invalid","reason":"used"}`}
	steps, err := healthy().with(arrival, asks, used).with(confirm, answer{200, greeting}).probe(t, nil)
	if err != nil || steps[3] != "arrive at the FOS half: user u as member, after being asked" {
		t.Errorf("%q, %v", steps, err)
	}
	_, err = healthy().with(arrival, asks, used).with(confirm, answer{404, `{"code":"not_found"}`}).probe(t, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "arrive at the FOS half: say yes: status 404, code not_found") {
		t.Error(err)
	}
}

// A probe that fails says at which stage, and leaves no session behind: it may run every
// minute.
func TestAProbeThatFailsLeavesNoSession(t *testing.T) {
	t.Parallel()
	var left []string
	steps, err := healthy().with("/api/v1/auth/me", answer{503, `{"code":"dependency_unavailable"}`}).probe(t, func(r *http.Request, _ string) {
		if strings.HasSuffix(r.URL.Path, "/logout") {
			left = append(left, r.URL.Path)
		}
	})
	if err == nil || steps[len(steps)-1] != "ask who is signed in: FAILED" {
		t.Errorf("%q, %v", steps, err)
	}
	if diff := cmp.Diff([]string{"/api/v1/auth/logout", "/api/auth/logout"}, left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// What must not go well is a failure too: a probe that only looks at 200 would be
// content with a service that lets a token in twice.
func TestABrokenDeploymentFailsAtItsStage(t *testing.T) {
	t.Parallel()
	const arrival, me = "/api/v1/auth/cross-domain-login", "/api/v1/auth/me"
	for name, story := range map[string]struct {
		of   deployment
		says string
	}{
		"the password is refused": {
			healthy().with("/api/auth/login", answer{401, `{"code":"invalid_credentials","request_id":"r-1","detail":"` + email + `"}`}),
			"sign in at the DAO half: status 401, code invalid_credentials, request id r-1",
		},
		"a gateway is in the way": {healthy().with("/api/auth/login", answer{502, "<html>" + email + "</html>"}), "sign in at the DAO half: status 502"},
		"a redirect to a login page": {
			healthy().with("/api/auth/login", answer{302, "/elsewhere?" + secret}), "sign in at the DAO half: status 302",
		},
		"no JSON comes":            {healthy().with("/api/auth/csrf-token", answer{200, "<html>" + token}), "fetch a csrf token: the answer is not the JSON"},
		"mint is limited":          {healthy().with("/api/staging_token/mint", answer{429, `{"code":"rate_limited"}`}), "mint a token: status 429, code rate_limited"},
		"a token opens nothing":    {healthy().with(arrival, answer{401, `{"code":"handoff_invalid"}`}), "arrive at the FOS half: status 401, code handoff_invalid"},
		"somebody else's hand-off": {healthy().with(arrival, answer{200, `{"handoff_id":"another"}`}), "arrive at the FOS half: another hand-off"},
		"nobody is signed in":      {healthy().with(me, answer{401, `{"code":"session_required"}`}), "ask who is signed in: status 401"},
		"somebody else is": {
			healthy().with(me, answer{200, `{"user":{"id":"somebody else"}}`}), "ask who is signed in: another user",
		},
		"a token is good twice": {healthy().with(arrival, answer{200, greeting}), "use the token again and be refused: status 200"},
		"a used token is merely unknown": {
			healthy().with(arrival, answer{200, greeting}, answer{401, `{"code":"handoff_invalid","reason":"invalid"}`}),
			"use the token again and be refused: refused with handoff_invalid (invalid)",
		},
		"nobody can leave": {healthy().with("/api/v1/auth/logout", answer{503, `{"code":"dependency_unavailable"}`}), "sign out of both halves: status 503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := story.of.probe(t, nil)
			if err == nil || !strings.HasPrefix(err.Error(), story.says) {
				t.Fatalf("%v, want %s", err, story.says)
			}
			for _, hidden := range []string{email, secret, token} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error shows %q: %v", hidden, err)
				}
			}
		})
	}
}

// A half that answers nothing useful at all is named, and its address; what was
// sent to it is not.
func TestADeadHalfIsNamedAndNothingElse(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	err := selftest.Run(t.Context(), selftest.Config{
		DAOURL: server.URL, FOSURL: server.URL, Email: email, Password: privacy.NewSecret(secret),
	}, func(s selftest.Step) {
		if s.Err == nil {
			t.Error("a step went well")
		}
	})
	if err == nil || !strings.HasPrefix(err.Error(), "sign in at the DAO half: no answer: ") ||
		strings.Contains(err.Error(), email) || strings.Contains(err.Error(), secret) {
		t.Errorf("%v", err)
	}
}

// net/http quotes what it cannot read, and what it cannot read may be our own words.
func TestI6_aServerThatEchoesPutsNothingIntoTheError(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = conn.Write(append([]byte("HTTP/1.1 200 OK\r\n"), body...))
		_ = conn.Close()
	}))
	t.Cleanup(server.Close)
	err := selftest.Run(t.Context(), selftest.Config{
		DAOURL: server.URL, FOSURL: server.URL, Email: email, Password: privacy.NewSecret(secret),
	}, func(selftest.Step) {})
	if err == nil || strings.Contains(err.Error(), email) || strings.Contains(err.Error(), secret) {
		t.Errorf("%v", err)
	}
}

// What is not ours says what it likes where an id or a code is expected: the words that it
// was sent, or lines that look like the probe's own.
func TestI6_whatAWrongServerSaysIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]string{"an address": email, "a token": token, "a line of the report": `x\n  1.0 ms  sign out of both halves`, "what terminals obey": `\u001b[2J`} {
		greets := `{"user":{"id":"` + said + `","role":"` + said + `"},"handoff_id":"` + handoff + `"}`
		for route, d := range map[string]deployment{
			"mint":    healthy().with("/api/staging_token/mint", answer{200, `{"token":"` + token + `","handoff_id":"` + said + `"}`}),
			"arrival": healthy().with("/api/v1/auth/cross-domain-login", answer{200, greets}).with("/api/v1/auth/me", answer{200, greets}),
			"problem": healthy().with("/api/v1/auth/me", answer{503, `{"code":"` + said + `","reason":"` + said + `","request_id":"` + said + `"}`}),
			"replay":  healthy().with("/api/v1/auth/cross-domain-login", answer{200, greeting}, answer{401, `{"code":"` + said + `","reason":"` + said + `"}`}),
		} {
			steps, err := d.probe(t, nil)
			report := strings.Join(steps, "") + fmt.Sprint(err)
			if err == nil || strings.Contains(report, email) || strings.Contains(report, token) || strings.ContainsAny(report, "\n\x1b") {
				t.Errorf("%s, %s: %q, %v", route, name, steps, err)
			}
		}
	}
}

// The probe behaves as the pages do, so that it tests what they rely on.
func TestTheProbeAsksAsThePagesDo(t *testing.T) {
	t.Parallel()
	seen := map[string]map[string]string{}
	_, err := healthy().probe(t, func(r *http.Request, body string) {
		var fields map[string]string
		if body != "" && json.Unmarshal([]byte(body), &fields) != nil {
			t.Errorf("%s: no JSON", r.URL.Path)
		}
		if fields == nil {
			fields = map[string]string{}
		}
		fields["method"], fields["csrf"], fields["with"] = r.Method, r.Header.Get("X-CSRF-Token"), r.Header.Get("X-Requested-With")
		seen[r.URL.Path] = fields
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{
		"/api/auth/login":                 {"method": "POST", "csrf": "", "with": "", "email": email, "password": secret},
		"/api/auth/csrf-token":            {"method": "GET", "csrf": "", "with": ""},
		"/api/staging_token/mint":         {"method": "POST", "csrf": "c", "with": "", "entry_product": "think-tank"},
		"/api/v1/auth/cross-domain-login": {"method": "POST", "csrf": "", "with": "selftest", "token": token},
		"/api/v1/auth/me":                 {"method": "GET", "csrf": "", "with": ""},
		"/api/v1/auth/logout":             {"method": "POST", "csrf": "", "with": "selftest"},
		"/api/auth/logout":                {"method": "POST", "csrf": "c", "with": ""},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}
