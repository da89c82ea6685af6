package daoapi

import (
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

type loginAnswer struct {
	Success          bool          `json:"success"`
	Message          string        `json:"message"`
	UserID           uuid.UUID     `json:"user_id"`
	AccessExpiresAt  int64         `json:"access_expires_at"`
	RefreshExpiresAt int64         `json:"refresh_expires_at"`
	MembershipStatus member.Status `json:"membership_status"`
}

func (a *API) login(c echo.Context) error {
	body, err := httpapi.DecodeLogin(c)
	if err != nil {
		return err
	}
	var login signin.Login
	err = a.Logins.Limited(c, a.Edge, body, func() (err error) {
		login, err = a.Sessions.Login(c.Request().Context(), body.Email, privacy.NewSecret(body.Password), a.Edge.Origin(c))
		return err
	})
	if err != nil {
		return err
	}
	a.setSession(c, login.Cookie, login.Session.ExpiresAt)
	return httpapi.JSON(c, http.StatusOK, loginAnswer{
		Success: true, Message: "Signed in.", UserID: login.Member.ID,
		AccessExpiresAt: login.Session.IdleExpiresAt.UnixMilli(), RefreshExpiresAt: login.Session.ExpiresAt.UnixMilli(),
		MembershipStatus: login.Member.Status,
	})
}

type sessionAnswer struct {
	Authenticated    bool          `json:"authenticated"`
	UserID           uuid.UUID     `json:"user_id"`
	Email            string        `json:"email"`
	DisplayName      *string       `json:"display_name"`
	ICPrincipal      *string       `json:"ic_principal"`
	MembershipStatus member.Status `json:"membership_status"`
	Roles            []string      `json:"roles"`
	AccessExpiresAt  int64         `json:"access_expires_at"`
	RefreshExpiresAt int64         `json:"refresh_expires_at"`
}

// nobodyAnswer is what session says where nobody is signed in.
type nobodyAnswer struct {
	Authenticated bool `json:"authenticated"`
}

// session says who is signed in. Nobody is an answer, not an error; not knowing
// is an error (503), or a slow database would sign everybody out of the page.
func (a *API) session(c echo.Context) error {
	nobody := func() error { return httpapi.JSON(c, http.StatusOK, nobodyAnswer{}) }
	cookie, err := a.cookie(c)
	if err != nil {
		return nobody()
	}
	session, who, err := a.Sessions.Current(c.Request().Context(), cookie)
	if errors.Is(err, member.ErrNoSession) || errors.Is(err, member.ErrSessionRevoked) {
		return nobody()
	}
	if err != nil {
		return err
	}
	roles := who.Roles
	if roles == nil {
		roles = []string{}
	}
	return httpapi.JSON(c, http.StatusOK, sessionAnswer{
		Authenticated: true, UserID: who.ID, Email: who.Email.Reveal(), DisplayName: who.DisplayName,
		ICPrincipal: who.Principal, MembershipStatus: who.Status, Roles: roles,
		AccessExpiresAt: session.IdleExpiresAt.UnixMilli(), RefreshExpiresAt: session.ExpiresAt.UnixMilli(),
	})
}

type csrfAnswer struct {
	CSRFToken string `json:"csrf_token"`
}

func (a *API) csrfToken(c echo.Context) error {
	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	// Also for a session whose idle time has run out: without a value the page could
	// not refresh it.
	session, err := a.Sessions.Refreshable(c.Request().Context(), cookie)
	if err != nil {
		return err
	}
	value, err := a.csrfValueFor(c, session.ID)
	if err != nil {
		return err
	}
	a.setCSRF(c, value, session.ExpiresAt)
	return httpapi.JSON(c, http.StatusOK, csrfAnswer{value})
}

// csrfValueFor is the value that the browser has already, if it is good for this
// session: a new one would replace the cookie under every other tab, whose page
// still holds the old.
func (a *API) csrfValueFor(c echo.Context, sessionID uuid.UUID) (string, error) {
	for _, sent := range c.Request().CookiesNamed(csrfCookie) {
		if a.CSRF.IsCurrent(sent.Value, sessionID) {
			return sent.Value, nil
		}
	}
	return a.CSRF.Make(sessionID)
}

type refreshAnswer struct {
	Success          bool   `json:"success"`
	Message          string `json:"message"`
	AccessExpiresAt  int64  `json:"access_expires_at"`
	RefreshExpiresAt int64  `json:"refresh_expires_at"`
}

func (a *API) refresh(c echo.Context) error {
	if err := httpapi.DecodeIgnored(c); err != nil {
		return err
	}
	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	session, next, err := a.Sessions.Refresh(c.Request().Context(), cookie, sessionIDOf(c), a.Edge.Origin(c))
	if err != nil {
		return err
	}
	a.setSession(c, next, session.ExpiresAt)
	return httpapi.JSON(c, http.StatusOK, refreshAnswer{
		Success: true, Message: "Session extended.",
		AccessExpiresAt: session.IdleExpiresAt.UnixMilli(), RefreshExpiresAt: session.ExpiresAt.UnixMilli(),
	})
}

type logoutAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
}

func (a *API) logout(c echo.Context) error {
	if err := httpapi.DecodeNothing(c); err != nil {
		return err
	}
	cookie, err := a.cookie(c)
	if err != nil {
		return err
	}
	if err := a.Sessions.Logout(c.Request().Context(), cookie, sessionIDOf(c), a.Edge.Origin(c)); err != nil {
		return err
	}
	a.clearCookies(c)
	return httpapi.JSON(c, http.StatusOK, logoutAnswer{Success: true, Message: "Signed out."})
}
