package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// I6: a line of the access log says which route, never which address: the token
// travels in a query, and strangers write what they like into paths, methods and
// headers.
func TestI6_theAccessLogHasNothingOfTheClients(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{
		route(http.MethodGet, "/thing/:id", ok), route(http.MethodPost, "/thing", func(echo.Context) error { return httpapi.ErrOriginNotAllowed }),
	})
	const secret = "hunter2"
	requests := 0
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions, http.MethodHead, "HUNTER2", "hunter2"} {
		for _, path := range []string{"/thing/" + secret, "/thing/" + secret + "?token=" + secret, "/thing?token=" + secret, "/" + secret, "/thing/a/" + secret} {
			for _, headers := range [][]string{
				{"User-Agent: " + secret, "Referer: https://x/?" + secret, "Cookie: s=" + secret, "Authorization: Bearer " + secret, "X-Request-ID: " + secret},
				{"Origin: https://" + secret, "X-Forwarded-For: " + secret, "Host: " + secret},
				{"X-Large: " + strings.Repeat(secret, 2500)},
			} {
				e.send(method, path, "", headers...)
				requests++
			}
		}
	}
	log := e.log.String()
	if strings.Contains(strings.ToLower(log), secret) || strings.Contains(log, "127.0.0.1") {
		t.Errorf("the log has it: %s", log)
	}
	lines := e.lines("request")
	if len(lines) != requests {
		t.Errorf("%d lines for %d requests", len(lines), requests)
	}
	routes := map[any]bool{}
	for _, line := range lines {
		routes[line["route"]] = true
		if method := line["method"]; method != "other" && method != "GET" && method != "POST" && method != "OPTIONS" && method != "HEAD" {
			t.Errorf("method %v", method)
		}
	}
	for route := range routes {
		if route != "/thing/:id" && route != "/thing" && route != "unmatched" {
			t.Errorf("route %q", route)
		}
	}
}

// One line for each request, with what leads from it to the rest.
func TestAccessLog_saysWhatHappened(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{{Method: http.MethodPost, Paths: []string{"/mint"}, Stage: "mint", Handle: func(c echo.Context) error {
		httpapi.SetJourney(c, journey)
		return ok(c)
	}}})
	got := e.send(http.MethodPost, "/mint", "")
	lines := e.lines("request")
	if len(lines) != 1 {
		t.Fatalf("%d lines", len(lines))
	}
	line := lines[0]
	for name, want := range map[string]any{
		"half": "dao", "method": "POST", "route": "/mint", "status": 200.0, "request_id": got.header.Get("X-Request-ID"),
		"handoff_id": journey.String(), "level": "INFO",
	} {
		if line[name] != want {
			t.Errorf("%s is %v, want %v", name, line[name], want)
		}
	}
	if took, isNumber := line["took_ms"].(float64); !isNumber || took <= 0 || took > float64(time.Minute.Milliseconds()) {
		t.Errorf("took_ms %v", line["took_ms"])
	}
	if _, there := line["code"]; there {
		t.Error("a success has a problem's code")
	}
	e.send(http.MethodGet, "/health/live", "")
	if probe := e.lines("request")[1]; probe["level"] != "DEBUG" {
		t.Errorf("a probe every few seconds is logged at %v", probe["level"])
	}
}

// I13: whatever a handler does, its work ends after 2.9 s and the client hears of
// it: nobody waits longer than three.
func TestI13_aRequestsWorkEnds(t *testing.T) {
	t.Parallel()
	left := make(chan time.Duration, 1)
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/slow", func(c echo.Context) error {
		deadline, _ := c.Request().Context().Deadline()
		left <- time.Until(deadline)
		<-c.Request().Context().Done()
		return c.Request().Context().Err()
	})})
	begun := time.Now()
	got := e.send(http.MethodGet, "/slow", "")
	if took := time.Since(begun); took > 3500*time.Millisecond { // half a second for a machine that is busy
		t.Errorf("it took %v", took)
	}
	if bound := <-left; bound > 2900*time.Millisecond || bound < 2*time.Second {
		t.Errorf("%v were left at its beginning", bound)
	}
	if got.status != 503 || got.code() != "dependency_unavailable" || got.header.Get("Retry-After") != "1" {
		t.Errorf("%d %s, Retry-After %s", got.status, got.code(), got.header.Get("Retry-After"))
	}
}

// The journey of a refusal is in its log line as well as in the answer.
func TestAccessLog_knowsTheJourneyOfARefusal(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodGet, "/x", func(echo.Context) error { return &token.Refused{Cause: token.ErrUsed, HandoffID: journey} })})
	e.send(http.MethodGet, "/x", "")
	if line := e.lines("request")[0]; line["handoff_id"] != journey.String() || line["code"] != "token_used" {
		t.Errorf("%v", line)
	}
}
