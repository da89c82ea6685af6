package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Hashing is slow on purpose, so that one story has all that needs the same password.
func TestAPersonSignsInByPassword(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.UserWithPassword(t, "Ada@example.org")
	s.Clock.Advance(time.Minute)
	now := s.Clock.Now()
	b := s.Browser(t)
	answer := b.FOSPost("login", map[string]any{
		"email": "ada@EXAMPLE.org", "password": testkit.Password,
		// What existing clients send besides: neither refused nor kept.
		"device_fingerprint": "thumbprint", "timezone": "Europe/Paris", "user_agent": "an old browser", "remember": map[string]any{"me": true},
	}, header("Origin", "https://"+testkit.Target), header("Content-Type", "application/json; charset=utf-8"))
	if answer.Status != http.StatusOK {
		t.Fatalf("login: %d %s", answer.Status, answer.Raw)
	}
	who := map[string]any{
		"id": ada.ID.String(), "email": "Ada@example.org", "display_name": "Ada Lovelace", "role": "member",
		"status": "ACTIVE", "email_verified": true, "created_at": millis(ada.CreatedAt),
	}
	session := map[string]any{
		"id":                sessionID(answer),
		"access_expires_at": millis(now.Add(30 * time.Minute)), "refresh_expires_at": millis(now.Add(7 * 24 * time.Hour)),
	}
	want := map[string]any{"user": who, "entry_product": nil, "return_path": nil, "handoff_id": nil, "session": session}
	if diff := cmp.Diff(want, answer.Body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	wantID(t, sessionID(answer))
	wantPrivateJSON(t, answer)
	wantSetCookies(t, answer,
		"fos_device=…; Path=/; Expires=Fri, 19 Feb 2027 12:01:00 GMT; HttpOnly; SameSite=Lax",
		"access_token=…; Path=/; Expires=Sat, 28 Nov 2026 12:01:00 GMT; HttpOnly; SameSite=Lax",
		"refresh_token=…; Path=/api/v1/auth; Expires=Sat, 28 Nov 2026 12:01:00 GMT; HttpOnly; SameSite=Lax")
	_, claims := read(t, s, answer.Cookie("access_token").Value)
	if diff := cmp.Diff([]any{"pwd"}, claims["amr"]); diff != "" || claims["auth_time"] != seconds(now) {
		t.Errorf("the token says amr %v at %v", claims["amr"], claims["auth_time"])
	}
	if diff := cmp.Diff(map[string]any{"user": who, "session": session}, b.Me().Body); diff != "" {
		t.Errorf("me (-want +got):\n%s", diff)
	}

	s.Clock.Advance(time.Hour)
	refreshed := b.FOSPost("refresh", nil)
	wantRefreshed(t, refreshed)
	session["access_expires_at"] = millis(s.Clock.Now().Add(30 * time.Minute))
	if diff := cmp.Diff(map[string]any{"session": session}, refreshed.Body); diff != "" {
		t.Errorf("refreshed (-want +got):\n%s", diff)
	}
	wantPrivateJSON(t, refreshed)
	b.FOSPost("logout", nil)
	events := []string{"session.created success password", "session.refreshed success rotated", "session.ended success logout"}
	if diff := cmp.Diff(events, testkit.Events(t, s.FOS)); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	wantNoneOf(t, "the database", testkit.Dump(t, s.FOS), "thumbprint", "Europe/Paris", "an old browser")
	wantNoneOf(t, "the log", s.Log.String(), "thumbprint", "Europe/Paris", "an old browser", testkit.Password)
}

// A wrong password, an unknown account and one that has none are one answer, byte for
// byte but for the request's id, whatever else is true of the account.
func TestWhoHasAnAccountIsNotTold(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	s.UserWithPassword(t, "ada@example.org")
	s.User(t, "passwordless@example.org")
	s.UserWithPassword(t, "suspended@example.org", status(user.Suspended))
	s.UserWithPassword(t, "unproven@example.org", unproven)
	otp := s.UserWithPassword(t, "otp@example.org")
	testkit.Exec(t, s.FOS, `UPDATE users SET totp_secret = 'a second factor' WHERE id = $1`, otp.ID)
	seen := map[string]bool{}
	b := s.Browser(t)
	for _, email := range []string{
		"ada@example.org", "passwordless@example.org", "suspended@example.org", "unproven@example.org", "otp@example.org",
		"nobody@example.org", "no address at all", "ada@example.org\x00", strings.Repeat("a", 300) + "@example.org", "' OR true --",
	} {
		answer := b.FOSLogin(email, tooLong)
		wantProblem(t, answer, http.StatusUnauthorized, "invalid_credentials")
		if answer.Text("stage") != "" { // there is no journey
			t.Errorf("stage %q", answer.Text("stage"))
		}
		seen[strings.ReplaceAll(answer.Raw, answer.Text("request_id"), "")] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers: %v", len(seen), seen)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'login.failed' AND reason = 'invalid_credentials'`); n != 10 {
		t.Errorf("I4: %d rows record 10 failures", n)
	}
}

// Only the right password tells what else keeps somebody out.
func TestWhatElseKeepsSomebodyOutOnlyTheirPasswordTells(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	who := s.UserWithPassword(t, "ada@example.org")
	for _, story := range []struct{ change, code string }{
		{`UPDATE users SET email_verified = false WHERE id = $1`, "email_unverified"},
		{`UPDATE users SET status = 'SUSPENDED' WHERE id = $1`, "account_inactive"},
		{`UPDATE users SET status = 'ACTIVE', email_verified = true, totp_secret = 'a second factor' WHERE id = $1`, "second_factor_required"},
	} {
		testkit.Exec(t, s.FOS, story.change, who.ID)
		wantProblem(t, s.Browser(t).FOSLogin("ada@example.org", tooLong), http.StatusUnauthorized, "invalid_credentials")
		wantProblem(t, s.Browser(t).FOSLogin("ada@example.org", testkit.Password), http.StatusForbidden, story.code)
	}
	wrong := "login.failed failure invalid_credentials"
	want := []string{
		wrong, "login.failed failure email_unverified", wrong, "login.failed failure account_inactive", wrong, "login.failed failure second_factor_required",
	}
	if diff := cmp.Diff(want, testkit.Events(t, s.FOS)); diff != "" {
		t.Errorf("I4: recorded (-want +got):\n%s", diff)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// What is not an attempt at signing in is told what is wrong with it, costs no hashing
// and is not recorded as one.
func TestAFormThatIsNotFilledInIsNoFailedLogin(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `"ada@example.org"`, `{"email":"ada@example.org"}`, `{"password":"x"}`, `{"email":"","password":""}`,
		`{"email":null,"password":"x"}`, `{"email":"ada@example.org","password":7}`, `{"email":["ada@example.org"],"password":"x"}`,
		`{"Email":"ada@example.org","Password":"x"}`, `{"email":"a@b","email":"c@d","password":"x"}`, `{"email":"a@b","password":"x"} ` + `{}`,
		`{"email":"a@b","password":"x"`, "{\"email\":\"a@b\",\"password\":\"\xff\"}", `email=a@b&password=x`,
	} {
		answer := b.FOSPost("login", body, header("Content-Type", "application/json"))
		wantProblem(t, answer, http.StatusBadRequest, "invalid_request")
		if faults, is := answer.Body["errors"].([]any); !is || len(faults) == 0 {
			t.Errorf("%s: no fault is named: %s", body, answer.Raw)
		}
	}
	const good = `{"email":"a@b","password":"x"}`
	for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16"} {
		wantProblem(t, b.FOSPost("login", good, header("Content-Type", media)), http.StatusUnsupportedMediaType, "unsupported_media_type")
	}
	wantProblem(t, b.FOSPost("login", nil), http.StatusUnsupportedMediaType, "unsupported_media_type")
	wantProblem(t, b.FOSPost("login", `{"email":"a@b","password":"`+strings.Repeat("x", 8192)+`"}`),
		http.StatusRequestEntityTooLarge, "body_too_large")
	if events := testkit.Events(t, s.FOS); len(events) != 0 {
		t.Errorf("recorded %q", events)
	}
}

// The attack: another site signs the person in, as somebody whose account the attacker
// reads. Or it refreshes, ends, or asks for all of it.
func TestWhatAnotherSiteMakesABrowserSendIsRefusedOnEveryEndpoint(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	login := map[string]any{"email": "ada@example.org", "password": testkit.Password}
	auth := s.FOSURL + "/api/v1/auth/"
	for _, endpoint := range []struct {
		method, path string
		body         any
	}{
		{http.MethodPost, "login", login},
		{http.MethodPost, "step-up", map[string]any{"password": testkit.Password}},
		{http.MethodPost, "refresh", nil},
		{http.MethodPost, "logout", nil},
		{http.MethodPost, "logout-all", nil},
		{http.MethodDelete, "sessions/" + journeyID, nil},
	} {
		wantProblem(t, b.Do(endpoint.method, auth+endpoint.path, endpoint.body), http.StatusForbidden, "csrf_failed")
		for _, h := range []testkit.Header{
			header("Origin", "https://evil.test"), header("Origin", "null"), header("Sec-Fetch-Site", "cross-site"),
		} {
			wantProblem(t, b.Do(endpoint.method, auth+endpoint.path, endpoint.body, with, h), http.StatusForbidden, "origin_not_allowed")
		}
	}
	wantProblem(t, b.Get(auth+"sessions", header("Origin", "https://evil.test")), http.StatusForbidden, "origin_not_allowed")
	if events := testkit.Events(t, s.FOS); len(events) != 0 {
		t.Errorf("recorded %q", events)
	}
	if me := b.Me(); me.Status != http.StatusOK {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
}
