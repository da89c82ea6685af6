package daoapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// refresh posts as a page does, with the value that it read.
func refresh(b *testkit.Browser, daoURL string, headers ...testkit.Header) testkit.Answer {
	return b.Post(daoURL+refreshPath, nil, append([]testkit.Header{header("X-CSRF-Token", b.CSRF)}, headers...)...)
}

// carry is a browser that was given these cookies, by a person or a thief.
func carry(t testing.TB, s *testkit.Service, session, csrf string) *testkit.Browser {
	t.Helper()
	b := s.Browser(t)
	b.SetCookie(s.DAOURL, "dao_session", session)
	b.SetCookie(s.DAOURL, "csrf_token", csrf)
	b.CSRF = csrf
	return b
}

// Existing front ends read exactly these fields, and send what is not read.
func TestRefresh_answersAsFrontEndsReadIt(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	begun, csrf := s.Clock.Now(), ada.CSRF
	for _, body := range []any{
		nil, "{}", map[string]any{"refresh_token": "x", "device_fingerprint": "thumbprint", "timezone": "Europe/Paris", "nested": map[string]any{"a": []int{1}}},
	} {
		s.Clock.Advance(20 * time.Minute)
		before := ada.Cookie(s.DAOURL, "dao_session")
		answer := wantOK(t, ada.Post(s.DAOURL+refreshPath, body, header("X-CSRF-Token", csrf), header("Origin", "https://think-tank.test")))
		wantMembers(t, answer, "success:bool", "message:string", "access_expires_at:integer", "refresh_expires_at:integer")
		now := s.Clock.Now()
		for name, want := range map[string]any{
			"success": true, "access_expires_at": float64(now.Add(30 * time.Minute).UnixMilli()),
			"refresh_expires_at": float64(begun.Add(7 * 24 * time.Hour).UnixMilli()),
		} {
			if answer.Body[name] != want {
				t.Errorf("%s is %v, want %v", name, answer.Body[name], want)
			}
		}
		if ada.Cookie(s.DAOURL, "dao_session") == before || ada.Cookie(s.DAOURL, "csrf_token") != csrf || len(answer.Cookies) != 1 {
			t.Errorf("cookies %v", answer.Cookies)
		}
		// The page goes on with the value that it read at first.
		wantOK(t, ada.Mint(nil))
	}
	session := wantOK(t, ada.Get(s.DAOURL+sessionPath))
	if session.Body["access_expires_at"] != float64(s.Clock.Now().Add(30*time.Minute).UnixMilli()) || session.Text("email") != "ada@example.org" {
		t.Errorf("afterwards the session is %s", session.Raw)
	}
	if strings.Contains(testkit.Dump(t, s.DAO), "thumbprint") {
		t.Error("the device fingerprint was kept")
	}
	wantEvents(t, s, "session.refreshed success rotated", "handoff.minted success", "session.refreshed success rotated", "handoff.minted success",
		"session.refreshed success rotated", "handoff.minted success")
}

// What is no refresh of this session by a page of ours changes nothing: the attack
// is another site, or a sibling that plants cookies, which rotates the session
// under the person's tabs.
func TestRefresh_refusesWhatNoPageOfOursSent(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, mallory := s.SignIn(t, s.Member(t, "ada@example.org")), s.SignIn(t, s.Member(t, "mallory@example.org"))
	session, own, foreign := ada.Cookie(s.DAOURL, "dao_session"), ada.CSRF, mallory.CSRF
	before := stored(t, s)
	for _, c := range []struct {
		name, cookie, value string
	}{
		{"no header", own, ""},
		{"no cookie", "", own},
		{"a guess", own, "guess"},
		{"another session's header", own, foreign},
		{"a planted cookie", foreign, own},
		{"both of another session, planted by a sibling", foreign, foreign},
		{"cut short", own[:len(own)-1], own[:len(own)-1]},
	} {
		b := carry(t, s, session, c.cookie)
		answer := b.Post(s.DAOURL+refreshPath, nil, header("X-CSRF-Token", c.value))
		if answer.Code() != "csrf_failed" {
			t.Errorf("%s:", c.name)
		}
		wantProblem(t, answer, http.StatusForbidden, "csrf_failed", "")
	}
	for _, h := range []testkit.Header{header("Origin", "https://evil.test"), header("Origin", "null"), header("Sec-Fetch-Site", "cross-site")} {
		wantProblem(t, refresh(ada, s.DAOURL, h), http.StatusForbidden, "origin_not_allowed", "")
	}
	nobody := carry(t, s, "", own)
	wantProblem(t, refresh(nobody, s.DAOURL), http.StatusUnauthorized, "session_required", "")
	for body, code := range map[string]string{
		"null": "invalid_request", "[]": "invalid_request", "{": "invalid_request", `{"a":1,"a":2}`: "invalid_request", " ": "invalid_request",
		strings.Repeat(" ", 9000) + "{}": "body_too_large",
	} {
		if answer := ada.Post(s.DAOURL+refreshPath, body, header("X-CSRF-Token", own)); answer.Code() != code {
			t.Errorf("%.20q: %d %s", body, answer.Status, answer.Code())
		}
	}
	wantProblem(t, ada.Post(s.DAOURL+refreshPath, "{}", header("X-CSRF-Token", own), header("Content-Type", "text/plain")),
		http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	if answer := ada.Get(s.DAOURL + refreshPath); answer.Code() != "method_not_allowed" {
		t.Errorf("a picture's address can refresh: %d", answer.Status)
	}
	if stored(t, s) != before {
		t.Error("something changed")
	}
	wantOK(t, refresh(ada, s.DAOURL))
}

// Who is signed out hears of it, and the answer takes no cookie away: another tab
// may have signed in meanwhile.
func TestRefresh_ofAnEndedSession(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, suspended := s.SignIn(t, s.Member(t, "ada@example.org")), s.SignIn(t, s.Member(t, "suspended@example.org"))
	kept := carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), ada.CSRF)
	wantOK(t, ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", ada.CSRF)))
	wantProblem(t, refresh(kept, s.DAOURL), http.StatusUnauthorized, "session_revoked", "")
	testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended' WHERE email_canonical = 'suspended@example.org'`)
	wantProblem(t, refresh(suspended, s.DAOURL), http.StatusUnauthorized, "session_revoked", "")
	wantEvents(t, s, "session.ended success logout", "session.ended success account_inactive")
}

// A database that is away signs nobody out; and a session needs no Redis.
func TestRefresh_withoutADatabase(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	before := stored(t, s.Service)
	s.DAOPostgres.Cut()
	wantProblem(t, refresh(ada, s.DAOURL), http.StatusServiceUnavailable, "dependency_unavailable", "")
	s.DAOPostgres.Mend()
	if stored(t, s.Service) != before {
		t.Error("something changed")
	}
	s.RedisLink.Cut()
	wantOK(t, until(t, func() testkit.Answer { return refresh(ada, s.DAOURL) }))
	wantOK(t, ada.Get(s.DAOURL+sessionPath))
	wantOK(t, ada.Get(s.DAOURL+csrfPath))
	wantOK(t, ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", ada.CSRF)))
	wantEvents(t, s.Service, "session.refreshed success rotated", "session.ended success logout")
}
