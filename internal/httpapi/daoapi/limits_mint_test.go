package daoapi_test

import (
	"net/http"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A session mints so many tokens a minute, whatever its cookie and address; another
// session of the same member has its own budget. A refused mint touches no store.
func TestMint_aSessionHasABudget(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"MINT": 3})})
	who := s.Member(t, "ada@example.org")
	ada, other := s.SignIn(t, who), s.SignIn(t, who)
	alias := func(b *testkit.Browser, address string) testkit.Answer {
		return b.Post(s.DAOURL+"/api/auth/cross-domain-token", map[string]any{"entry_product": "dao"}, header("X-CSRF-Token", b.CSRF), from(address))
	}
	wantOK(t, ada.Mint(nil, from("203.0.113.1")))
	wantOK(t, refresh(ada, s.DAOURL)) // another cookie is no other session
	wantOK(t, ada.Mint(nil, from("203.0.113.2")))
	wantOK(t, alias(ada, "203.0.113.3"))
	before := stored(t, s)
	wantLimited(t, ada.Mint(nil, from("203.0.113.1")), "mint", 3, "mint")
	wantLimited(t, alias(ada, "203.0.113.4"), "mint", 3, "mint")
	if stored(t, s) != before {
		t.Error("a mint that was not let through changed something")
	}
	wantOK(t, other.Mint(nil, from("203.0.113.1")))
}

// Only what a store would have to judge is counted: not what is no request for a
// token, nor what no page of ours sent.
func TestMint_whatIsRefusedBeforeTheStoresIsNotCounted(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"MINT": 1})})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	csrf := header("X-CSRF-Token", ada.CSRF)
	for name, answer := range map[string]testkit.Answer{
		"no JSON":              ada.Post(s.DAOURL+mintPath, "{", csrf),
		"an unknown field":     ada.Mint(map[string]any{"user_id": "x"}),
		"an unknown product":   ada.Mint(map[string]any{"entry_product": "casino"}),
		"an unknown target":    ada.Mint(map[string]any{"target_domain": "evil.test"}),
		"an open redirect":     ada.Mint(map[string]any{"return_path": "//evil.test"}),
		"a plain challenge":    ada.Mint(map[string]any{"challenge": "x"}),
		"a guessed csrf value": ada.Post(s.DAOURL+mintPath, map[string]any{"entry_product": "dao"}, header("X-CSRF-Token", "x")),
		"another site":         ada.Mint(nil, header("Origin", "https://evil.test")),
	} {
		if answer.Status != http.StatusBadRequest && answer.Status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Code())
		}
	}
	if keys := counters(t, s); len(keys) != 0 {
		t.Errorf("counters %v", keys)
	}
	wantOK(t, ada.Mint(nil))
	wantLimited(t, ada.Mint(nil), "mint", 1, "mint")
}
