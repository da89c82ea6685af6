package testkit

import (
	"net/http"
	"net/url"
	"time"
)

// clockedJar is a cookie jar that goes by the test's clock. The jar of net/http
// goes by the real one, and would drop a cookie that is good for half an hour of a
// day gone by.
type clockedJar struct {
	jar   http.CookieJar
	clock *Clock
}

// SetCookies implements [http.CookieJar].
func (j clockedJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	kept := make([]*http.Cookie, 0, len(cookies))
	for _, c := range cookies {
		one := *c
		if one.MaxAge == 0 && one.Expires.After(j.clock.Now()) {
			one.Expires, one.RawExpires = time.Time{}, ""
		}
		kept = append(kept, &one)
	}
	j.jar.SetCookies(u, kept)
}

// Cookies implements [http.CookieJar].
func (j clockedJar) Cookies(u *url.URL) []*http.Cookie { return j.jar.Cookies(u) }
