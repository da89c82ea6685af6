package daoapi_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Ten tabs of one browser, at two replicas, wake up at once, and some ask again:
// they share the cookies, so that whoever is a little later sends what an earlier
// answer brought, and answers arrive in any order. Nobody is refused, and whatever
// cookie the browser is left with is good, then and once the others have gone.
func TestRefresh_tenTabsAtOnceSignNobodyOut(t *testing.T) {
	t.Parallel()
	const rounds, tabs = 12, 10
	s := testkit.Start(t, testkit.Options{})
	replica, _ := s.Replica(t)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	halves := []string{s.DAOURL, replica}
	for range rounds {
		s.Clock.Advance(31 * time.Minute)
		var wg sync.WaitGroup
		for i := range tabs {
			wg.Go(func() {
				for range 1 + i%3 {
					if answer := refresh(ada, halves[i%2]); answer.Status != http.StatusOK {
						t.Errorf("a tab is refused: %d %s", answer.Status, answer.Code())
					}
				}
			})
		}
		wg.Wait()
		wantSignedIn(t, s, ada, true)
		s.Clock.Advance(29 * time.Minute)
		wantSignedIn(t, s, ada, true)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE reason = 'rotated'`); n != rounds {
		t.Errorf("%d rotations in %d rounds", n, rounds)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 1 {
		t.Errorf("%d live sessions", n)
	}
}

// For 30 s after a refresh the cookie before does all that it did; then nothing.
func TestRefresh_theCookieBeforeIsGoodForThirtySeconds(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	before := ada.Cookie(s.DAOURL, "dao_session")
	s.Clock.Advance(time.Minute)
	wantOK(t, refresh(ada, s.DAOURL))
	next := ada.Cookie(s.DAOURL, "dao_session")

	s.Clock.Advance(30*time.Second - time.Millisecond)
	tab := func() *testkit.Browser { return carry(t, s, before, ada.CSRF) }
	wantSignedIn(t, s, tab(), true)
	wantOK(t, tab().Mint(nil))
	if answer := wantOK(t, tab().Get(s.DAOURL+csrfPath)); answer.Text("csrf_token") != ada.CSRF {
		t.Error("the csrf value is another")
	}
	late := tab()
	wantOK(t, refresh(late, s.DAOURL))
	if got := late.Cookie(s.DAOURL, "dao_session"); got != next {
		t.Error("the late tab has another cookie")
	}

	s.Clock.Advance(time.Millisecond)
	wantSignedIn(t, s, tab(), false)
	wantProblem(t, tab().Mint(nil), http.StatusUnauthorized, "session_required", "mint")
	wantProblem(t, tab().Get(s.DAOURL+csrfPath), http.StatusUnauthorized, "session_required", "")
	wantProblem(t, refresh(tab(), s.DAOURL), http.StatusUnauthorized, "session_required", "")
	wantSignedIn(t, s, late, true)
	wantEvents(t, s, "session.refreshed success rotated", "handoff.minted success", "session.refreshed success converged")
}

// A person who clicks on "sign out" in a tab that has not heard of the refresh is
// signed out everywhere.
func TestLogout_withTheCookieBefore(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	tab := carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), ada.CSRF)
	token := ada.MintToken()
	wantOK(t, refresh(ada, s.DAOURL))
	wantOK(t, tab.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", tab.CSRF)))
	wantSignedIn(t, s, ada, false)
	wantProblem(t, ada.Mint(nil), http.StatusUnauthorized, "session_revoked", "mint")
	wantProblem(t, refresh(ada, s.DAOURL), http.StatusUnauthorized, "session_revoked", "")
	wantProblem(t, present(s.Browser(t), s.DAOURL, token, nil), http.StatusBadRequest, "token_unknown", "exchange")
	wantEvents(t, s, "handoff.minted success", "session.refreshed success rotated", "session.ended success logout", "handoff.refused failure source_ended")
}

// A hand-off that is on its way while a tab refreshes never fails, and its token is
// good: the mint writes a row that refers to the one that the refresh locks.
func TestMint_neverFailsBesideARefresh(t *testing.T) {
	t.Parallel()
	const rounds, mints = 10, 4
	s := testkit.Start(t, testkit.Options{})
	replica, _ := s.Replica(t)
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	for range rounds {
		s.Clock.Advance(time.Minute)
		var wg sync.WaitGroup
		for i := range mints {
			wg.Go(func() {
				answer := ada.Mint(nil)
				if answer.Status != http.StatusOK {
					t.Errorf("a mint is refused: %d %s", answer.Status, answer.Code())
					return
				}
				if i%2 == 0 { // an exchange locks the session's row, too
					if answer := present(peer, replica, answer.Text("token"), nil); answer.Status != http.StatusOK {
						t.Errorf("an exchange is refused: %d %s", answer.Status, answer.Code())
					}
				}
			})
		}
		for _, half := range []string{s.DAOURL, replica} {
			wg.Go(func() {
				if answer := refresh(ada, half); answer.Status != http.StatusOK {
					t.Errorf("a refresh is refused: %d %s", answer.Status, answer.Code())
				}
			})
		}
		wg.Wait()
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs`); n != rounds*mints {
		t.Errorf("%d of %d tokens", n, rounds*mints)
	}
}
