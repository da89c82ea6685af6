package httpapi_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

// I13: headers are bounded at 16 KiB, one large or many small, the Host, the
// cookies and the address of the page included; the client hears of it in the
// form of every other problem.
func TestI13_headersAreBounded(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/x", ok)})
	many := make([]string, 0, 600)
	for i := range 600 {
		many = append(many, fmt.Sprintf("X-H%d: %s", i, strings.Repeat("v", 24)))
	}
	large := strings.Repeat("v", 16<<10)
	for name, send := range map[string]func() reply{
		"one":               func() reply { return e.send(http.MethodGet, "/x", "", "X-Large: "+large) },
		"many":              func() reply { return e.send(http.MethodGet, "/x", "", many...) },
		"a cookie":          func() reply { return e.send(http.MethodGet, "/x", "", "Cookie: a="+large) },
		"the query":         func() reply { return e.send(http.MethodGet, "/x?a="+large, "") },
		"the path":          func() reply { return e.send(http.MethodGet, "/"+large, "") },
		"the host":          func() reply { return e.send(http.MethodGet, "/x", "", "Host: "+large) },
		"on no known path":  func() reply { return e.send(http.MethodGet, "/nowhere", "", "X-Large: "+large) },
		"a preflight":       func() reply { return e.send(http.MethodOptions, "/x", "", "Origin: "+allowed, "X-Large: "+large) },
		"an unknown method": func() reply { return e.send("BREW", "/x", "", "X-Large: "+large) },
	} {
		if got := send(); got.status != 431 || got.code() != "headers_too_large" || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s", name, got.status, got.raw)
		}
	}
	if got := e.send(http.MethodGet, "/x", "", "X-Fits: "+strings.Repeat("v", 15<<10)); got.status != 200 {
		t.Errorf("15 KiB: %d %s", got.status, got.code())
	}
}

// Beyond 24 KiB net/http turns away by itself, which bounds what is held at all.
func TestI13_hugeHeadersAreNotEvenRead(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/x", ok)})
	if got := e.sendRaw("GET /x HTTP/1.1\r\nHost: x\r\nX-Huge: " + strings.Repeat("v", 80<<10) + "\r\n\r\n"); got.status != 431 {
		t.Errorf("%d", got.status)
	}
	if lines := e.lines("request"); len(lines) != 0 {
		t.Errorf("it reached the handler: %v", lines)
	}
}

// A request's id is ours: one that a client sends would let a stranger write into
// our log, and join other people's lines to theirs.
func TestRequestID_isOfOurOwnMaking(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/x", ok)})
	seen := map[string]bool{}
	for range 3 {
		got := e.send(http.MethodGet, "/x", "", "X-Request-ID: mine\tand mine alone")
		id, err := uuid.Parse(got.header.Get("X-Request-ID"))
		if err != nil || seen[id.String()] || len(got.header.Values("X-Request-ID")) != 1 {
			t.Errorf("ids %v", got.header.Values("X-Request-ID"))
		}
		seen[id.String()] = true
	}
	for i, line := range e.lines("request") {
		if id, _ := line["request_id"].(string); !seen[id] {
			t.Errorf("line %d has the id %s", i, id)
		}
	}
}

// Every answer has the security headers that are configured and no other:
// problems, unknown paths and preflights too.
func TestSecurityHeaders_goWithEveryAnswer(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/x", ok)}, func(c *httpapi.Config) {
		c.Headers = httpapi.SecurityHeaders{HSTS: "max-age=1", CSP: "default-src 'none'", ReferrerPolicy: "no-referrer"}
	})
	for name, got := range map[string]reply{
		"an answer": e.send(http.MethodGet, "/x", ""), "not found": e.send(http.MethodGet, "/nowhere", ""),
		"a method": e.send(http.MethodPut, "/x", ""), "headers": e.send(http.MethodGet, "/x", "", "X-Large: "+strings.Repeat("v", 16<<10)),
		"a preflight": e.send(http.MethodOptions, "/x", "", "Origin: "+allowed, "Access-Control-Request-Method: GET"),
		"health":      e.send(http.MethodGet, "/health/live", ""),
	} {
		for header, want := range map[string]string{
			"Strict-Transport-Security": "max-age=1", "Content-Security-Policy": "default-src 'none'",
			"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "",
		} {
			if is := got.header.Get(header); is != want {
				t.Errorf("%s: %s is %q, want %q", name, header, is, want)
			}
		}
	}
}

func TestRouting_unknownPathsAndWrongMethods(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{
		{Method: http.MethodPost, Paths: []string{"/a/mint", "/b/mint"}, Stage: "mint", Handle: ok},
		route(http.MethodGet, "/thing", ok), route(http.MethodDelete, "/thing", ok),
	})
	for _, path := range []string{"/nowhere", "/", "/a", "/a/mint/", "/a/mint/x", "/A/mint", "//a/mint", "/a/../a/mint", "/a%2fmint", "/thing/"} {
		if got := e.send(http.MethodPost, path, ""); got.status != 404 || got.code() != "not_found" {
			t.Errorf("POST %s: %d %s", path, got.status, got.code())
		}
	}
	for _, path := range []string{"/a/mint", "/b/mint"} { // the alias is the endpoint
		if got := e.send(http.MethodPost, path, ""); got.status != 200 {
			t.Errorf("POST %s: %d", path, got.status)
		}
	}
	for path, allow := range map[string]string{"/a/mint": "OPTIONS, POST", "/thing": "DELETE, GET, HEAD, OPTIONS", "/health/live": "GET, HEAD, OPTIONS"} {
		for _, method := range []string{http.MethodPut, http.MethodPatch, "BREW", http.MethodTrace} {
			got := e.send(method, path, "")
			allows := strings.Split(got.header.Get("Allow"), ", ")
			slices.Sort(allows)
			if got.status != 405 || got.code() != "method_not_allowed" || strings.Join(allows, ", ") != allow {
				t.Errorf("%s %s: %d %s, Allow %v", method, path, got.status, got.code(), allows)
			}
		}
	}
}

// A panic is a 500, and the connection survives; what it said stays inside when
// it may be anything.
func TestI6_aPanicTellsNobodyItsText(t *testing.T) {
	t.Parallel()
	var none map[string]int
	e := serve(t, []httpapi.Route{
		route(http.MethodGet, "/text", func(echo.Context) error { panic("hunter2 of ada@example.org") }),
		route(http.MethodGet, "/nil", func(c echo.Context) error { none[c.Path()] = 1; return nil }),
	})
	for _, path := range []string{"/text", "/nil"} {
		if got := e.send(http.MethodGet, path, ""); got.status != 500 || got.code() != "internal" {
			t.Errorf("%s: %d %s", path, got.status, got.raw)
		}
	}
	failed := e.lines("request failed")
	if len(failed) != 2 || strings.Contains(e.log.String(), "hunter2") {
		t.Fatalf("logged %v", failed)
	}
	for i, want := range []string{"panic: string", "assignment to entry in nil map"} {
		if text, _ := failed[i]["error"].(string); !strings.Contains(text, want) || !strings.Contains(text, "headers_test.go") {
			t.Errorf("no way to find it in %q", text)
		}
	}
}
