package fosapi_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// gateway is the TLS end of a deployment: it strips /fos and leads to the FOS half, or
// /auth or /oracle and leads to the DAO half, as the routes in deploy/k8s do.
type gateway struct{ *httptest.Server }

func gatewayTo(t testing.TB, s *testkit.Service) gateway {
	t.Helper()
	strip := func(prefix, to string) http.Handler {
		half, err := url.Parse(to)
		if err != nil {
			t.Fatal(err)
		}
		return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, prefix)
			r.SetURL(half)
			r.Out.Host = r.In.Host
			r.SetXForwarded()
			r.Out.Header.Set("X-Forwarded-Prefix", prefix) // Traefik's StripPrefix sends it
		}}
	}
	routes := http.NewServeMux()
	routes.Handle("/fos/", strip("/fos", s.FOSURL))
	routes.Handle("/auth/", strip("/auth", s.DAOURL))
	routes.Handle("/oracle/", strip("/oracle", s.DAOURL))
	server := httptest.NewTLSServer(routes)
	t.Cleanup(server.Close)
	return gateway{server}
}

func (g gateway) browser(t testing.TB, s *testkit.Service) *testkit.Browser {
	t.Helper()
	b := s.Browser(t)
	b.Through(g.Client().Transport)
	return b
}

func (g gateway) post(b *testkit.Browser, path string, body any, headers ...testkit.Header) testkit.Answer {
	return b.Post(g.URL+"/fos/api/v1/auth/"+path, body, append([]testkit.Header{header("X-Requested-With", "test")}, headers...)...)
}

// behind is a deployment of both halves behind a gateway, over HTTPS.
func behind(t testing.TB, env map[string]string) (*testkit.Service, gateway) {
	t.Helper()
	all := map[string]string{"COOKIE_SECURE": "true", "TRUSTED_PROXIES": "127.0.0.1/32"}
	for name, value := range env {
		all[name] = value
	}
	s := testkit.Start(t, testkit.Options{Env: all})
	return s, gatewayTo(t, s)
}

// mintedThere is a token of Ada's. Her session is no part of the story: it rests in a
// cookie of a DAO half that speaks plain HTTP, on the same stores.
func mintedThere(t testing.TB, s *testkit.Service) string {
	t.Helper()
	plain := s.Process(t, map[string]string{"HANDOFF_HALVES": "dao", "COOKIE_SECURE": "false"})
	return plain.SignIn(t, s.Member(t, "ada@example.org")).MintToken()
}

// A browser sees the gateway's paths, the FOS half its own. With FOS_PUBLIC_PREFIX the
// refresh cookie's path is the browser's, and the session lives as it does without a
// gateway: refreshed after its access token has ended, again with what that gave, until
// it is signed out.
func TestRefreshThroughAGatewayThatStripsItsPrefix(t *testing.T) {
	t.Parallel()
	s, g := behind(t, map[string]string{"FOS_PUBLIC_PREFIX": "/fos"})
	b := g.browser(t, s)
	arrived(t, g.post(b, "cross-domain-login", map[string]any{"token": mintedThere(t, s)}))
	const name = "__Secure-refresh_token"
	last := b.Cookie(g.URL+"/fos/api/v1/auth/refresh", name)
	if last == "" || b.Cookie(g.URL+"/fos/api/v1/users", name) != "" || b.Cookie(g.URL+"/api/v1/auth/refresh", name) != "" {
		t.Fatal("the refresh token goes elsewhere than to the routes that take it")
	}
	for range 3 {
		s.Clock.Advance(31 * time.Minute)
		if answer := g.post(b, "refresh", nil); answer.Status != http.StatusOK {
			t.Fatalf("refresh: %d %s", answer.Status, answer.Raw)
		}
		next := b.Cookie(g.URL+"/fos/api/v1/auth/refresh", name)
		if me := b.Get(g.URL + "/fos/api/v1/auth/me"); me.Status != http.StatusOK || next == last {
			t.Fatalf("after a refresh: %d %s", me.Status, me.Raw)
		}
		last = next
	}
	if answer := g.post(b, "logout", nil); answer.Status != http.StatusNoContent || b.Cookie(g.URL+"/fos/api/v1/auth/refresh", name) != "" {
		t.Errorf("logout: %d, and a cookie stays", answer.Status)
	}
	wantProblem(t, g.post(b, "refresh", nil), http.StatusUnauthorized, "session_required")
}

// The prefix is configured. What a gateway, or a client, says of it in a header counts
// for nothing: else anybody could move somebody's cookies.
func TestThePrefixIsNotTakenFromAHeader(t *testing.T) {
	t.Parallel()
	s, g := behind(t, nil)
	b := g.browser(t, s)
	answer := arrived(t, g.post(b, "cross-domain-login", map[string]any{"token": mintedThere(t, s)}, header("X-Forwarded-Prefix", "/fos")))
	if c := answer.Cookie("__Secure-refresh_token"); c == nil || c.Path != "/api/v1/auth" {
		t.Errorf("the refresh cookie: %v", c)
	}
	wantProblem(t, g.post(b, "refresh", nil), http.StatusUnauthorized, "session_required")
}

// Both prefixes of the DAO half lead to its one set of routes.
func TestTheDAOHalfBehindItsTwoPrefixes(t *testing.T) {
	t.Parallel()
	s, g := behind(t, nil)
	for _, prefix := range []string{"/auth", "/oracle"} {
		b := g.browser(t, s)
		if answer := b.Get(g.URL + prefix + "/api/auth/session"); answer.Status != http.StatusOK || answer.Body["authenticated"] != false {
			t.Errorf("%s: %d %s", prefix, answer.Status, answer.Raw)
		}
		if answer := b.Get(g.URL + prefix + "/health"); answer.Status != http.StatusOK {
			t.Errorf("%s: %d %s", prefix, answer.Status, answer.Raw)
		}
	}
}
