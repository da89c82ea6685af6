package daoapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/member"
)

// csrfCookie is read by the front ends' scripts under this name.
const csrfCookie = "csrf_token"

// sessionCookie is "__Host-dao_session" wherever a browser lets it be: such a
// cookie cannot be planted from a sibling subdomain or over plain HTTP (RFC
// 6265bis, 4.1.3.2). It cannot have a Domain, so that COOKIE_DOMAIN costs it.
func (a *API) sessionCookie() string {
	if a.CookieSecure && a.CookieDomain == "" {
		return "__Host-dao_session"
	}
	return "dao_session"
}

// cookie returns the session cookie, or member.ErrNoSession.
func (a *API) cookie(c echo.Context) (member.Cookie, error) {
	sent, err := c.Cookie(a.sessionCookie())
	if err != nil {
		return member.Cookie{}, member.ErrNoSession
	}
	return member.ParseCookie(sent.Value)
}

func (a *API) setSession(c echo.Context, value member.Cookie, expires time.Time) {
	c.SetCookie(a.newCookie(a.sessionCookie(), value.Reveal(), expires, true))
}

func (a *API) setCSRF(c echo.Context, value string, expires time.Time) {
	c.SetCookie(a.newCookie(csrfCookie, value, expires, false))
}

func (a *API) clearCookies(c echo.Context) {
	for name, httpOnly := range map[string]bool{a.sessionCookie(): true, csrfCookie: false} {
		gone := a.newCookie(name, "", time.Unix(1, 0), httpOnly)
		gone.MaxAge = -1
		c.SetCookie(gone)
	}
}

func (a *API) newCookie(name, value string, expires time.Time, httpOnly bool) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", Domain: a.CookieDomain, Expires: expires.UTC(),
		Secure: a.CookieSecure, HttpOnly: httpOnly, SameSite: http.SameSiteLaxMode,
	}
}
