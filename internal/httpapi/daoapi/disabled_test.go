package daoapi_test

import (
	"net/http"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I3: without a service token the exchange answers 503 before anything else, to
// everybody, and touches nothing: no row, no key, no store. There is no bypass
// for development, which is where this runs.
func TestI3_withoutAServiceTokenNothingIsExchanged(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken() // minting is the other half of the way, and still goes
	before := stored(t, s.Service)
	try := func() {
		t.Helper()
		for _, path := range []string{exchangePath, "/api/auth/exchange-token"} {
			for _, headers := range [][]testkit.Header{
				nil, {bearer}, {header("Authorization", "Bearer ")}, {header("Authorization", "Bearer")}, {header("Authorization", "Bearer null")},
				{header("Authorization", "Basic Og==")}, {header("Origin", "https://evil.test")},
			} {
				for _, body := range []any{map[string]any{"token": token}, "", "{", nil} {
					wantProblem(t, ada.Post(s.DAOURL+path, body, headers...), http.StatusServiceUnavailable, "exchange_disabled", "exchange")
				}
			}
		}
	}
	try()
	s.DAOPostgres.Cut() // were a store asked, the answer would now be another
	s.RedisLink.Cut()
	try()
	if stored(t, s.Service) != before {
		t.Error("a store was touched")
	}
	// Nothing was lost: with a token configured the same hand-off goes on.
	enabled := s.Process(t, map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken})
	s.DAOPostgres.Mend()
	s.RedisLink.Mend()
	wantOK(t, present(s.Browser(t), enabled.DAOURL, token, nil))
}

// The detailed health is for whoever holds the service token; without one there is
// nobody.
func TestI3_withoutAServiceTokenNobodySeesTheDetails(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""}})
	for _, h := range []testkit.Header{bearer, header("Authorization", "Bearer "), header("Authorization", "")} {
		if answer := s.Browser(t).Get(s.DAOURL+"/health/detailed", h); answer.Status < 400 {
			t.Errorf("%q: %d", h.Value, answer.Status)
		}
	}
}
