package daoapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Somebody copied both cookies and refreshed, twice; the owner's browser has the
// cookie from before. "Signed out" must be true for both.
func TestLogout_endsASessionThatAThiefHasRefreshed(t *testing.T) {
	t.Parallel()
	for name, refreshes := range map[string]int{"once": 1, "twice": 2} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			ada := s.SignIn(t, s.Member(t, "ada@example.org"))
			thief := carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), ada.CSRF)
			for range refreshes {
				wantOK(t, refresh(thief, s.DAOURL))
				s.Clock.Advance(31 * time.Second)
			}
			wantOK(t, ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", ada.CSRF)))
			if answer := thief.Get(s.DAOURL + sessionPath); answer.Body["authenticated"] != false {
				t.Errorf("the thief is still in: %s", answer.Raw)
			}
			if answer := refresh(thief, s.DAOURL); answer.Code() != "session_revoked" {
				t.Errorf("the thief refreshes: %d %s", answer.Status, answer.Raw)
			}
			wantEvents := 1
			if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'session.ended'`); n != wantEvents {
				t.Errorf("%d rows record one end", n)
			}
		})
	}
}

// The attacker plants a CSRF value of their own session beside Ada's cookie, so that
// her sign-out ends theirs and she believes that she is out.
func TestLogout_endsNoOtherSessionThanTheCookies(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, eve := s.SignIn(t, s.Member(t, "ada@example.org")), s.SignIn(t, s.Member(t, "eve@example.org"))
	ada.SetCookie(s.DAOURL, "csrf_token", eve.CSRF)
	wantProblem(t, ada.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", eve.CSRF)), http.StatusForbidden, "csrf_failed", "")
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 2 {
		t.Errorf("%d of 2 sessions are live", n)
	}
}

// A try that nobody judged is no failed one: whoever obeys Retry-After while our store
// is away still gets in when it is back.
func TestLogin_troubleOfOursIsNobodysFailure(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"RATE_LIMIT_LOGIN_PER_MINUTE": "2"}})
	s.Member(t, "ada@example.org", withPassword(t))
	b := s.Browser(t)
	with := func(plain string) any { return map[string]any{"email": "ada@example.org", "password": plain} }
	if answer := login(b, s.DAOURL, with("wrong")); answer.Code() != "invalid_credentials" {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	testkit.Exec(t, s.DAO, `ALTER TABLE members RENAME TO away`)
	for range 4 {
		if answer := b.Post(s.DAOURL+loginPath, with(testkit.Password)); answer.Status != http.StatusInternalServerError && answer.Status != http.StatusServiceUnavailable {
			t.Errorf("without the table: %d %s", answer.Status, answer.Raw)
		}
	}
	testkit.Exec(t, s.DAO, `ALTER TABLE away RENAME TO members`)
	// One wrong try was judged: there is room for one more, and not for two.
	if answer := login(b, s.DAOURL, with("wrong")); answer.Code() != "invalid_credentials" {
		t.Errorf("the second judged try: %d %s", answer.Status, answer.Raw)
	}
	if answer := login(b, s.DAOURL, with(testkit.Password)); answer.Code() != "rate_limited" {
		t.Errorf("trouble washed the first failure off: %d %s", answer.Status, answer.Raw)
	}
}
