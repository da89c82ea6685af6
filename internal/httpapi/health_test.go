package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/outage"
)

func well(context.Context) error { return nil }

func down(context.Context) error { return errors.New("dial 10.0.0.1:6379: refused") }

func withChecks(checks map[string]health.Check) (*health.Checks, func(*httpapi.Config)) {
	all := health.New(checks)
	return all, func(c *httpapi.Config) { c.Health = all }
}

func TestHealth_isReadyOnlyWhenAllAnswer(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		checks map[string]health.Check
		status int
		body   string
	}{
		{map[string]health.Check{"postgres": well, "redis": well}, 200, "ready map[postgres:ok redis:ok]"},
		{map[string]health.Check{"postgres": well, "redis": down}, 503, "unavailable map[postgres:ok redis:down]"},
		{map[string]health.Check{"postgres": down, "redis": down}, 503, "unavailable map[postgres:down redis:down]"},
	} {
		_, checked := withChecks(row.checks)
		e := serve(t, nil, checked)
		got := e.send(http.MethodGet, "/health", "")
		if body := fmt.Sprint(got.body["status"], " ", got.body["checks"]); got.status != row.status || body != row.body {
			t.Errorf("%d %s, want %d %s", got.status, body, row.status, row.body)
		}
		if retry := got.header.Get("Retry-After"); (retry == "1") != (row.status == 503) || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d: Retry-After %q, Cache-Control %q", got.status, retry, got.header.Get("Cache-Control"))
		}
		if strings.Contains(got.raw, "10.0.0.1") {
			t.Errorf("it tells why: %s", got.raw)
		}
		if want := strings.Count(row.body, ":down"); len(e.lines("dependency is down")) != want {
			t.Errorf("%d lines say which is down, want %d", len(e.lines("dependency is down")), want)
		}
	}
}

// Liveness touches nothing, and a process that leaves is alive and not ready.
func TestHealth_leaving(t *testing.T) {
	t.Parallel()
	asked := false
	checks, checked := withChecks(map[string]health.Check{"postgres": func(context.Context) error { asked = true; return nil }})
	checks.Drain()
	e := serve(t, nil, checked)
	if got := e.send(http.MethodGet, "/health", ""); got.status != 503 || got.body["status"] != "draining" {
		t.Errorf("%d %s", got.status, got.raw)
	}
	if got := e.send(http.MethodGet, "/health/live", ""); got.status != 200 || got.body["status"] != "alive" {
		t.Errorf("%d %s", got.status, got.raw)
	}
	if asked {
		t.Error("a dependency was asked")
	}
}

// Whoever probes sends no Origin, or any: there is nothing to protect.
func TestHealth_takesAnyOrigin(t *testing.T) {
	t.Parallel()
	e := serve(t, nil)
	for _, path := range []string{"/health", "/health/live"} {
		if got := e.send(http.MethodGet, path, "", "Origin: https://status-page.test"); got.status != 200 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func TestHealth_detailed(t *testing.T) {
	t.Parallel()
	config := configOf(t, &logBuffer{})
	_, checked := withChecks(map[string]health.Check{"postgres": well, "redis": down})
	checked(&config)
	details := func(echo.Context) (httpapi.Details, error) {
		return httpapi.Details{
			Version: "v1", UptimeSeconds: 7, Pool: httpapi.Pool{Max: 16}, Migration: httpapi.Migration{Applied: 3, Known: 3},
			KeyIDs: map[string][]string{"sealing": {"0a1b2c3d"}},
		}, nil
	}
	failing := func(echo.Context) (httpapi.Details, error) {
		return httpapi.Details{}, outage.New("postgres", errors.New("refused"))
	}
	e := serve(t, []httpapi.Route{
		route(http.MethodGet, "/detailed", config.Detailed(details)), route(http.MethodGet, "/failing", config.Detailed(failing)),
	})
	got := e.send(http.MethodGet, "/detailed", "")
	members := []string{}
	for name := range got.body {
		members = append(members, name)
	}
	slices.Sort(members)
	want := []string{
		"dependencies", "key_ids", "migration", "pool", "service_token_first_used", "service_token_last_used", "uptime_seconds", "version",
	}
	if got.status != 200 || !slices.Equal(members, want) {
		t.Errorf("%d %v, want %v", got.status, members, want)
	}
	for name, wantOK := range map[string]bool{"postgres": true, "redis": false} {
		dependencies, _ := got.body["dependencies"].(map[string]any)
		one, _ := dependencies[name].(map[string]any)
		latency, isNumber := one["latency_ms"].(float64)
		if one["ok"] != wantOK || !isNumber || latency < 0 {
			t.Errorf("%s: %v", name, one)
		}
	}
	if got := e.send(http.MethodGet, "/failing", ""); got.status != 503 || got.code() != "dependency_unavailable" {
		t.Errorf("what cannot be known: %d %s", got.status, got.code())
	}
}
