package daoapi_test

import (
	"net/http"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Two tabs share the cookie and hold each a value of their own in the page. The
// second tab's question must not make the first one's value worthless.
func TestASecondTabLeavesTheFirstOnesCSRFValueGood(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	first := ada.CSRF
	ada.FetchCSRF() // the second tab
	if answer := ada.Mint(nil, testkit.Header{Name: "X-CSRF-Token"}, testkit.Header{Name: "X-CSRF-Token", Value: first}); answer.Status != http.StatusOK {
		t.Errorf("the first tab's mint is %d %s", answer.Status, answer.Code())
	}
}

// A value that was planted, or made for an earlier session, is replaced.
func TestACSRFValueOfAnotherSessionIsReplaced(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	mallory := s.SignIn(t, s.Member(t, "mallory@example.org"))
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	ada.SetCookie(s.DAOURL, "csrf_token", mallory.CSRF)
	ada.FetchCSRF()
	if ada.CSRF == mallory.CSRF {
		t.Fatal("a value of somebody else's session is handed out")
	}
	if answer := ada.Mint(nil); answer.Status != http.StatusOK {
		t.Errorf("mint with the new value is %d %s", answer.Status, answer.Code())
	}
}

// A browser sends two cookies of one name when a neighbour has planted one, or an
// older configuration left one of another Domain, in whatever order. The person's own
// is seen all the same, and the page goes on with it.
func TestASecondCSRFCookieHidesNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	mallory := s.SignIn(t, s.Member(t, "mallory@example.org"))
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	session, own := "dao_session="+ada.Cookie(s.DAOURL, "dao_session"), "csrf_token="+ada.CSRF
	for _, planted := range []string{"csrf_token=", "csrf_token=x", "csrf_token=" + mallory.CSRF} {
		for _, cookies := range []string{session + "; " + planted + "; " + own, own + "; " + planted + "; " + session} {
			sent, b := header("Cookie", cookies), s.Browser(t)
			answer := b.Post(s.DAOURL+mintPath, map[string]any{"entry_product": "dao"}, sent, header("X-CSRF-Token", ada.CSRF))
			if answer.Status != http.StatusOK {
				t.Errorf("%.14s...: mint is %d %s", planted, answer.Status, answer.Code())
			}
			if answer := wantOK(t, b.Get(s.DAOURL+csrfPath, sent)); answer.Text("csrf_token") != ada.CSRF {
				t.Errorf("%.14s...: the page is given another value", planted)
			}
			// The planted one opens nothing, beside whichever it stands.
			for _, value := range []string{"", "x", mallory.CSRF} {
				answer := s.Browser(t).Post(s.DAOURL+logoutPath, nil, sent, header("X-CSRF-Token", value))
				wantProblem(t, answer, http.StatusForbidden, "csrf_failed", "")
			}
		}
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 2 {
		t.Errorf("%d live sessions", n)
	}
}

// During a rotation of the keys a page is given a value under the key of now, before
// some replica has dropped the one before; what the other tabs hold is good until then.
func TestACSRFValueUnderTheKeyBeforeIsReplaced(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	next := s.Process(t, map[string]string{"HANDOFF_SEALING_KEYS": testkit.PseudonymKey[:62] + "00," + testkit.SealingKey})
	other := wantOK(t, carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), ada.CSRF).Get(next.DAOURL+csrfPath)).Text("csrf_token")
	if other == ada.CSRF || other == "" {
		t.Fatalf("the page is given %q", other)
	}
	for name, value := range map[string]string{"before": ada.CSRF, "now": other} {
		b := carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), value)
		answer := b.Post(next.DAOURL+mintPath, map[string]any{"entry_product": "dao"}, header("X-CSRF-Token", value))
		if answer.Status != http.StatusOK {
			t.Errorf("the value of %s: %d %s", name, answer.Status, answer.Code())
		}
		if again := wantOK(t, b.Get(next.DAOURL+csrfPath)).Text("csrf_token"); (again == value) != (name == "now") {
			t.Errorf("the value of %s is replaced: %v", name, again != value)
		}
	}
}
