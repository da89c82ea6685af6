package daoapi

import (
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/member"
)

const sessionIDKey = "daoapi.session_id"

// caller is the other half, which the guard let pass.
func (a *API) caller(c echo.Context) handoff.Caller {
	return handoff.Caller{KeyID: httpapi.BearerOf(c), Targets: a.ServiceTokenTargets}
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
