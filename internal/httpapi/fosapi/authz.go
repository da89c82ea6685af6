package fosapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/session"
)

// AuthzConfig is what the listener needs that gateways ask, besides the FOS half's
// [Config]; its Edge is the listener's own.
type AuthzConfig struct {
	Config
	Services []httpapi.Service
	// Used is told the key id of every service's bearer that was accepted.
	Used func(ctx context.Context, keyID string)
}

type authz struct {
	API
	services []httpapi.Service
	used     func(ctx context.Context, keyID string)
}

// AuthzRoutes are what a gateway asks before it lets a request pass to another service.
// They are never routed from outside. Nothing changes by them, so that nothing is
// recorded: an audit row for every request to every service would bury those that count.
func AuthzRoutes(config AuthzConfig) []httpapi.Route {
	a := &authz{API{config.Config}, config.Services, config.Used}
	origin := config.Edge.AllowedOrigin
	return []httpapi.Route{
		// No page has a service's bearer: what it proves, no header has to.
		{
			Method: http.MethodGet, Paths: []string{"/authz/service"},
			Guards: []httpapi.Guard{config.Edge.Forwarded(origin)}, Handle: a.service,
		},
		{
			Method: http.MethodGet, Paths: []string{"/authz/session"},
			Guards: []httpapi.Guard{config.Edge.Forwarded(origin, httpapi.IfUnsafe(httpapi.RequestedWith))}, Handle: a.session,
		},
	}
}

// caller is who the gateway is told to let pass.
type caller struct{ service, user, role, session string }

// pass answers who it is. Every header is there, empty where there is nothing to say: a
// gateway that only adds what it gets would let through one that the client sent.
func pass(c echo.Context, who caller) error {
	header := c.Response().Header()
	header.Set(echo.HeaderCacheControl, "no-store")
	header.Set("X-Auth-Service", who.service)
	header.Set("X-Auth-User", who.user)
	header.Set("X-Auth-Role", who.role)
	header.Set("X-Auth-Session", who.session)
	return c.NoContent(http.StatusNoContent)
}

// service says which service calls.
func (a *authz) service(c echo.Context) error {
	found, err := httpapi.ServiceOf(c, a.services)
	if err != nil {
		return err
	}
	a.used(c.Request().Context(), found.KeyID())
	return pass(c, caller{service: found.Name})
}

// session says who is signed in, by the session's row: one that has ended lets nobody
// pass from the next request on. It refreshes nothing.
func (a *authz) session(c echo.Context) error {
	access, err := a.shownAccess(c)
	if err != nil {
		return err
	}
	current, err := a.Sessions.Current(c.Request().Context(), access)
	if err != nil {
		return err
	}
	return pass(c, caller{user: current.User.ID.String(), role: current.ActingRole, session: current.Session.ID.String()})
}

// shownAccess is the access token: a browser's cookie, or what a program has as its
// bearer. Two answers to the question who it is are none: the service behind the gateway
// could go by the other one.
func (a *authz) shownAccess(c echo.Context) (string, error) {
	bearer, isBearer := httpapi.ShownBearer(c)
	cookies := c.Request().CookiesNamed(a.accessCookie())
	switch {
	case isBearer && len(cookies) == 0:
		return bearer, nil
	case !isBearer && len(cookies) == 1:
		return cookies[0].Value, nil
	}
	return "", session.ErrInvalidToken
}
