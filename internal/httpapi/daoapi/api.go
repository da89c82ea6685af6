package daoapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

// Config is what the DAO half's handlers need. ServiceTokenTargets restricts what the
// other half may exchange, and end.
type Config struct {
	Edge                httpapi.Config
	Sessions            *signin.DAO
	Minter              *handoff.Minter
	Exchange            *handoff.Exchange
	CSRF                *member.CSRF
	Bearers             httpapi.Bearers
	ServiceTokenTargets []string
	Logins              httpapi.Logins
	Leaving             *leaving.DAO
	// Left is told that hand-offs may have ended.
	Left         func()
	CookieDomain string
	CookieSecure bool
	Details      func(ctx context.Context) (httpapi.Details, error)
}

// API holds the DAO half's handlers.
type API struct{ Config }

// Routes are the DAO half's endpoints with their guards, in the protocol's order.
func Routes(config Config) []httpapi.Route {
	a := &API{config}
	origin, other := config.Edge.AllowedOrigin, config.Bearers
	return []httpapi.Route{
		{
			Method: http.MethodPost, Paths: []string{"/api/staging_token/mint", "/api/auth/cross-domain-token"},
			Stage: "mint", Fresh: true, Guards: []httpapi.Guard{origin, a.csrf}, Handle: a.mint,
		},
		{
			Method: http.MethodPost, Paths: []string{"/api/staging_token/exchange", "/api/auth/exchange-token"},
			Stage: "exchange", Within: handoff.ExchangeWithin, Guards: []httpapi.Guard{other.Enabled, other.Required, origin}, Handle: a.exchange,
		},
		{
			Method: http.MethodPost, Paths: []string{"/api/auth/login"},
			Fresh: true, Guards: []httpapi.Guard{origin}, Handle: a.login,
		},
		{
			Method: http.MethodGet, Paths: []string{"/api/auth/session"},
			Guards: []httpapi.Guard{origin}, Handle: a.session,
		},
		{
			Method: http.MethodPost, Paths: []string{"/api/auth/refresh"},
			Guards: []httpapi.Guard{origin, a.csrf}, Handle: a.refresh,
		},
		{
			Method: http.MethodPost, Paths: []string{"/api/auth/logout"},
			Guards: []httpapi.Guard{origin, a.csrf}, Handle: httpapi.Leaves(a.Left, a.logout),
		},
		{
			Method: http.MethodGet, Paths: []string{"/api/auth/handoffs"},
			Guards: []httpapi.Guard{origin}, Handle: a.listHandoffs,
		},
		{
			Method: http.MethodDelete, Paths: []string{"/api/auth/handoffs/:id"},
			Guards: []httpapi.Guard{origin, a.csrf}, Handle: httpapi.Leaves(a.Left, a.endHandoff),
		},
		{
			Method: http.MethodPost, Paths: []string{leaving.EndedPath},
			Guards: []httpapi.Guard{other.Enabled, other.Required, origin}, Handle: a.handoffsEnded,
		},
		{
			Method: http.MethodGet, Paths: []string{"/api/auth/csrf-token"},
			Guards: []httpapi.Guard{origin}, Handle: a.csrfToken,
		},
		{
			Method: http.MethodGet, Paths: []string{"/health/detailed"},
			Guards: []httpapi.Guard{other.Required, origin},
			Handle: config.Edge.Detailed(func(c echo.Context) (httpapi.Details, error) {
				return config.Details(c.Request().Context())
			}),
		},
	}
}
