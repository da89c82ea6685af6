package daoapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Existing front ends read exactly these fields.
func TestSession_saysWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	principal := "2vxsx-fae"
	full := s.SignIn(t, s.Member(t, "Ada@example.org", func(a *member.Account) {
		a.Principal, a.Roles = &principal, []string{"member", "steward"}
	}))
	bare := s.SignIn(t, s.Member(t, "bare@example.org", func(a *member.Account) {
		a.DisplayName, a.Roles, a.EmailVerified, a.Status = nil, []string{}, false, member.Pending
	}))
	answer := wantOK(t, full.Get(s.DAOURL+sessionPath))
	wantMembers(t, answer, "authenticated:bool", "user_id:string", "email:string", "display_name:string", "ic_principal:string",
		"membership_status:string", "roles:list", "access_expires_at:integer", "refresh_expires_at:integer")
	now := s.Clock.Now()
	for name, want := range map[string]any{
		"authenticated": true, "email": "Ada@example.org", "display_name": "Ada Lovelace", "ic_principal": principal, "membership_status": "active",
		"access_expires_at": float64(now.Add(30 * time.Minute).UnixMilli()), "refresh_expires_at": float64(now.Add(7 * 24 * time.Hour).UnixMilli()),
	} {
		if answer.Body[name] != want {
			t.Errorf("%s is %v, want %v", name, answer.Body[name], want)
		}
	}
	answer = wantOK(t, bare.Get(s.DAOURL+sessionPath))
	wantMembers(t, answer, "authenticated:bool", "user_id:string", "email:string", "display_name:null", "ic_principal:null",
		"membership_status:string", "roles:list", "access_expires_at:integer", "refresh_expires_at:integer")
	if len(answer.Cookies) != 0 {
		t.Errorf("asking sets cookies: %v", answer.Cookies)
	}
	wantEvents(t, s)
}

// Nobody is an answer and not an error; and it is {authenticated:false} alone.
func TestSession_nobodyIsAnAnswer(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.Member(t, "ada@example.org")
	wantNobody := func(name string, b *testkit.Browser) {
		t.Helper()
		answer := b.Get(s.DAOURL + sessionPath)
		if answer.Status != http.StatusOK || answer.Body["authenticated"] != false {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
		wantMembers(t, answer, "authenticated:bool")
	}
	wantNoCSRF := func(name string, b *testkit.Browser) {
		t.Helper()
		wantNobody(name, b)
		if csrf := b.Get(s.DAOURL + csrfPath); csrf.Status != http.StatusUnauthorized || len(csrf.Cookies) != 0 {
			t.Errorf("%s: a csrf value is given: %d", name, csrf.Status)
		}
	}
	wantNoCSRF("no cookie", s.Browser(t))
	for name, value := range map[string]string{"nonsense": "x", "another's shape": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "a token": ada.ID.String()} {
		b := s.Browser(t)
		b.SetCookie(s.DAOURL, "dao_session", value)
		wantNoCSRF(name, b)
	}
	ended, suspended := s.SignIn(t, ada), s.SignIn(t, s.Member(t, "suspended@example.org"))
	wantOK(t, ended.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", ended.CSRF)))
	wantNoCSRF("signed out", ended)
	testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended' WHERE email_canonical = 'suspended@example.org'`)
	wantNoCSRF("suspended", suspended)
	idle := s.SignIn(t, ada)
	s.Clock.Advance(30 * time.Minute)
	wantNobody("idle for thirty minutes", idle)
	idle.FetchCSRF() // without one the page could not refresh the session
}

// Not knowing is an error, or a database that is away would sign everybody out of
// the page.
func TestSession_notKnowingIsAnError(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.DAOPostgres.Cut()
	wantProblem(t, ada.Get(s.DAOURL+sessionPath), http.StatusServiceUnavailable, "dependency_unavailable", "")
	wantProblem(t, ada.Get(s.DAOURL+csrfPath), http.StatusServiceUnavailable, "dependency_unavailable", "")
	wantProblem(t, ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", ada.CSRF)), http.StatusServiceUnavailable, "dependency_unavailable", "")
	wantProblem(t, ada.Post(s.DAOURL+loginPath, map[string]any{"email": "ada@example.org", "password": "x"}), http.StatusServiceUnavailable, "dependency_unavailable", "")
	if answer := s.Browser(t).Get(s.DAOURL + sessionPath); answer.Status != http.StatusOK {
		t.Errorf("without a cookie there is nothing to ask: %d", answer.Status)
	}
}

func TestCSRFToken_givesTheValueAndItsCookie(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	answer := wantOK(t, ada.Get(s.DAOURL+csrfPath))
	wantMembers(t, answer, "csrf_token:string")
	cookie := answer.Cookie("csrf_token")
	if cookie == nil || cookie.Value != answer.Text("csrf_token") || cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Errorf("cookie %v", cookie)
	}
}

func TestLogout_endsTheSessionAndClearsTheCookies(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	kept := ada.Cookie(s.DAOURL, "dao_session")
	csrf := header("X-CSRF-Token", ada.CSRF)
	answer := wantOK(t, ada.Post(s.DAOURL+logoutPath, nil, csrf))
	wantMembers(t, answer, "success:bool", "message:string")
	for _, name := range []string{"dao_session", "csrf_token"} {
		if cookie := answer.Cookie(name); cookie == nil || cookie.MaxAge >= 0 || cookie.Value != "" || cookie.Path != "/" {
			t.Errorf("%s is not cleared: %v", name, cookie)
		}
	}
	// Who kept the cookie is not signed in by it any more, and cannot end it twice.
	thief := s.Browser(t)
	thief.SetCookie(s.DAOURL, "dao_session", kept)
	thief.SetCookie(s.DAOURL, "csrf_token", ada.CSRF)
	thief.CSRF = ada.CSRF
	wantProblem(t, thief.Mint(nil), http.StatusUnauthorized, "session_revoked", "mint")
	wantOK(t, thief.Post(s.DAOURL+logoutPath, nil, csrf))
	wantEvents(t, s, "session.ended success logout")
}
