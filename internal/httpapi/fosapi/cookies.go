package fosapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
)

// accessCookie carries "__Host-" over HTTPS: it cannot be planted from a sibling
// subdomain (RFC 6265bis, 4.1.3.2).
func (a *API) accessCookie() string {
	if a.CookieSecure {
		return "__Host-access_token"
	}
	return "access_token"
}

// refreshCookie has a path of its own, which "__Host-" does not allow: the token
// that lives for days is sent to the few routes that take it.
func (a *API) refreshCookie() string {
	if a.CookieSecure {
		return "__Secure-refresh_token"
	}
	return "refresh_token"
}

// setPair keeps both cookies for as long as the session may last. The access token
// in its cookie ends earlier; the cookie stays to say which session this browser is
// in (signin's Shown), since it cannot be planted.
func (a *API) setPair(c echo.Context, pair session.Pair) {
	c.SetCookie(a.newCookie(a.accessCookie(), pair.Access.Reveal(), pair.RefreshExpiresAt))
	c.SetCookie(a.newCookie(a.refreshCookie(), pair.Refresh.Reveal(), pair.RefreshExpiresAt))
}

func (a *API) clearPair(c echo.Context) {
	for _, name := range []string{a.accessCookie(), a.refreshCookie()} {
		a.clear(c, name)
	}
}

func (a *API) clear(c echo.Context, name string) {
	gone := a.newCookie(name, "", time.Unix(1, 0))
	gone.MaxAge = -1
	c.SetCookie(gone)
}

func (a *API) newCookie(name, value string, expires time.Time) *http.Cookie {
	path := "/"
	if name == a.refreshCookie() {
		path = a.PublicPrefix + prefix + "/auth"
	}
	return &http.Cookie{
		Name: name, Value: value, Path: path, Expires: expires.UTC(),
		Secure: a.CookieSecure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// access is the access token that the browser sent, "" if it sent none.
func (a *API) access(c echo.Context) string {
	sent, err := c.Cookie(a.accessCookie())
	if err != nil {
		return ""
	}
	return sent.Value
}

// shown are all the tokens that the browser sent.
func (a *API) shown(c echo.Context) signin.Shown {
	shown := signin.Shown{Access: a.access(c)}
	for _, sent := range c.Request().CookiesNamed(a.refreshCookie()) {
		shown.Refresh = append(shown.Refresh, sent.Value)
	}
	return shown
}
