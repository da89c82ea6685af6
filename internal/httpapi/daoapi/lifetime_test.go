package daoapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func wantSignedIn(t testing.TB, s *testkit.Service, b *testkit.Browser, want bool) {
	t.Helper()
	if answer := wantOK(t, b.Get(s.DAOURL+sessionPath)); answer.Body["authenticated"] != want {
		t.Errorf("at %v: %s", s.Clock.Now(), answer.Raw)
	}
}

// Thirty minutes without a refresh put the session to sleep, to the millisecond,
// and a refresh wakes it; reading is no refresh.
func TestSession_sleepsAfterThirtyMinutesAndIsWokenByARefresh(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.Clock.Advance(30*time.Minute - time.Millisecond)
	wantSignedIn(t, s, ada, true)
	wantOK(t, ada.Mint(nil))

	s.Clock.Advance(time.Millisecond)
	wantSignedIn(t, s, ada, false)
	wantProblem(t, ada.Mint(nil), http.StatusUnauthorized, "session_required", "mint")
	s.Clock.Advance(time.Hour)
	wantSignedIn(t, s, ada, false)

	// A page that was opened only now has no value yet, and without one no refresh.
	reopened := carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), "")
	reopened.FetchCSRF()
	wantSignedIn(t, s, reopened, false) // asking for a value wakes nothing
	wantOK(t, refresh(reopened, s.DAOURL))
	wantSignedIn(t, s, reopened, true)
	wantOK(t, reopened.Mint(nil))
	wantSignedIn(t, s, ada, true) // the browser's other tab, for half a minute
	wantOK(t, refresh(ada, s.DAOURL))
	s.Clock.Advance(30*time.Minute - time.Millisecond)
	wantSignedIn(t, s, ada, true)
	s.Clock.Advance(time.Millisecond)
	wantSignedIn(t, s, ada, false)
	wantEvents(t, s, "handoff.minted success", "session.refreshed success rotated", "handoff.minted success", "session.refreshed success converged")
}

// Seven days after signing in it is over, however often it was refreshed: for the
// session, for its cookies, and for a new csrf value.
func TestSession_isOverAfterSevenDays(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	end := s.Clock.Now().Add(7 * 24 * time.Hour)
	for range 6 {
		s.Clock.Advance(24 * time.Hour)
		wantOK(t, refresh(ada, s.DAOURL))
	}
	s.Clock.Advance(24*time.Hour - 10*time.Minute)
	answer := wantOK(t, refresh(ada, s.DAOURL))
	for name, want := range map[string]time.Time{"access_expires_at": end, "refresh_expires_at": end} {
		if answer.Body[name] != float64(want.UnixMilli()) {
			t.Errorf("%s is %v, want %d", name, answer.Body[name], want.UnixMilli())
		}
	}
	if cookie := answer.Cookie("dao_session"); cookie == nil || !cookie.Expires.Equal(end) {
		t.Errorf("cookie %v", cookie)
	}
	csrf := wantOK(t, ada.Get(s.DAOURL+csrfPath))
	if cookie := csrf.Cookie("csrf_token"); cookie == nil || !cookie.Expires.Equal(end) || cookie.Value != ada.CSRF {
		t.Errorf("csrf cookie %v", cookie)
	}
	s.Clock.Advance(10*time.Minute - time.Millisecond)
	wantSignedIn(t, s, ada, true)
	wantOK(t, refresh(ada, s.DAOURL))

	s.Clock.Advance(time.Millisecond)
	wantSignedIn(t, s, ada, false)
	wantProblem(t, refresh(ada, s.DAOURL), http.StatusUnauthorized, "session_required", "")
	wantProblem(t, ada.Get(s.DAOURL+csrfPath), http.StatusUnauthorized, "session_required", "")
	wantProblem(t, ada.Mint(nil), http.StatusUnauthorized, "session_required", "mint")
}
