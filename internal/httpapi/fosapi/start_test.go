package fosapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

const (
	startPath  = "/api/v1/auth/cross-domain/start"
	nonceNamed = "handoff_nonce"
)

// starts lets a browser begin a journey, and returns the challenge that the front end of
// the other half is told.
func starts(t testing.TB, s *testkit.Service, b *testkit.Browser) (challenge string) {
	t.Helper()
	away := b.Get(s.FOSURL + startPath + "?entry_product=think-tank")
	if away.Status != http.StatusSeeOther {
		t.Fatalf("start: %d %s", away.Status, away.Raw)
	}
	location, err := url.Parse(away.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return location.Query().Get("challenge")
}

// A journey that begins at the FOS half: the browser keeps the verifier, and the DAO half's front
// end is told everything that it has to pass on to mint.
func TestStart_sendsTheBrowserOnWithAChallenge(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.Browser(t)
	away := b.Get(s.FOSURL + startPath + "?entry_product=think-tank&return_path=" + url.QueryEscape("/work?tab=2"))
	nonce := away.Cookie(nonceNamed)
	if away.Status != http.StatusSeeOther || nonce == nil {
		t.Fatalf("%d %s", away.Status, away.Raw)
	}
	verifier := token.ParseVerifier(nonce.Value)
	want := "https://think-tank.test/open?" + url.Values{
		"from": {"fos"}, "entry_product": {"think-tank"}, "target_domain": {testkit.Target},
		"challenge": {verifier.Challenge()}, "return_path": {"/work?tab=2"},
	}.Encode()
	if got := away.Header.Get("Location"); got != want || verifier.IsNone() {
		t.Errorf("sent to %s, want %s", got, want)
	}
	if !nonce.Expires.Equal(s.Clock.Now().Add(10*time.Minute)) || !nonce.HttpOnly || nonce.SameSite != http.SameSiteLaxMode || nonce.Path != "/" || nonce.Domain != "" {
		t.Errorf("cookie %v", nonce)
	}
	if strings.Contains(away.Header.Get("Location"), nonce.Value) {
		t.Error("the verifier leaves the browser")
	}
	if away.Header.Get("Cache-Control") != "no-store" || away.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", away.Header)
	}

	// A second tab begins a journey of its own, and does not spoil the first one's.
	s.Clock.Advance(time.Minute)
	again := b.Get(s.FOSURL + startPath + "?entry_product=think-tank").Cookie(nonceNamed)
	if again == nil || again.Value != nonce.Value || !again.Expires.After(nonce.Expires) {
		t.Errorf("a second start gives %v, after %v", again, nonce)
	}
	if other := s.Browser(t).Get(s.FOSURL + startPath + "?entry_product=think-tank").Cookie(nonceNamed); other == nil || other.Value == nonce.Value {
		t.Errorf("another browser gets %v", other)
	}
	b.SetCookie(s.FOSURL, nonceNamed, "planted")
	if fresh := b.Get(s.FOSURL + startPath + "?entry_product=think-tank").Cookie(nonceNamed); fresh == nil || token.ParseVerifier(fresh.Value).IsNone() {
		t.Errorf("in place of nonsense: %v", fresh)
	}
}

func TestStart_whatItDoesNotTake(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for query, field := range map[string]string{
		"":                             "entry_product",
		"?entry_product=lighthouse":    "entry_product", // has no front end here
		"?entry_product=https://evil/": "entry_product",
		"?entry_product=think-tank&entry_product=x":            "entry_product",
		"?entry_product=think-tank&return_path=//evil.test":    "return_path",
		"?entry_product=think-tank&return_path=":               "return_path",
		"?entry_product=think-tank&return_path=/a&return_path": "return_path",
	} {
		answer := s.Browser(t).Get(s.FOSURL + startPath + query)
		wantProblem(t, answer, http.StatusBadRequest, "invalid_request")
		if !strings.Contains(answer.Raw, `"field":"`+field+`"`) || strings.Contains(answer.Raw, "evil") || answer.Cookie(nonceNamed) != nil {
			t.Errorf("%s: %s", query, answer.Raw)
		}
	}
	off := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""}})
	wantProblem(t, off.Browser(t).Get(off.FOSURL+startPath+"?entry_product=think-tank"), http.StatusServiceUnavailable, "exchange_disabled")
}

// Login CSRF: a token that was made for the journey of one browser opens nothing in
// another, costs its owner nothing, and what was tried is on record at both halves.
func TestABoundTokenIsOfNoUseToAnotherBrowser(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(map[string]any{"challenge": starts(t, s, ada)})
		victim, stranger := s.Browser(t), s.Browser(t)
		starts(t, s, stranger)
		for name, b := range map[string]*testkit.Browser{"with no journey": victim, "with a journey of its own": stranger} {
			wantInvalid(t, b.Arrive(minted.Text("token"), key(secondKey)), "unbound", minted.Text("handoff_id"))
			if me := b.Me(); me.Status != http.StatusUnauthorized {
				t.Errorf("%s: signed in, %s", name, me.Raw)
			}
		}
		for half, db := range map[string]int{
			"DAO": testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND reason = 'token_binding_failed'`),
			"FOS": testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND reason = 'token_binding_failed'`),
		} {
			if want := map[string]int{"DAO": 3, "FOS": 2}[half]; db != want { // the stranger's was tried both ways
				t.Errorf("%s half: %d refusals on record, want %d", half, db, want)
			}
		}
		arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
	})
}

// Two tabs of one browser begin a journey each, and both arrive.
func TestTwoTabsBothArrive(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		first := ada.Mint(map[string]any{"challenge": starts(t, s, ada)}).Text("token")
		second := ada.Mint(map[string]any{"challenge": starts(t, s, ada)}).Text("token")
		arrived(t, ada.Arrive(second, key(secondKey)))
		arrived(t, ada.Arrive(first, key(firstKey)))
	})
}

// I8: a link that begins elsewhere is opened in a browser that has a journey of its own.
// The person arrives, and a double click converges like everybody's.
func TestI8_anUnboundTokenArrivesBesideAJourneyOfOnesOwn(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		starts(t, s, ada)
		minted := ada.Mint(nil)
		once := arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
		twice := arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
		a, _ := once.Body["session"].(map[string]any)
		b, _ := twice.Body["session"].(map[string]any)
		if a["id"] == nil || a["id"] != b["id"] {
			t.Errorf("two sessions: %v and %v", a["id"], b["id"])
		}
		if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed'`); n != 0 {
			t.Errorf("a double click is called a replay %d times", n)
		}
	})
}

// Over HTTPS the verifier's cookie cannot be planted from a sibling subdomain.
func TestStart_overHTTPSTheCookieIsTheHostsOwn(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"COOKIE_SECURE": "true"}})
	nonce := s.Browser(t).Get(s.FOSURL + startPath + "?entry_product=think-tank").Cookie("__Host-" + nonceNamed)
	if nonce == nil || !nonce.Secure || nonce.Path != "/" || nonce.Domain != "" {
		t.Errorf("cookie %v", nonce)
	}
}
