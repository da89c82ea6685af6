package daoapi

import (
	"errors"
	"strings"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/member"
)

const (
	callerKey    = "daoapi.caller"
	sessionIDKey = "daoapi.session_id"
)

// enabled refuses everything while no service token is configured (I3).
func (a *API) enabled(echo.Context) error {
	if len(a.ServiceTokens) == 0 {
		return handoff.ErrDisabled
	}
	return nil
}

// bearer lets the other half pass (RFC 6750, header only: a token in a query
// ends in logs). Every accepted token is compared, in constant time, so that the
// time does not tell which of them came close.
//
// Who shows a wrong one again and again is told to wait. A good one is never
// limited: it may come from the same address.
func (a *API) bearer(c echo.Context) error {
	caller, ok := a.callerOf(c)
	if !ok {
		err := a.Limiter.Take(c.Request().Context(), a.BearerLimit, a.Edge.Origin(c).Address.Value)
		return errors.Join(err, httpapi.ErrInvalidServiceToken)
	}
	a.TokenUsed(c.Request().Context(), caller.KeyID)
	c.Set(callerKey, caller)
	return nil
}

func (a *API) callerOf(c echo.Context) (caller handoff.Caller, ok bool) {
	headers := c.Request().Header.Values(echo.HeaderAuthorization)
	if len(headers) != 1 {
		return caller, false
	}
	scheme, shown, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller, false
	}
	for _, accepted := range a.ServiceTokens {
		if accepted.Equal(shown) {
			caller, ok = handoff.Caller{KeyID: accepted.KeyID(), Targets: a.ServiceTokenTargets}, true
		}
	}
	return caller, ok
}

// admitted is the caller that bearer let pass.
func admitted(c echo.Context) handoff.Caller {
	caller, _ := c.Get(callerKey).(handoff.Caller)
	return caller
}

// csrf demands the cookie session and the signed double submit. It asks no
// store: the session that the value is good for goes inward, and the statement
// there demands that very session.
func (a *API) csrf(c echo.Context) error {
	if _, err := a.cookie(c); err != nil {
		return err
	}
	// A browser may have two: an older one of another Domain or Path, or one that a
	// neighbour planted. Neither may keep the person's own from being seen.
	for _, shown := range c.Request().CookiesNamed(csrfCookie) {
		if sessionID, err := a.CSRF.Check(c.Request().Header.Get(echo.HeaderXCSRFToken), shown.Value); err == nil {
			c.Set(sessionIDKey, sessionID)
			return nil
		}
	}
	return member.ErrCSRF
}

func sessionIDOf(c echo.Context) uuid.UUID {
	id, _ := c.Get(sessionIDKey).(uuid.UUID)
	return id
}
