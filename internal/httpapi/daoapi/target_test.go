package daoapi_test

import (
	"net/http"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I7: a token shown for another site than it was made for is in the wrong hands,
// or on its way there. It is burnt, reported, and gone from Redis; the right
// target comes too late.
func TestI7_aWrongTargetBurnsTheToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	minted, peer := wantOK(t, s.SignIn(t, s.Member(t, "ada@example.org")).Mint(nil)), s.Browser(t)
	token := minted.Text("token")
	elsewhere := map[string]any{"target_domain": testkit.OtherTarget}
	answer := present(peer, s.DAOURL, token, elsewhere, key(firstKey))
	wantProblem(t, answer, http.StatusBadRequest, "token_wrong_target", "exchange")
	if answer.Text("handoff_id") != minted.Text("handoff_id") {
		t.Errorf("hand-off %q", answer.Text("handoff_id"))
	}
	settle(t, s, func(keys []string) bool { return len(keys) == 0 })
	for name, fields := range map[string]map[string]any{"the right target": nil, "the wrong one again": elsewhere} {
		for _, k := range []string{firstKey, secondKey} {
			want := "token_used"
			if fields != nil && k == firstKey {
				want = "token_wrong_target" // I8: the same question under the same key, the same answer
			}
			answer := present(peer, s.DAOURL, token, fields, key(k))
			if answer.Status != http.StatusBadRequest || answer.Code() != want {
				t.Errorf("%s under %s: %d %s", name, k, answer.Status, answer.Code())
			}
		}
	}
	replayed := "handoff.replayed failure token_used"
	wantEvents(t, s, "handoff.minted success", "handoff.refused failure token_wrong_target", replayed, replayed, replayed)
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_as = 'wrong_target' AND redeemed_by IS NOT NULL`); n != 1 {
		t.Errorf("%d rows say that it was burnt", n)
	}
}

// I7: also while Redis still holds the claims, and when the burning caller names a
// domain that no token is ever made for.
func TestI7_burntIsBurntWhateverRedisHolds(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token, peer := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), s.Browser(t)
	name := claimsKey(t, s)
	sealed := s.Redis.Get(t.Context(), name).Val()
	wantProblem(t, present(peer, s.DAOURL, token, map[string]any{"target_domain": "evil.test"}), http.StatusBadRequest, "token_wrong_target", "exchange")
	settle(t, s, func(keys []string) bool { return len(keys) == 0 })
	s.Redis.Set(t.Context(), name, sealed, 0)
	wantProblem(t, present(peer, s.DAOURL, token, nil), http.StatusBadRequest, "token_used", "exchange")
}

// I7: a service token may be restricted to targets; under it a token for another
// one is shown for the wrong target, whether the caller names a target or not.
func TestI7_aRestrictedServiceTokenBurnsWhatIsNotForIt(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN_TARGETS": testkit.Target}})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	for _, named := range []any{testkit.OtherTarget, nil} {
		token := ada.Mint(map[string]any{"target_domain": testkit.OtherTarget}).Text("token")
		answer := present(peer, s.DAOURL, token, map[string]any{"target_domain": named})
		wantProblem(t, answer, http.StatusBadRequest, "token_wrong_target", "exchange")
		wantProblem(t, present(peer, s.DAOURL, token, map[string]any{"target_domain": named}), http.StatusBadRequest, "token_used", "exchange")
	}
	wantOK(t, present(peer, s.DAOURL, ada.MintToken(), nil))
	wantOK(t, present(peer, s.DAOURL, ada.MintToken(), map[string]any{"target_domain": nil}))
}

// Without a restriction and without a named target there is none to be wrong.
func TestExchange_whoNamesNoTargetTakesAny(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.Mint(map[string]any{"target_domain": testkit.OtherTarget}).Text("token")
	answer := wantOK(t, present(s.Browser(t), s.DAOURL, token, map[string]any{"target_domain": nil}))
	if answer.Text("target_domain") != testkit.OtherTarget {
		t.Errorf("for %s", answer.Text("target_domain"))
	}
}

// I7: also when Redis has lost the claims: the ledger knows what the token was for, and
// a primary that comes back may yet bring it back.
func TestI7_aWrongTargetBurnsWhatRedisHasLost(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token, peer := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), s.Browser(t)
	name := claimsKey(t, s)
	sealed := s.Redis.Get(t.Context(), name).Val()
	s.Redis.Del(t.Context(), name)
	wantProblem(t, present(peer, s.DAOURL, token, map[string]any{"target_domain": testkit.OtherTarget}), http.StatusBadRequest, "token_wrong_target", "exchange")
	s.Redis.Set(t.Context(), name, sealed, 0)
	wantProblem(t, present(peer, s.DAOURL, token, nil), http.StatusBadRequest, "token_used", "exchange")
	wantEvents(t, s, "handoff.minted success", "handoff.refused failure token_wrong_target", "handoff.replayed failure token_used")
}
