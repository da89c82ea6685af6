package daoapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var wrongBearer = header("Authorization", "Bearer "+strings.Repeat("0", 64))

// Who shows wrong bearers again and again is told to wait, and not whether the last
// one was right; the good one from the same address is never limited.
func TestExchange_wrongBearersHaveABudget(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"EXCHANGE_FAILURES": 3})})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	here, there := from("203.0.113.7"), from("203.0.113.8")
	wrong := func(path string, headers ...testkit.Header) testkit.Answer {
		return peer.Post(s.DAOURL+path, map[string]any{"token": ada.CSRF}, headers...)
	}
	wantProblem(t, wrong(exchangePath, wrongBearer, here), http.StatusUnauthorized, "invalid_service_token", "exchange")
	wantProblem(t, wrong("/api/auth/exchange-token", here), http.StatusUnauthorized, "invalid_service_token", "exchange")
	wantProblem(t, peer.Get(s.DAOURL+"/health/detailed", wrongBearer, here), http.StatusUnauthorized, "invalid_service_token", "")
	before := stored(t, s)
	wantLimited(t, wrong(exchangePath, wrongBearer, here), "exchange-failures", 3, "exchange")
	wantLimited(t, wrong("/api/auth/exchange-token", here), "exchange-failures", 3, "exchange")
	wantLimited(t, peer.Get(s.DAOURL+"/health/detailed", wrongBearer, here), "exchange-failures", 3, "")
	if stored(t, s) != before {
		t.Error("a store was touched")
	}
	wantOK(t, present(peer, s.DAOURL, ada.MintToken(), nil, here))
	wantOK(t, peer.Get(s.DAOURL+"/health/detailed", bearer, here))
	wantLimited(t, wrong(exchangePath, wrongBearer, here), "exchange-failures", 3, "exchange") // the good one forgives nothing
	wantProblem(t, wrong(exchangePath, wrongBearer, there), http.StatusUnauthorized, "invalid_service_token", "exchange")
}

// Under a good bearer nothing is counted: what comes of the tokens is the doing of
// anonymous browsers, and limiting it here would let one of them stop everybody's
// hand-offs.
func TestExchange_whatComesOfTokensIsNotLimited(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"EXCHANGE_FAILURES": 1})})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	used := ada.MintToken()
	wantOK(t, present(peer, s.DAOURL, used, nil))
	mints := len(counters(t, s))
	for range 3 {
		wantProblem(t, present(peer, s.DAOURL, "x", nil), http.StatusBadRequest, "token_malformed", "exchange")
		wantProblem(t, present(peer, s.DAOURL, strings.Repeat("0e", 32), nil), http.StatusBadRequest, "token_unknown", "exchange")
		wantProblem(t, present(peer, s.DAOURL, used, nil), http.StatusBadRequest, "token_used", "exchange")
		wantProblem(t, present(peer, s.DAOURL, ada.MintToken(), map[string]any{"target_domain": "evil.test"}), http.StatusBadRequest, "token_wrong_target", "exchange")
	}
	if keys := counters(t, s); len(keys) != mints {
		t.Errorf("counters %v", keys)
	}
	wantOK(t, present(peer, s.DAOURL, ada.MintToken(), nil))
}

// I3 comes first: where no service token is configured there is nothing to guess,
// and no counter is touched.
func TestI3_aDisabledExchangeCountsNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"EXCHANGE_FAILURES": 1})}).
		Linked(t, map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""})
	peer := s.Browser(t)
	ask := func() {
		for _, h := range []testkit.Header{wrongBearer, bearer, header("Authorization", "")} {
			wantProblem(t, peer.Post(s.DAOURL+exchangePath, map[string]any{"token": "x"}, h), http.StatusServiceUnavailable, "exchange_disabled", "exchange")
		}
	}
	ask()
	if keys := counters(t, s.Service); len(keys) != 0 {
		t.Errorf("counters %v", keys)
	}
	s.RedisLink.Freeze() // were it asked, this would take its time
	ask()
}
