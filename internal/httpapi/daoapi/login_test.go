package daoapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A person signs in as an existing front end does, is known, mints, and signs out.
// Hashing is slow on purpose, so that one story has all that needs it.
func TestLogin_fromPasswordToToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.Member(t, "Ada@example.org", withPassword(t))
	b := s.Browser(t)
	body := map[string]any{
		"email": "ada@EXAMPLE.org", "password": testkit.Password,
		"device_fingerprint": "thumbprint", "timezone": "Europe/Paris", "user_agent": "an old browser",
	}
	answer := wantOK(t, login(b, s.DAOURL, body, header("Origin", "https://think-tank.test")))
	wantMembers(t, answer, "success:bool", "message:string", "user_id:string", "access_expires_at:integer",
		"refresh_expires_at:integer", "membership_status:string")
	now := s.Clock.Now()
	for name, want := range map[string]any{
		"success": true, "user_id": ada.ID.String(), "membership_status": "active",
		"access_expires_at":  float64(now.Add(30 * time.Minute).UnixMilli()),
		"refresh_expires_at": float64(now.Add(7 * 24 * time.Hour).UnixMilli()),
	} {
		if answer.Body[name] != want {
			t.Errorf("%s is %v, want %v", name, answer.Body[name], want)
		}
	}
	cookie := answer.Cookie("dao_session")
	if cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" ||
		cookie.Secure || !cookie.Expires.Equal(now.Add(7*24*time.Hour)) || len(answer.Cookies) != 2 {
		t.Fatalf("cookies %v", answer.Cookies)
	}
	// The browser is known from now on, for this account in whatever spelling.
	if _, known := devices(t).Check(b.Cookie(s.DAOURL, "dao_device"), "ada@example.org", now.Add(89*24*time.Hour)); !known {
		t.Errorf("cookies %v", answer.Cookies)
	}
	b.FetchCSRF()
	wantOK(t, b.Mint(nil))
	wantOK(t, b.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", b.CSRF)))
	wantEvents(t, s, "session.created success password", "handoff.minted success", "session.ended success logout")
	if strings.Contains(testkit.Dump(t, s.DAO), "thumbprint") {
		t.Error("the device fingerprint was kept")
	}
}

// A wrong password, an unknown account and one that has none are one answer, byte
// for byte but for the request's id; each is recorded.
func TestLogin_whoHasAnAccountIsNotTold(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN": 5})})
	s.Member(t, "ada@example.org", withPassword(t))
	s.Member(t, "passwordless@example.org")
	suspended := s.Member(t, "suspended@example.org", withPassword(t), func(a *member.Account) { a.Status = member.Suspended })
	b := s.Browser(t)
	seen := map[string]bool{}
	for _, email := range []string{"ada@example.org", "nobody@example.org", "passwordless@example.org", "suspended@example.org"} {
		answer := login(b, s.DAOURL, map[string]any{"email": email, "password": "not it"})
		wantProblem(t, answer, http.StatusUnauthorized, "invalid_credentials", "")
		seen[strings.ReplaceAll(answer.Raw, answer.Text("request_id"), "")] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers: %v", len(seen), seen)
	}
	// Only the right password tells that the account is suspended.
	answer := login(b, s.DAOURL, map[string]any{"email": "suspended@example.org", "password": testkit.Password})
	wantProblem(t, answer, http.StatusForbidden, "account_inactive", "")
	door{t, s}.wantGuesses(5, b, "suspended@example.org") // who knew the password has not guessed: it is forgiven
	failed := "login.failed failure invalid_credentials"
	wantEvents(t, s, failed, failed, failed, failed, "login.failed failure account_inactive", failed, failed, failed, failed, failed)
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE actor_id = $1`, suspended.ID); n != 8 { // seeded, seven times refused
		t.Errorf("%d rows name the suspended member", n)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'login.failed' AND actor_id IS NULL`); n != 1 {
		t.Errorf("%d rows name nobody, want the unknown account's", n)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM sessions`); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// What is not an attempt at signing in costs no hashing and is not recorded as one.
func TestLogin_aFormThatIsNotFilledInIsNoFailedLogin(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	for _, body := range []string{
		`{}`, `{"email":"ada@example.org"}`, `{"password":"x"}`, `{"email":"","password":""}`, `{"email":null,"password":"x"}`,
		`{"Email":"ada@example.org","Password":"x"}`, `{"email":["ada@example.org"],"password":"x"}`, `{"email":"a@b","email":"c@d","password":"x"}`, `null`,
	} {
		wantProblem(t, b.Post(s.DAOURL+loginPath, body), http.StatusBadRequest, "invalid_request", "")
	}
	wantProblem(t, b.Post(s.DAOURL+loginPath, `{"email":"a@b","password":"x"}`, header("Content-Type", "text/plain")),
		http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	wantProblem(t, b.Post(s.DAOURL+loginPath, `{"email":"a@b","password":"`+strings.Repeat("x", 8192)+`"}`),
		http.StatusRequestEntityTooLarge, "body_too_large", "")
	wantEvents(t, s)
}

// Login needs no csrf value, for there is no session yet; the attack is another
// site that signs the person in as somebody else.
func TestLogin_fromAnotherSiteIsRefused(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	s.Member(t, "mallory@example.org", withPassword(t))
	b := s.Browser(t)
	body := map[string]any{"email": "mallory@example.org", "password": testkit.Password}
	for _, h := range []testkit.Header{header("Origin", "https://evil.test"), header("Origin", "null"), header("Sec-Fetch-Site", "cross-site")} {
		wantProblem(t, b.Post(s.DAOURL+loginPath, body, h), http.StatusForbidden, "origin_not_allowed", "")
	}
	wantEvents(t, s)
}
