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
