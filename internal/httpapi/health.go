package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/health"
)

// healthRoutes: /health/live touches nothing, so that a slow database does not
// get the process restarted; /health asks the dependencies, so that a load
// balancer sends nobody who could not be served.
func (config Config) healthRoutes() []Route {
	return []Route{
		{Method: http.MethodGet, Paths: []string{"/health/live"}, Always: true, Handle: func(c echo.Context) error {
			return JSON(c, http.StatusOK, AliveAnswer{"alive"})
		}},
		{Method: http.MethodGet, Paths: []string{"/health"}, Always: true, Handle: config.ready},
	}
}

// AliveAnswer is the body of /health/live.
type AliveAnswer struct {
	Status string `json:"status"` // "alive"
}

// logChange logs once that a dependency went and once that it came back: anybody may
// ask, as often as they like.
func (config Config) logChange(r health.Result) {
	if r.Err == nil {
		config.Log.Info("dependency is back", "half", config.Half, "dependency", r.Name)
		return
	}
	config.Log.Warn("dependency is down", "half", config.Half, "dependency", r.Name, "error", r.Err)
}

// HealthAnswer is the body of /health. Checks names each dependency "ok" or
// "down"; why it is down is in the log.
type HealthAnswer struct {
	Status string            `json:"status"` // "ready", "unavailable" or "draining"
	Checks map[string]string `json:"checks,omitempty"`
}

func (config Config) ready(c echo.Context) error {
	if config.Health.Draining() {
		return unready(c, HealthAnswer{Status: "draining"})
	}
	answer := HealthAnswer{Status: "ready", Checks: map[string]string{}}
	for _, result := range config.Health.Ask(c.Request().Context()) {
		answer.Checks[result.Name] = "ok"
		if result.Err != nil {
			answer.Status, answer.Checks[result.Name] = "unavailable", "down"
		}
	}
	if answer.Status != "ready" {
		return unready(c, answer)
	}
	return JSON(c, http.StatusOK, answer)
}

func unready(c echo.Context, answer HealthAnswer) error {
	c.Response().Header().Set(echo.HeaderRetryAfter, "1")
	return JSON(c, http.StatusServiceUnavailable, answer)
}

// Details is what an operator sees at /health/detailed, and nobody else.
type Details struct {
	Version       string                `json:"version"`
	UptimeSeconds int64                 `json:"uptime_seconds"`
	Dependencies  map[string]Dependency `json:"dependencies"`
	Pool          Pool                  `json:"pool"`
	Migration     Migration             `json:"migration"`
	// KeyIDs names the keys in use, the one that signs or seals first, by purpose.
	KeyIDs map[string][]string `json:"key_ids"`
	// ServiceTokenFirstUsed and ServiceTokenLastUsed say, by key id, since when each has been
	// accepted on this half, and when it was last (ms epoch).
	ServiceTokenFirstUsed map[string]int64 `json:"service_token_first_used"`
	ServiceTokenLastUsed  map[string]int64 `json:"service_token_last_used"`
}

// Dependency is one check's answer; why it is down is in the log.
type Dependency struct {
	OK        bool    `json:"ok"`
	LatencyMS float64 `json:"latency_ms"`
}

// Pool is how the half's Postgres connections are used.
type Pool struct {
	Max      int32 `json:"max"`
	Total    int32 `json:"total"`
	Idle     int32 `json:"idle"`
	InUse    int32 `json:"in_use"`
	Waited   int64 `json:"waited"`    // acquisitions that had to wait
	WaitedMS int64 `json:"waited_ms"` // how long, all together
}

// Migration is the newest migration applied, and the newest this program knows.
type Migration struct {
	Applied int64 `json:"applied"`
	Known   int64 `json:"known"`
}

// Detailed answers /health/detailed behind the guards that the half puts there.
// static gives everything but the dependencies.
func (config Config) Detailed(static func(c echo.Context) (Details, error)) echo.HandlerFunc {
	return func(c echo.Context) error {
		results := config.Health.Ask(c.Request().Context()) // first: it is what time must suffice for
		details, err := static(c)
		if err != nil {
			return err
		}
		details.Dependencies = map[string]Dependency{}
		for _, result := range results {
			details.Dependencies[result.Name] = Dependency{
				OK: result.Err == nil, LatencyMS: float64(result.Latency.Microseconds()) / 1000,
			}
		}
		return JSON(c, http.StatusOK, details)
	}
}
