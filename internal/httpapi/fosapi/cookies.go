package fosapi

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/session"
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

func (a *API) setPair(c echo.Context, pair session.Pair) {
	c.SetCookie(a.newCookie(a.accessCookie(), pair.Access.Reveal(), pair.AccessExpiresAt))
	c.SetCookie(a.newCookie(a.refreshCookie(), pair.Refresh.Reveal(), pair.RefreshExpiresAt))
}

func (a *API) clearPair(c echo.Context) {
	for _, name := range []string{a.accessCookie(), a.refreshCookie()} {
		gone := a.newCookie(name, "", time.Unix(1, 0))
		gone.MaxAge = -1
		c.SetCookie(gone)
	}
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

// cookie returns the value of the cookie, "" when the browser sent none.
func cookie(c echo.Context, name string) string {
	sent, err := c.Cookie(name)
	if err != nil {
		return ""
	}
	return sent.Value
}
