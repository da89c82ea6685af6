package fosapi_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The attack on every service behind the gateway: another site makes the person's
// browser send the request. The gateway asks with GET all the same; the rules of this
// half apply to what it asks about.
func TestForwardAuth_whatAnotherSiteMakesABrowserSendIsStopped(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	app := protect(t, s, "/authz/session")
	b, _ := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	with, front := header("X-Requested-With", "test"), header("Origin", "https://"+testkit.Target)
	evil, cross := header("Origin", "https://evil.test"), header("Sec-Fetch-Site", "cross-site")
	for name, story := range map[string]struct {
		headers      []testkit.Header
		safe, unsafe string // the code that a method hears, "" if it passes
	}{
		"our front end":                     {[]testkit.Header{with, front}, "", ""},
		"a program":                         {[]testkit.Header{with}, "", ""},
		"a form of another site":            {[]testkit.Header{evil, cross}, "origin_not_allowed", "origin_not_allowed"},
		"a script of another site":          {[]testkit.Header{with, evil}, "origin_not_allowed", "origin_not_allowed"},
		"a form without an Origin":          {[]testkit.Header{cross}, "", "origin_not_allowed"},
		"a sandboxed frame":                 {[]testkit.Header{with, header("Origin", "null")}, "origin_not_allowed", "origin_not_allowed"},
		"a form of a sibling subdomain":     {[]testkit.Header{header("Sec-Fetch-Site", "same-site")}, "", "csrf_failed"},
		"our front end, without the header": {[]testkit.Header{front}, "", "csrf_failed"},
		"a socket that another site opens":  {[]testkit.Header{evil, header("Connection", "Upgrade"), header("Upgrade", "websocket")}, "origin_not_allowed", "origin_not_allowed"},
		"another site that names a method":  {[]testkit.Header{cross, header("X-Forwarded-Method", "GET")}, "", "origin_not_allowed"},
	} {
		for method, code := range map[string]string{
			http.MethodGet: story.safe, http.MethodHead: story.safe, http.MethodPost: story.unsafe, http.MethodPut: story.unsafe,
			http.MethodPatch: story.unsafe, http.MethodDelete: story.unsafe, http.MethodOptions: story.unsafe, "MOVE": story.unsafe,
		} {
			app.served.Store(0)
			answer := b.Do(method, app.URL+"/transfer", nil, story.headers...)
			switch {
			case code == "" && (answer.Status != http.StatusOK || app.served.Load() != 1):
				t.Errorf("%s: %s: %d %s", name, method, answer.Status, answer.Raw)
			case code != "" && method == http.MethodHead && answer.Status != http.StatusForbidden:
				t.Errorf("%s: HEAD: %d", name, answer.Status)
			case code != "" && method != http.MethodHead:
				app.wantStopped(t, answer, http.StatusForbidden, code)
			}
		}
	}
}

// I15: who is no gateway of ours gets no answer, whatever they say they ask about; and
// what a gateway leaves out, or says in two ways, may change something.
func TestI15_onlyAGatewayOfOursMayAsk(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	b := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	const method = "X-Forwarded-Method"
	for name, story := range map[string]struct {
		headers []testkit.Header
		safe    bool
	}{
		"a safe one":         {[]testkit.Header{header(method, "GET")}, true},
		"the other safe one": {[]testkit.Header{header(method, "HEAD")}, true},
		"none":               {nil, false},
		"an unsafe one":      {[]testkit.Header{header(method, "POST")}, false},
		"two":                {[]testkit.Header{header(method, "GET"), header(method, "POST")}, false},
		"the same one twice": {[]testkit.Header{header(method, "GET"), header(method, "GET")}, false},
		"a list":             {[]testkit.Header{header(method, "GET, POST")}, false},
		"in lower case":      {[]testkit.Header{header(method, "get")}, false},
		"nonsense":           {[]testkit.Header{header(method, "GETT")}, false},
		"in another header":  {[]testkit.Header{header("X_Forwarded_Method", "GET"), header("X-HTTP-Method-Override", "GET")}, false},
	} {
		answer := b.Get(s.AuthzURL+"/authz/session", story.headers...)
		if story.safe && answer.Status != http.StatusNoContent || !story.safe && answer.Code() != "csrf_failed" {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
	}
	elsewhere := s.Process(t, map[string]string{"TRUSTED_PROXIES": "10.0.0.0/8,2001:db8::7"})
	for _, path := range []string{"/authz/session", "/authz/service"} {
		answer := b.Get(elsewhere.AuthzURL+path, header(method, "GET"), header("X-Forwarded-For", "10.1.2.3"), showing(mailToken))
		wantProblem(t, answer, http.StatusForbidden, "proxy_not_trusted")
	}
	if answer := b.Get(elsewhere.AuthzURL + "/health"); answer.Status != http.StatusOK {
		t.Errorf("who is no gateway may ask whether it is well: %d %s", answer.Status, answer.Raw)
	}
}

// The listener answers what gateways ask and nothing else, to GET alone; the half's own
// knows nothing of it, so that no route of the half's leads there.
func TestForwardAuth_theListenerIsApart(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	b := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	get := header("X-Forwarded-Method", "GET")
	for _, path := range []string{"/api/v1/auth/me", "/api/v1/auth/logout", "/health/detailed", "/authz", "/metrics", "/"} {
		wantProblem(t, b.Get(s.AuthzURL+path, get), http.StatusNotFound, "not_found")
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		wantProblem(t, b.Do(method, s.AuthzURL+"/authz/session", nil, get), http.StatusMethodNotAllowed, "method_not_allowed")
	}
	for _, path := range []string{"/authz/session", "/authz/service", "/health", "/nowhere"} { // a gateway that keeps the method takes any 2xx for a yes
		for _, origin := range []string{"", s.FOSURL, "https://evil.test"} {
			wantProblem(t, s.Browser(t).Do(http.MethodOptions, s.AuthzURL+path, nil, header("Origin", origin), header("Access-Control-Request-Method", "GET")),
				http.StatusMethodNotAllowed, "method_not_allowed")
		}
	}
	for _, url := range []string{s.FOSURL, s.DAOURL} {
		wantProblem(t, b.Get(url+"/authz/session", get), http.StatusNotFound, "not_found")
	}
}

// Nobody passes on a guess: while the sessions cannot be looked up, the answer is 503 in
// time, and the listener says that it is not ready. A service's bearer needs no store.
func TestForwardAuth_withoutTheDatabaseNoSessionPasses(t *testing.T) {
	t.Parallel()
	s := withAuthz(t, nil)
	linked := s.Linked(t, nil)
	people, services := protect(t, linked.Service, "/authz/session"), protect(t, linked.Service, "/authz/service")
	b := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	if answer := b.Get(people.URL); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	people.served.Store(0)
	for name, trouble := range map[string]func(){"down": linked.FOSPostgres.Cut, "hanging": linked.FOSPostgres.Freeze} {
		trouble()
		begun := time.Now()
		answer := b.Get(people.URL)
		t.Log(name)
		wantUnavailable(t, answer, begun)
		people.wantStopped(t, answer, http.StatusServiceUnavailable, "dependency_unavailable")
		if ready := b.Get(linked.AuthzURL + "/health"); ready.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: ready: %d %s", name, ready.Status, ready.Raw)
		}
		wantCaller(t, s.Browser(t).Get(services.URL, showing(mailToken)), caller{"mail", "", "", ""})
		linked.FOSPostgres.Mend()
	}
	linked.RedisLink.Cut()
	for range 40 {
		if b.Get(people.URL).Status == http.StatusOK {
			return
		}
	}
	t.Error("nobody passes once the database is back, or not without Redis")
}

// Whoever copies what the operations document shows gets a gateway that takes away
// whatever a client says of itself.
func TestForwardAuth_theSnippetListsEveryHeader(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, middleware := range strings.Split(string(text), "forwardAuth:\n")[1:] {
		found++
		list := strings.Split(middleware, "authResponseHeaders:\n")[1]
		for i, name := range authHeaders {
			if lines := strings.SplitN(list, "\n", len(authHeaders)+1); strings.TrimSpace(lines[i]) != "- "+name {
				t.Errorf("header %d is %q, want %s", i, lines[i], name)
			}
		}
		if !strings.Contains(strings.Split(middleware, "authResponseHeaders:")[0], "trustForwardHeader: false\n") {
			t.Error("it trusts what a client says of its method")
		}
	}
	if found != 2 {
		t.Errorf("there are %d middlewares", found)
	}
}
