package daoapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Over HTTPS without COOKIE_DOMAIN a browser lets nobody else plant the cookie;
// with it, siblings share it and it loses its prefix. The csrf value is readable by
// script, under one name, and follows the session's domain. After a refresh it is
// all the same, to the end of the session's absolute life.
func TestCookies_carryThePrefixWhereTheyMay(t *testing.T) {
	t.Parallel()
	plain := testkit.Start(t, testkit.Options{})
	signedIn := plain.SignIn(t, plain.Member(t, "ada@example.org"))
	value, csrf := signedIn.Cookie(plain.DAOURL, "dao_session"), signedIn.CSRF
	end := plain.Clock.Now().Add(7 * 24 * time.Hour)
	for name, c := range map[string]struct {
		env          map[string]string
		name, domain string
		secure       bool
	}{
		"plain HTTP": {nil, "dao_session", "", false},
		"HTTPS":      {map[string]string{"COOKIE_SECURE": "true"}, "__Host-dao_session", "", true},
		"HTTPS, shared": {
			map[string]string{"COOKIE_SECURE": "true", "COOKIE_DOMAIN": "think-tank.test"}, "dao_session", "think-tank.test", true,
		},
	} {
		s := plain.Process(t, c.env)
		sent := []testkit.Header{header("Cookie", c.name+"="+value+"; csrf_token="+csrf), header("X-CSRF-Token", csrf)}
		want := http.Cookie{Name: c.name, Path: "/", Domain: c.domain, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: end}
		answer := wantOK(t, s.Browser(t).Post(s.DAOURL+refreshPath, nil, sent...))
		wantCookies(t, name+": refresh", answer, want)
		readable := want
		readable.Name, readable.HttpOnly = "csrf_token", false
		wantCookies(t, name+": csrf-token", wantOK(t, s.Browser(t).Get(s.DAOURL+csrfPath, sent...)), readable)
		// Under the name of another configuration it is none.
		for _, other := range []string{"dao_session", "__Host-dao_session"} {
			answer := s.Browser(t).Get(s.DAOURL+csrfPath, header("Cookie", other+"="+value))
			if (answer.Status == http.StatusOK) != (other == c.name) {
				t.Errorf("%s: as %s it is %d", name, other, answer.Status)
			}
		}
	}
}

// wantCookies demands that answer sets these cookies and no other. Values are not
// compared, but there must be one.
func wantCookies(t testing.TB, name string, answer testkit.Answer, want ...http.Cookie) {
	t.Helper()
	if len(answer.Cookies) != len(want) {
		t.Errorf("%s: cookies %v", name, answer.Cookies)
	}
	for _, w := range want {
		got := answer.Cookie(w.Name)
		if got == nil || got.Value == "" || got.MaxAge != 0 || !got.Expires.Equal(w.Expires) {
			t.Errorf("%s: %s is %v, want it until %v", name, w.Name, got, w.Expires)
			continue
		}
		one := *got
		one.Value, one.Raw, one.RawExpires, one.Expires = "", "", "", w.Expires
		if one.String() != w.String() {
			t.Errorf("%s: %s, want %s", name, one.String(), w.String())
		}
	}
}

// A good login makes the browser a known one. That cookie is this host's alone,
// also where siblings share the session: one of them could else plant its own.
func TestCookies_aKnownBrowserIsKnownToThisHostAlone(t *testing.T) {
	t.Parallel()
	plain := testkit.Start(t, testkit.Options{})
	plain.Member(t, "ada@example.org", withPassword(t))
	s := plain.Process(t, map[string]string{"COOKIE_SECURE": "true", "COOKIE_DOMAIN": "think-tank.test"})
	body := map[string]any{"email": "ada@example.org", "password": testkit.Password}
	now := s.Clock.Now()
	secure := http.Cookie{Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	session, device := secure, secure
	session.Name, session.Domain, session.Expires = "dao_session", "think-tank.test", now.Add(7*24*time.Hour)
	device.Name, device.Expires = "__Host-dao_device", now.Add(90*24*time.Hour)
	wantCookies(t, "login", wantOK(t, login(s.Browser(t), s.DAOURL, body)), session, device)
}
