package httpapi

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/metrics"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/tracing"
)

// Config is what one half's edge needs.
type Config struct {
	Half           string // "dao", "fos" or "authz", for the log
	AllowedOrigins []string
	// Gateways: none but gateways ask here, about other requests ([Config.Forwarded]).
	Gateways bool
	// LoopbackSameOrigin also allows an Origin that is the request's own host, if
	// that is a loopback name: the pages answer under any of them. Development only.
	LoopbackSameOrigin bool
	TrustedProxies     []netip.Prefix
	Headers            SecurityHeaders
	Pseudonyms         *privacy.Pseudonymizer
	Health             *health.Checks
	Metrics            *metrics.Registry
	Log                *slog.Logger
	Now                func() time.Time
	// Outcome counts what each request of a stage came to, one of [Outcomes]; nil counts
	// nothing.
	Outcome func(stage, outcome string)
	// Tracer traces requests; nil traces none. Peers are the service tokens of the other
	// half, whose traces go on here.
	Tracer *tracing.Tracer
	Peers  []privacy.Secret
	// Admission and Connections bound what the half takes on.
	Admission   *Admission
	Connections *Connections
}

// SecurityHeaders go out with every answer; "" leaves one out.
type SecurityHeaders struct{ HSTS, FrameOptions, CSP, ReferrerPolicy string }

// Route is one endpoint. Guards run in order before Handle and may refuse; they
// are what the endpoint demands of whoever calls, before its body is read.
type Route struct {
	Method string
	Paths  []string // the first is the endpoint's name, the others its aliases
	Stage  string   // mint, exchange or login: told in problems
	// Fresh: something begins with it; when there is too much to do, it comes last.
	Fresh bool
	// Always: answered however much there is to do.
	Always bool
	// Page: answered however much there is to do, and longer than what is kept for later,
	// so that its reader says how long it takes. Its connection is not protected meanwhile.
	Page bool
	// Within is how long its work may take; 0: 2.9 s.
	Within time.Duration
	// Apart are its places, if they are not those that all share.
	Apart  *Admission
	Guards []Guard
	Handle echo.HandlerFunc
}

// Guard lets a request pass, or returns why not.
type Guard func(c echo.Context) error

// requestDeadline ends every request's work: nobody waits longer than 3 s.
const requestDeadline = 2900 * time.Millisecond

// New returns a handler that runs every request through the shared steps, in the
// order written here.
func New(config Config, routes []Route) *echo.Echo {
	config.Health.OnChange(config.logChange)
	e := echo.New()
	e.HTTPErrorHandler = config.writeProblem
	e.IPExtractor = config.ipExtractor()
	steps := []echo.MiddlewareFunc{
		config.identify,      // request id; everything after can be found in the log
		config.account,       // logs and counts; sees the final status, also of a panic
		config.recoverPanics, // a panic is a 500, not a lost connection
		config.secure,        // headers of every answer
		endAfterChunks,       // what follows a body of chunks is nobody's request
		boundHeaders,         // 431
	}
	if config.Gateways {
		steps = append(steps, onlyQuestions)
	} else {
		steps = append(steps, config.crossOrigin()...) // answers preflights
	}
	e.Use(inOrder(steps))
	for _, route := range append(config.healthRoutes(), routes...) {
		for _, path := range route.Paths {
			e.Add(route.Method, path, config.serve(route))
			if route.Method == http.MethodGet {
				// The same without a body, which net/http leaves out (RFC 9110, 9.3.2). No GET
				// takes a token or ends anything, so that a link preview's HEAD does not either.
				e.Add(http.MethodHead, path, config.serve(route))
			}
		}
	}
	return e
}

// inOrder puts the steps together once. Echo by itself would do so again for each request,
// and each step would be prepared again.
func inOrder(steps []echo.MiddlewareFunc) echo.MiddlewareFunc {
	run := func(c echo.Context) error { return c.Handler()(c) } // what the router has found
	for _, step := range slices.Backward(steps) {
		run = step(run)
	}
	return func(echo.HandlerFunc) echo.HandlerFunc { return run }
}

// onlyQuestions takes GET and HEAD alone. A gateway lets pass whatever is answered with
// 2xx, so that a preflight's 204, which asks nobody who they are, would let everybody pass
// who sends OPTIONS through a gateway that keeps the method.
func onlyQuestions(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isSafe(c.Request().Method) {
			c.Response().Header().Set(echo.HeaderAllow, "GET, HEAD")
			return echo.ErrMethodNotAllowed
		}
		return next(c)
	}
}

// serve bounds what an endpoint takes of the service: a place among the requests that
// are worked on (503 at once where there is none), and time (503 then).
func (config Config) serve(r Route) echo.HandlerFunc {
	run := boundTime(r.run, cmp.Or(r.Within, requestDeadline))
	if r.Page {
		return run
	}
	protected := func(c echo.Context) error {
		return config.Connections.working(c.Request(), func() error { return run(c) })
	}
	if r.Always {
		return func(c echo.Context) error {
			readAhead(c) // a connection on which one is awaited may be closed
			return protected(c)
		}
	}
	places := cmp.Or(r.Apart, config.Admission)
	return func(c echo.Context) error {
		infoOf(c).stage = r.Stage
		return places.admit(c, r.Fresh, func() error { return config.traced(c, protected) })
	}
}

func (r Route) run(c echo.Context) error {
	for _, guard := range r.Guards {
		if err := guard(c); err != nil {
			return err
		}
	}
	return r.Handle(c)
}

// Server is an http.Server with the bounds that keep slow and large clients from
// holding it, and with connections' bound on their number (invariant I13).
func Server(addr string, handler http.Handler, connections *Connections, log *slog.Logger) *http.Server {
	return &http.Server{
		ConnContext:       connections.opened,
		ConnState:         connections.changed,
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       120 * time.Second,
		// A little beyond our own 16 KiB, which get a problem. Many small headers cost ten
		// times their length in memory.
		MaxHeaderBytes: maxHeaders + 4<<10,
		ErrorLog:       serverLog(log),
	}
}

// crossOrigin is CORS for the configured origins, with credentials. With none
// configured nothing is allowed; the middleware's own default would be "*".
func (config Config) crossOrigin() []echo.MiddlewareFunc {
	if len(config.AllowedOrigins) == 0 {
		return nil
	}
	return []echo.MiddlewareFunc{middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOrigins:     config.AllowedOrigins,
		AllowMethods:     []string{http.MethodGet, http.MethodPost, http.MethodDelete},
		AllowHeaders:     []string{"Content-Type", "X-CSRF-Token", "X-Requested-With", "Idempotency-Key"},
		ExposeHeaders:    []string{"X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy"},
		AllowCredentials: true,
		MaxAge:           600,
	})}
}
