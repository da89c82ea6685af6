package fosapi_test

import (
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// authHeaders are what the gateway takes from the answer.
var authHeaders = []string{"X-Auth-Service", "X-Auth-User", "X-Auth-Role", "X-Auth-Session"}

// forwardAuth stands before a service as Traefik does with its ForwardAuth middleware
// (pkg/middlewares/auth/forward.go of v3.7, with trustForwardHeader=false): it asks with
// GET, with all end-to-end headers of the request and with X-Forwarded-* of its own; hands
// on an answer that is no 2xx; and else replaces, or removes, each header of its list
// authResponseHeaders. It lets through what is not on the list.
type forwardAuth struct {
	URL      string
	question string
	service  *httputil.ReverseProxy
	client   *http.Client
}

// protected is a service that tells what it was sent.
type protected struct {
	*forwardAuth
	served atomic.Int64
}

// protect puts a service behind a gateway that asks at path.
func protect(t testing.TB, s *testkit.Service, path string) *protected {
	t.Helper()
	b := &protected{}
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.served.Add(1)
		seen := map[string]any{}
		for _, name := range authHeaders {
			seen[name] = r.Header[name]
		}
		_ = json.NewEncoder(w).Encode(seen)
	}))
	t.Cleanup(service.Close)
	to, err := url.Parse(service.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.forwardAuth = &forwardAuth{question: s.AuthzURL + path, service: httputil.NewSingleHostReverseProxy(to), client: &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	t.Cleanup(b.client.CloseIdleConnections)
	front := httptest.NewServer(b.forwardAuth)
	t.Cleanup(front.Close)
	b.URL = front.URL
	return b
}

var hopByHop = []string{"Connection", "Keep-Alive", "Te", "Trailers", "Transfer-Encoding", "Upgrade"}

func (g *forwardAuth) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	question, err := http.NewRequestWithContext(r.Context(), http.MethodGet, g.question, http.NoBody)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	question.Header = r.Header.Clone()
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Forwarded-") {
			question.Header.Del(name)
		}
	}
	for _, name := range hopByHop {
		question.Header.Del(name)
	}
	client, _, _ := net.SplitHostPort(r.RemoteAddr)
	for name, value := range map[string]string{"For": client, "Method": r.Method, "Proto": "http", "Host": r.Host, "Uri": r.URL.RequestURI()} {
		question.Header.Set("X-Forwarded-"+name, value)
	}
	answer, err := g.client.Do(question)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode/100 != 2 {
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
		return
	}
	for _, name := range authHeaders {
		r.Header.Del(name)
		if values := answer.Header[name]; len(values) > 0 {
			r.Header[name] = values
		}
	}
	g.service.ServeHTTP(w, r)
}

// caller is who a service is told that it is.
type caller struct{ service, user, role, session string }

// wantCaller demands that the service was reached and told exactly this, each header
// once, "" too.
func wantCaller(t testing.TB, answer testkit.Answer, who caller) {
	t.Helper()
	want := map[string]string{"X-Auth-Service": who.service, "X-Auth-User": who.user, "X-Auth-Role": who.role, "X-Auth-Session": who.session}
	if answer.Status != http.StatusOK || answer.Code() != "" {
		t.Errorf("it was not let pass: %d %s", answer.Status, answer.Raw)
		return
	}
	for name, value := range want {
		values, _ := answer.Body[name].([]any)
		if len(values) != 1 || values[0] != value {
			t.Errorf("%s: %v, want %q alone", name, values, value)
		}
	}
}

// wantStopped demands a refusal that never reached the service.
func (b *protected) wantStopped(t testing.TB, answer testkit.Answer, status int, code string) {
	t.Helper()
	wantProblem(t, answer, status, code)
	for _, name := range authHeaders {
		if answer.Header.Values(name) != nil {
			t.Errorf("a refusal has %s", name)
		}
	}
	if n := b.served.Swap(0); n > 0 {
		t.Errorf("the service was reached %d times", n)
	}
}
