package fosapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	pendingPath = "/api/v1/auth/cross-domain/pending"
	askedNamed  = "handoff_pending"
)

// asking is a service with that HANDOFF_UNBOUND.
func asking(t *testing.T, unbound string, story func(t *testing.T, s *testkit.Service)) {
	t.Helper()
	for name, overHTTP := range map[string]bool{"in process": false, "over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, testkit.Start(t, testkit.Options{OverHTTP: overHTTP, Env: map[string]string{"HANDOFF_UNBOUND": unbound}}))
		})
	}
}

// confirms says yes.
func confirms(b *testkit.Browser, handoffID string) testkit.Answer {
	return b.FOSPost("cross-domain/confirm", map[string]any{"handoff_id": handoffID})
}

// declines says no.
func declines(b *testkit.Browser, handoffID string) testkit.Answer {
	return b.FOSPost("cross-domain/decline", map[string]any{"handoff_id": handoffID})
}

// asked demands the question whether to go on as one person, in place of another ("":
// nobody), and that nobody was signed in by it. It returns the hand-off's id.
func asked(t testing.TB, answer testkit.Answer, as, current string) string {
	t.Helper()
	if answer.Status != http.StatusAccepted {
		t.Fatalf("not asked: %d %s", answer.Status, answer.Raw)
	}
	wantQuestion(t, answer, as, current)
	if cookie := answer.Cookie(askedNamed); cookie == nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("cookie %v", cookie)
	}
	if len(answer.Cookies) != 1 {
		t.Errorf("cookies %v", answer.Cookies)
	}
	return answer.Text("handoff_id")
}

func wantQuestion(t testing.TB, answer testkit.Answer, as, current string) {
	t.Helper()
	name := func(member string) string {
		person, _ := answer.Body[member].(map[string]any)
		email, _ := person["email"].(string)
		return email
	}
	_, says := answer.Body["links"].(bool)
	if !says || answer.Body["pending"] != true || name("as") != as || name("current") != current || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("asked %s, want as %q, current %q", answer.Raw, as, current)
	}
}

// wantIn demands who is signed in, "" for nobody.
func wantIn(t testing.TB, b *testkit.Browser, email string) {
	t.Helper()
	me := b.Me()
	who, _ := me.Body["user"].(map[string]any)
	if got, _ := who["email"].(string); got != email || (me.Status == http.StatusOK) != (email != "") {
		t.Errorf("signed in: %d %q, want %q", me.Status, got, email)
	}
}

// The person is asked whether they want to go on as who is named in full. Until they
// have said so nobody is signed in, and no account is made.
func TestConfirm_whoseJourneyDidNotBeginHereIsAsked(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(map[string]any{"return_path": "/work"})
		answer := ada.Arrive(minted.Text("token"), key(firstKey))
		id := asked(t, answer, "ada@example.org", "")
		if id != minted.Text("handoff_id") || answer.Body["expires_at"] != float64(s.Clock.Now().Add(120*time.Second).UnixMilli()) {
			t.Errorf("%s", answer.Raw)
		}
		as, _ := answer.Body["as"].(map[string]any)
		if as["display_name"] != "Ada Lovelace" {
			t.Errorf("as %v", as)
		}
		wantIn(t, ada, "")
		if n := testkit.Count(t, s.FOS, `SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM sessions)`); n != 0 {
			t.Errorf("%d rows of users and sessions before the answer", n)
		}
		wantQuestion(t, ada.Get(s.FOSURL+pendingPath), "ada@example.org", "")

		in := arrived(t, confirms(ada, id))
		if in.Text("handoff_id") != id || in.Text("return_path") != "/work" || in.Text("entry_product") != "think-tank" {
			t.Errorf("%s", in.Raw)
		}
		wantIn(t, ada, "ada@example.org")
		want := []string{"handoff.pending success", "user.created success", "session.created success handoff"}
		if diff := cmp.Diff(want, eventsOf(t, s, id)); diff != "" {
			t.Errorf("on record (-want +got):\n%s", diff)
		}
		if over := ada.Get(s.FOSURL + pendingPath); over.Status != http.StatusOK || over.Body["pending"] != false {
			t.Errorf("afterwards %d %s", over.Status, over.Raw)
		}
	})
}

// I8: the answer to "yes" is lost, and the person says it again: one session.
func TestI8_confirmingTwiceOpensOneSession(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		id := asked(t, ada.Arrive(ada.MintToken()), "ada@example.org", "") // without an arrival key
		secret := ada.Cookie(s.FOSURL, askedNamed)
		once := arrived(t, confirms(ada, id))
		again := s.Browser(t)
		again.SetCookie(s.FOSURL, askedNamed, secret)
		twice := arrived(t, confirms(again, id))
		if sessionID(once) != sessionID(twice) || testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`) != 1 {
			t.Errorf("sessions %s and %s", sessionID(once), sessionID(twice))
		}
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.created'`); n != 1 {
			t.Errorf("%d rows record it", n)
		}
	})
}

// I8: the answer to "yes" is lost, somebody else signs in by password in that browser, and
// "yes" is said again: they are named, and their session ends with its cookies.
func TestI8_confirmingAgainReplacesWhoCameBetween(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		id := asked(t, ada.Arrive(ada.MintToken()), "ada@example.org", "")
		secret := ada.Cookie(s.FOSURL, askedNamed)
		once := arrived(t, confirms(ada, id))

		b := s.SignInAtFOS(t, s.User(t, "bob@example.org")) // the browser that never heard of it
		bob := b.Cookie(s.FOSURL, "access_token")
		b.SetCookie(s.FOSURL, askedNamed, secret)
		asked(t, confirms(b, id), "ada@example.org", "bob@example.org")
		twice := arrived(t, confirms(b, id))
		if sessionID(once) != sessionID(twice) {
			t.Errorf("sessions %s and %s", sessionID(once), sessionID(twice))
		}
		wantProblem(t, meAt(t, s, bob), http.StatusUnauthorized, "session_revoked")
		wantIn(t, b, "ada@example.org")
		b.SetCookie(s.FOSURL, askedNamed, secret)
		arrived(t, confirms(b, id)) // the same browser, in that same session: it does not end itself
		wantIn(t, b, "ada@example.org")
	})
}

// Who was asked in one browser cannot be answered for in another, nor later, nor by who
// does not say to which question.
func TestConfirm_whatIsNoAnswer(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		bob := s.SignIn(t, s.Member(t, "bob@example.org"))
		id := asked(t, ada.Arrive(ada.MintToken()), "ada@example.org", "")
		asked(t, bob.Arrive(bob.MintToken()), "bob@example.org", "")
		planted := s.Browser(t)
		planted.SetCookie(s.FOSURL, askedNamed, strings.Repeat("0f", 32))
		for name, b := range map[string]*testkit.Browser{"no question": s.Browser(t), "another question": bob, "an invented one": planted} {
			answer := confirms(b, id)
			wantInvalid(t, answer, "expired", id)
			wantIn(t, b, "")
			if answer.Cookie("access_token") != nil {
				t.Errorf("%s: %v", name, answer.Cookies)
			}
		}
		wantProblem(t, confirms(ada, "x"), http.StatusBadRequest, "invalid_request")
		wantProblem(t, confirms(ada, strings.ToUpper(id)), http.StatusBadRequest, "invalid_request")
		wantProblem(t, ada.Post(s.FOSURL+"/api/v1/auth/cross-domain/confirm", map[string]any{"handoff_id": id}), http.StatusForbidden, "csrf_failed")
		wantProblem(t, ada.FOSPost("cross-domain/confirm", map[string]any{"handoff_id": id}, header("Origin", "https://evil.test")),
			http.StatusForbidden, "origin_not_allowed")
		s.Clock.Advance(120*time.Second - time.Millisecond)
		wantQuestion(t, ada.Get(s.FOSURL+pendingPath), "ada@example.org", "")
		s.Clock.Advance(time.Millisecond)
		late := s.Browser(t) // a browser that does not drop the cookie in time
		late.SetCookie(s.FOSURL, askedNamed, ada.Cookie(s.FOSURL, askedNamed))
		wantInvalid(t, confirms(late, id), "expired", id)
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

func TestConfirm_whoSaysNoIsForgotten(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		id := asked(t, ada.Arrive(ada.MintToken()), "ada@example.org", "")
		secret := ada.Cookie(s.FOSURL, askedNamed)
		for range 2 { // the second has nothing to decline
			no := declines(ada, id)
			if no.Status != http.StatusNoContent || ada.Cookie(s.FOSURL, askedNamed) != "" {
				t.Fatalf("no: %d %s", no.Status, no.Raw)
			}
		}
		again := s.Browser(t)
		again.SetCookie(s.FOSURL, askedNamed, secret)
		wantInvalid(t, confirms(again, id), "expired", id)
		want := []string{"handoff.pending success", "handoff.declined success"}
		if diff := cmp.Diff(want, eventsOf(t, s, id)); diff != "" {
			t.Errorf("on record (-want +got):\n%s", diff)
		}

		// "No" in an old tab is none to what another tab was asked since.
		newer := asked(t, ada.Arrive(ada.MintToken()), "ada@example.org", "")
		if no := declines(ada, id); no.Status != http.StatusNoContent || len(no.Cookies) != 0 {
			t.Errorf("no to another question: %d %v", no.Status, no.Cookies)
		}
		arrived(t, confirms(ada, newer))
	})
}

// Where such journeys are refused their tokens are not used up: the link still opens
// where it belongs.
func TestRefuse_leavesTheTokenAsGoodAsItWas(t *testing.T) {
	t.Parallel()
	asking(t, "refuse", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		starts(t, s, ada)
		minted := ada.Mint(nil)
		for _, b := range []*testkit.Browser{s.Browser(t), ada} { // without and with a journey of its own
			wantInvalid(t, b.Arrive(minted.Text("token"), key(firstKey)), "unbound", minted.Text("handoff_id"))
			wantIn(t, b, "")
		}
		if good := ada.Exchange(minted.Text("token")); good.Status != http.StatusOK {
			t.Errorf("the token: %d %s", good.Status, good.Raw)
		}
		bound := ada.Mint(map[string]any{"challenge": starts(t, s, ada)})
		arrived(t, ada.Arrive(bound.Text("token"), key(secondKey)))
	})
}

// Over HTTPS neither cookie can be planted from a sibling subdomain.
func TestConfirm_overHTTPSTheCookieIsTheHostsOwn(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	secure := s.Process(t, fosOnly(s.DAOURL, map[string]string{"COOKIE_SECURE": "true", "HANDOFF_UNBOUND": "confirm"}))
	answer := arriveAt(s.Browser(t), secure.FOSURL, s.SignIn(t, s.Member(t, "ada@example.org")).MintToken())
	cookie := answer.Cookie("__Host-" + askedNamed)
	if answer.Status != http.StatusAccepted || cookie == nil || !cookie.Secure || cookie.Path != "/" || cookie.Domain != "" || !cookie.HttpOnly {
		t.Errorf("%d %v", answer.Status, cookie)
	}
	if slices.ContainsFunc(answer.Cookies, func(c *http.Cookie) bool { return strings.Contains(c.Name, "_token") }) {
		t.Errorf("cookies %v", answer.Cookies)
	}
}
