package fosapi_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// signedIn is a browser with a session by hand-off, which lasts like any other.
func signedIn(t testing.TB, s *testkit.Service) *testkit.Browser {
	t.Helper()
	b, _ := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	return b
}

// refreshWith shows one refresh token, as a browser that has no other cookie.
func refreshWith(t testing.TB, s *testkit.Service, fosURL, refresh string) testkit.Answer {
	t.Helper()
	return s.Browser(t).Post(fosURL+"/api/v1/auth/refresh", nil,
		header("X-Requested-With", "test"), header("Cookie", "refresh_token="+refresh))
}

func refreshCookieOf(answer testkit.Answer) string {
	if c := answer.Cookie("refresh_token"); c != nil {
		return c.Value
	}
	return ""
}

func wantRefreshed(t testing.TB, answer testkit.Answer) string {
	t.Helper()
	if answer.Status != http.StatusOK || refreshCookieOf(answer) == "" || answer.Cookie("access_token") == nil {
		t.Fatalf("refresh: %d %s", answer.Status, answer.Raw)
	}
	return refreshCookieOf(answer)
}

func generationOf(t testing.TB, s *testkit.Service, refresh string) int {
	t.Helper()
	claims, err := s.Signer(t).VerifyRefresh(refresh)
	if err != nil {
		t.Fatal(err)
	}
	return claims.Generation
}

func TestI11_theCurrentTokenRotates(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	first := b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	s.Clock.Advance(31 * time.Minute) // the access token has ended
	answer := b.FOSPost("refresh", map[string]any{"device_fingerprint": "extras are allowed here"})
	second := wantRefreshed(t, answer)
	if g := generationOf(t, s, second); g != 2 || second == first {
		t.Errorf("generation %d", g)
	}
	if me := b.Me(); me.Status != http.StatusOK {
		t.Errorf("with the new pair: %d %s", me.Status, me.Raw)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = 'rotated'`); n != 1 {
		t.Errorf("%d rows", n)
	}
}

// A stolen grandparent ends the session for both, whoever of them is the thief.
func TestI11_anOlderTokenIsTheft(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	stolen := b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	wantRefreshed(t, b.FOSPost("refresh", nil))
	wantRefreshed(t, b.FOSPost("refresh", nil))
	if answer := refreshWith(t, s, s.FOSURL, stolen); answer.Code() != "session_revoked" || len(answer.Cookies) != 0 {
		t.Errorf("the thief: %d %s", answer.Status, answer.Raw)
	}
	if me := b.Me(); me.Code() != "session_revoked" {
		t.Errorf("the access token of the session that ended: %d %s", me.Status, me.Raw)
	}
	if answer := b.FOSPost("refresh", nil); answer.Code() != "session_revoked" {
		t.Errorf("the newest token: %d %s", answer.Status, answer.Raw)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.reuse_detected' AND outcome = 'failure'`); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestI11_tenTabsAtOnceOverTwoReplicas(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, other := s.Replica(t)
	b := signedIn(t, s)
	refresh := b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	const rounds, tabs = 20, 10
	for round := range rounds {
		answers := make([]testkit.Answer, tabs)
		var wg sync.WaitGroup
		for tab := range tabs {
			wg.Go(func() { answers[tab] = refreshWith(t, s, []string{s.FOSURL, other}[tab%2], refresh) })
		}
		wg.Wait()
		for _, answer := range answers {
			refresh = wantRefreshed(t, answer)
			if g := generationOf(t, s, refresh); g != round+2 {
				t.Fatalf("round %d: generation %d", round, g)
			}
		}
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = 'rotated'`); n != rounds {
		t.Errorf("%d rotations in %d rounds", n, rounds)
	}
}

// The answer was lost, and the laptop slept: nobody has seen the successor.
func TestI11_aLostAnswerDoesNotSignOut(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	lost := b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	wantRefreshed(t, refreshWith(t, s, s.FOSURL, lost)) // the answer goes nowhere
	s.Clock.Advance(time.Hour)
	if g := generationOf(t, s, wantRefreshed(t, b.FOSPost("refresh", nil))); g != 2 {
		t.Errorf("generation %d", g)
	}
	if me := b.Me(); me.Status != http.StatusOK {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
	// Now the successor has been seen, and the older token is a copy.
	s.Clock.Advance(30 * time.Second)
	if answer := refreshWith(t, s, s.FOSURL, lost); answer.Code() != "session_revoked" {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
}

// The answer was lost, and the page goes on with the access token that it has: that one
// tells nothing of the pair that nobody received.
func TestI11_anOlderAccessTokenIsNoSignOfTheNewPair(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	lost := b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	wantRefreshed(t, refreshWith(t, s, s.FOSURL, lost))
	for range 5 {
		s.Clock.Advance(time.Minute)
		if me := b.Me(); me.Status != http.StatusOK {
			t.Fatalf("%d %s", me.Status, me.Raw)
		}
	}
	if g := generationOf(t, s, wantRefreshed(t, b.FOSPost("refresh", nil))); g != 2 {
		t.Errorf("generation %d", g)
	}
}
