package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

// guarded is an edge whose every endpoint demands an allowed origin.
func guarded(t testing.TB, change ...func(*httpapi.Config)) *edge {
	t.Helper()
	// The guard is of the configuration that the edge itself has.
	config := configOf(t, &logBuffer{})
	for _, alter := range change {
		alter(&config)
	}
	return serve(t, []httpapi.Route{
		route(http.MethodPost, "/unsafe", ok, config.AllowedOrigin), route(http.MethodGet, "/safe", ok, config.AllowedOrigin),
		route(http.MethodDelete, "/unsafe", ok, config.AllowedOrigin),
	}, change...)
}

// The attack: another site makes a browser send its cookies here.
func TestOrigin_whoMayCall(t *testing.T) {
	t.Parallel()
	e := guarded(t)
	for _, row := range []struct {
		name    string
		headers []string
		unsafe  bool // whether POST passes
		safe    bool // whether GET passes
	}{
		{"an allowed origin", []string{"Origin: " + allowed}, true, true},
		{"an allowed origin, which Fetch Metadata calls cross-site", []string{"Origin: " + allowed, "Sec-Fetch-Site: cross-site"}, true, true},
		{"no browser: neither header", nil, true, true},
		{"same origin, by Fetch Metadata", []string{"Sec-Fetch-Site: same-origin"}, true, true},
		{"typed by the person", []string{"Sec-Fetch-Site: none"}, true, true},
		{"a sibling, without Origin: the csrf value decides", []string{"Sec-Fetch-Site: same-site"}, true, true},
		{"another site without Origin", []string{"Sec-Fetch-Site: cross-site"}, false, true},
		{"another site", []string{"Origin: https://evil.test"}, false, false},
		{"another site that claims to be the same", []string{"Origin: https://evil.test", "Sec-Fetch-Site: same-origin"}, false, false},
		{"null: a sandboxed frame", []string{"Origin: null"}, false, false},
		{"an empty origin", []string{"Origin: "}, false, false},
		{"another scheme", []string{"Origin: http://think-tank.test"}, false, false},
		{"another port", []string{"Origin: https://think-tank.test:8443"}, false, false},
		{"the allowed name as a prefix", []string{"Origin: https://think-tank.test.evil.test"}, false, false},
		{"the allowed name as a suffix", []string{"Origin: https://evil-think-tank.test"}, false, false},
		{"a subdomain", []string{"Origin: https://a.think-tank.test"}, false, false},
		{"user information", []string{"Origin: https://think-tank.test@evil.test"}, false, false},
		{"another case", []string{"Origin: https://THINK-TANK.test"}, false, false},
		{"a slash at its end", []string{"Origin: https://think-tank.test/"}, false, false},
		{"two in one header", []string{"Origin: " + allowed + " https://evil.test"}, false, false},
		{"two headers, the allowed first", []string{"Origin: " + allowed, "Origin: https://evil.test"}, false, false},
		{"the same one twice", []string{"Origin: " + allowed, "Origin: " + allowed}, false, false},
		{"a wildcard", []string{"Origin: *"}, false, false},
	} {
		for method, passes := range map[string]bool{"POST /unsafe": row.unsafe, "DELETE /unsafe": row.unsafe, "GET /safe": row.safe} {
			verb, path, _ := strings.Cut(method, " ")
			got := e.send(verb, path, "", row.headers...)
			if passes && got.status != 200 || !passes && (got.status != 403 || got.code() != "origin_not_allowed") {
				t.Errorf("%s: %s: %d %s", row.name, method, got.status, got.code())
			}
		}
	}
}

// In development the pages answer under any name of this machine. The attack is
// DNS rebinding: a name of the attacker's that points here.
func TestOrigin_ownLoopbackIsForDevelopment(t *testing.T) {
	t.Parallel()
	rows := []struct {
		origin, host string
		development  bool
	}{
		{"http://localhost:8787", "localhost:8787", true},
		{"http://think-tank.localhost:8787", "think-tank.localhost:8787", true},
		{"http://127.0.0.1:8787", "127.0.0.1:8787", true},
		{"http://[::1]:8787", "[::1]:8787", true},
		{"http://evil.test:8787", "evil.test:8787", false},
		{"http://localhost.evil.test:8787", "localhost.evil.test:8787", false},
		{"http://localhost:8787", "localhost:9999", false},
		{"http://localhost:9999", "localhost:8787", false},
		{"http://127.0.0.1.evil.test", "127.0.0.1.evil.test", false},
		{"http://192.168.0.1", "192.168.0.1", false},
		{"null", "localhost:8787", false},
		{"http://", "", false},
	}
	for _, development := range []bool{true, false} {
		e := guarded(t, func(c *httpapi.Config) { c.LoopbackSameOrigin = development })
		for _, row := range rows {
			headers := []string{"Origin: " + row.origin}
			if row.host != "" {
				headers = append(headers, "Host: "+row.host)
			}
			got := e.send(http.MethodPost, "/unsafe", "", headers...)
			if passes := row.development && development; passes != (got.status == 200) {
				t.Errorf("development %v: %s at %s: %d", development, row.origin, row.host, got.status)
			}
		}
	}
}

// CORS: what a browser may read. A preflight never reaches a handler.
func TestCORS_preflights(t *testing.T) {
	t.Parallel()
	e := guarded(t)
	ask := func(origin string) reply {
		return e.send(http.MethodOptions, "/unsafe", "", "Origin: "+origin, "Access-Control-Request-Method: POST",
			"Access-Control-Request-Headers: x-csrf-token")
	}
	got := ask(allowed)
	for header, want := range map[string]string{
		"Access-Control-Allow-Origin": allowed, "Access-Control-Allow-Credentials": "true", "Access-Control-Max-Age": "600",
		"Access-Control-Allow-Methods": "GET,POST,DELETE",
		"Access-Control-Allow-Headers": "Content-Type,X-CSRF-Token,X-Requested-With,Idempotency-Key",
	} {
		if is := got.header.Get(header); got.status != 204 || is != want {
			t.Errorf("%d, %s is %q, want %q", got.status, header, is, want)
		}
	}
	for _, origin := range []string{
		"https://evil.test", "null", "https://think-tank.test.evil.test", "https://think-tankXtest", "http://think-tank.test", "https://a.think-tank.test",
	} {
		got := ask(origin)
		for _, header := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods"} {
			if value := got.header.Get(header); value != "" {
				t.Errorf("%s is told %s: %s", origin, header, value)
			}
		}
		if got.status >= 300 || got.raw != "" {
			t.Errorf("%s: %d %s", origin, got.status, got.raw)
		}
	}
}

// An allowed page may read the answers, problems included, and what leads to the
// log; caches keep answers to different origins apart.
func TestCORS_answers(t *testing.T) {
	t.Parallel()
	e := guarded(t)
	for path, status := range map[string]int{"/safe": 200, "/nowhere": 404} {
		got := e.send(http.MethodGet, path, "", "Origin: "+allowed)
		if got.status != status || got.header.Get("Access-Control-Allow-Origin") != allowed || got.header.Get("Access-Control-Allow-Credentials") != "true" ||
			!strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "X-Request-ID") || !strings.Contains(got.header.Get("Vary"), "Origin") {
			t.Errorf("%s: %d %v", path, got.status, got.header)
		}
		if got := e.send(http.MethodGet, path, "", "Origin: https://evil.test"); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: another site may read it", path)
		}
	}
	// With nothing configured nobody is allowed; the middleware's own default is "*".
	closed := guarded(t, func(c *httpapi.Config) { c.AllowedOrigins = nil })
	for _, method := range []string{http.MethodGet, http.MethodOptions} {
		if got := closed.send(method, "/safe", "", "Origin: "+allowed); got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: with no origin configured %q is allowed", method, got.header.Get("Access-Control-Allow-Origin"))
		}
	}
}

func TestRequestedWith_needsTheHeader(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodPost, "/x", ok, httpapi.RequestedWith)})
	if got := e.send(http.MethodPost, "/x", "", "X-Requested-With: fetch"); got.status != 200 {
		t.Errorf("%d", got.status)
	}
	for _, headers := range [][]string{nil, {"X-Requested-With: "}} {
		if got := e.send(http.MethodPost, "/x", "", headers...); got.status != 403 || got.code() != "csrf_failed" {
			t.Errorf("%v: %d %s", headers, got.status, got.code())
		}
	}
}
