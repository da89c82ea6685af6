package fosapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

// Config is what the FOS half's handlers need. PublicPrefix is what a gateway strips before us.
type Config struct {
	Edge     httpapi.Config
	Login    *handoff.Login
	Starter  *handoff.Starter
	Sessions *signin.FOS
	Bearers  httpapi.Bearers
	Leaving  *leaving.FOS
	// Left is told that sessions may have ended.
	Left         func()
	Logins       httpapi.Logins
	Limiter      *ratelimit.Limiter
	ArrivalLimit ratelimit.Limit
	// Arrivals are the places of those who wait for the DAO half; nil: those of all.
	Arrivals     *httpapi.Admission
	CookieSecure bool
	PublicPrefix string
	Details      func(ctx context.Context) (httpapi.Details, error)
}

// API holds the FOS half's handlers.
type API struct{ Config }

// prefix is where everything but the health endpoints lives.
const prefix = "/api/v1"

// Routes are the FOS half's endpoints with their guards, in the protocol's order.
func Routes(config Config) []httpapi.Route {
	a := &API{config}
	origin, enabled := config.Edge.AllowedOrigin, config.Bearers.Enabled
	safe, unsafe := []httpapi.Guard{origin}, []httpapi.Guard{origin, httpapi.RequestedWith}
	return []httpapi.Route{
		{
			Method: http.MethodPost, Paths: []string{prefix + "/auth/cross-domain-login"}, Stage: "login", Apart: a.Arrivals,
			Guards: append([]httpapi.Guard{enabled}, unsafe...), Handle: a.crossDomainLogin,
		},
		// No guard against other sites: a link to it may stand anywhere.
		{Method: http.MethodGet, Paths: []string{prefix + "/auth/cross-domain/start"}, Guards: []httpapi.Guard{enabled}, Handle: a.start},
		{Method: http.MethodGet, Paths: []string{prefix + "/auth/cross-domain/pending"}, Guards: safe, Handle: a.pending},
		{
			Method: http.MethodPost, Paths: []string{prefix + "/auth/cross-domain/confirm"}, Stage: "login",
			Guards: append([]httpapi.Guard{enabled}, unsafe...), Handle: a.confirm,
		},
		{Method: http.MethodPost, Paths: []string{prefix + "/auth/cross-domain/decline"}, Stage: "login", Guards: unsafe, Handle: a.decline},
		{Method: http.MethodPost, Paths: []string{prefix + "/auth/login"}, Fresh: true, Guards: unsafe, Handle: a.login},
		{Method: http.MethodPost, Paths: []string{prefix + "/auth/step-up"}, Fresh: true, Guards: unsafe, Handle: a.stepUp},
		{Method: http.MethodPost, Paths: []string{prefix + "/auth/refresh"}, Guards: unsafe, Handle: a.refresh},
		{Method: http.MethodPost, Paths: []string{prefix + "/auth/logout"}, Guards: unsafe, Handle: httpapi.Leaves(a.Left, a.logout)},
		{Method: http.MethodPost, Paths: []string{prefix + "/auth/logout-all"}, Guards: unsafe, Handle: httpapi.Leaves(a.Left, a.logoutAll)},
		{Method: http.MethodGet, Paths: []string{prefix + "/auth/me"}, Guards: safe, Handle: a.me},
		{Method: http.MethodGet, Paths: []string{prefix + "/auth/sessions"}, Guards: safe, Handle: a.listSessions},
		{Method: http.MethodDelete, Paths: []string{prefix + "/auth/sessions/:id"}, Guards: unsafe, Handle: httpapi.Leaves(a.Left, a.endSession)},
		// No page calls it: what the bearer proves, no header has to.
		{
			Method: http.MethodPost, Paths: []string{leaving.EndPath},
			Guards: []httpapi.Guard{enabled, config.Bearers.Required, origin}, Handle: a.endHandoffs,
		},
		{
			Method: http.MethodGet, Paths: []string{"/health/detailed"},
			Guards: []httpapi.Guard{origin, a.operator},
			Handle: config.Edge.Detailed(func(c echo.Context) (httpapi.Details, error) {
				return config.Details(c.Request().Context())
			}),
		},
	}
}

// operator lets founders and admins pass who act as such. For everybody else
// there is nothing here.
func (a *API) operator(c echo.Context) error {
	current, err := a.current(c)
	if err != nil {
		return err
	}
	if current.ActingRole != "founder" && current.ActingRole != "admin" {
		return httpapi.ErrForbidden
	}
	return nil
}
