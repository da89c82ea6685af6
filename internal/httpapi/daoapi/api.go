package daoapi

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

// Config is what the DAO half's handlers need. ServiceTokens are those accepted
// (none: exchange is disabled); ServiceTokenTargets restricts them.
type Config struct {
	Edge                httpapi.Config
	Sessions            *signin.DAO
	Minter              *handoff.Minter
	Exchange            *handoff.Exchange
	CSRF                *member.CSRF
	ServiceTokens       []privacy.Secret
	ServiceTokenTargets []string
	Logins              httpapi.Logins
	Limiter             *ratelimit.Limiter
	MintLimit           ratelimit.Limit
	BearerLimit         ratelimit.Limit // wrong bearers
	// TokenUsed is told of every service token that was accepted.
	TokenUsed    func(ctx context.Context, keyID string)
	CookieDomain string
	CookieSecure bool
	Details      func(ctx context.Context) (httpapi.Details, error)
}

// API holds the DAO half's handlers.
type API struct{ Config }

// Routes are the DAO half's endpoints with their guards, in the protocol's order.
func Routes(config Config) []httpapi.Route {
	a := &API{config}
	origin := config.Edge.AllowedOrigin
	return []httpapi.Route{
		{
			Method: http.MethodPost, Paths: []string{"/api/staging_token/mint", "/api/auth/cross-domain-token"},
			Stage: "mint", Fresh: true, Guards: []httpapi.Guard{origin, a.csrf}, Handle: a.mint,
		},
		{
			Method: http.MethodPost, Paths: []string{"/api/staging_token/exchange", "/api/auth/exchange-token"},
			Stage: "exchange", Within: handoff.ExchangeWithin, Guards: []httpapi.Guard{a.enabled, a.bearer, origin}, Handle: a.exchange,
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
			Guards: []httpapi.Guard{origin, a.csrf}, Handle: a.logout,
		},
		{
			Method: http.MethodGet, Paths: []string{"/api/auth/csrf-token"},
			Guards: []httpapi.Guard{origin}, Handle: a.csrfToken,
		},
		{
			Method: http.MethodGet, Paths: []string{"/health/detailed"},
			Guards: []httpapi.Guard{a.bearer, origin},
			Handle: config.Edge.Detailed(func(c echo.Context) (httpapi.Details, error) {
				return config.Details(c.Request().Context())
			}),
		},
	}
}
