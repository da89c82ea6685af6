package httpapi

import (
	"context"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// Bearers lets the other half in, which shows the service token.
type Bearers struct {
	Edge     Config
	Accepted []privacy.Secret // none: everything is switched off
	Limiter  *ratelimit.Limiter
	Limit    ratelimit.Limit // of wrong ones
	// Used is told the key id of every one that was accepted.
	Used func(ctx context.Context, keyID string)
}

// Enabled is the guard that refuses everything while no service token is configured (I3).
func (b Bearers) Enabled(echo.Context) error {
	if len(b.Accepted) == 0 {
		return handoff.ErrDisabled
	}
	return nil
}

// Required is the guard that demands a service token (RFC 6750, header only: a token in a
// query ends in logs). Every accepted token is compared, in constant time, so that the
// time does not tell which of them came close.
//
// Who shows a wrong one again and again is told to wait. A good one is never
// limited: it may come from the same address.
func (b Bearers) Required(c echo.Context) error {
	keyID, ok := b.keyIDOf(c)
	if !ok {
		err := b.Limiter.Take(c.Request().Context(), b.Limit, b.Edge.Origin(c).Address.Value)
		return errors.Join(err, ErrInvalidServiceToken)
	}
	b.Used(c.Request().Context(), keyID)
	c.Set(letInUnder, keyID)
	return nil
}

func (b Bearers) keyIDOf(c echo.Context) (keyID string, ok bool) { return keyIDOf(c, b.Accepted) }

func keyIDOf(c echo.Context, all []privacy.Secret) (keyID string, ok bool) {
	shown, ok := ShownBearer(c)
	if !ok {
		return "", false
	}
	ok = false
	for _, accepted := range all {
		if accepted.Equal(shown) {
			keyID, ok = accepted.KeyID(), true
		}
	}
	return keyID, ok
}

// ShownBearer is what the request shows as its one bearer (RFC 6750, 2.1).
func ShownBearer(c echo.Context) (shown string, ok bool) {
	headers := c.Request().Header.Values(echo.HeaderAuthorization)
	if len(headers) != 1 {
		return "", false
	}
	scheme, shown, _ := strings.Cut(headers[0], " ")
	return shown, strings.EqualFold(scheme, "Bearer")
}

const letInUnder = "httpapi.let_in_under"

// BearerOf is the key id of the service token that was let in.
func BearerOf(c echo.Context) string {
	keyID, _ := c.Get(letInUnder).(string)
	return keyID
}
