package daoapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const previousToken = "0d0c0b0a090807060504030201000f0e1d1c1b1a191817161514131211101f1e"

// I12: the bearer is compared whole, and an empty one never matches. 401 on the
// exchange always means the bearer.
func TestI12_onlyTheWholeServiceTokenPasses(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token, peer := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), s.Browser(t)
	secret := testkit.ServiceToken
	before := stored(t, s)
	for name, headers := range map[string][]testkit.Header{
		"none":                          nil,
		"another":                       {header("Authorization", "Bearer "+previousToken)},
		"a prefix":                      {header("Authorization", "Bearer "+secret[:63])},
		"one character":                 {header("Authorization", "Bearer "+secret[:1])},
		"longer":                        {header("Authorization", "Bearer "+secret+"0")},
		"another case":                  {header("Authorization", "Bearer "+strings.ToUpper(secret))},
		"the last character changed":    {header("Authorization", "Bearer "+secret[:63]+"f")},
		"empty":                         {header("Authorization", "Bearer ")},
		"the scheme alone":              {header("Authorization", "Bearer")},
		"no scheme":                     {header("Authorization", secret)},
		"another scheme":                {header("Authorization", "Basic "+secret)},
		"two spaces":                    {header("Authorization", "Bearer  "+secret)},
		"a tab":                         {header("Authorization", "Bearer\t"+secret)},
		"quoted":                        {header("Authorization", `Bearer "`+secret+`"`)},
		"two in one":                    {header("Authorization", "Bearer "+secret+", Bearer "+secret)},
		"two headers, a good one first": {bearer, header("Authorization", "Bearer x")},
		"two headers, both good":        {bearer, bearer},
		"in another header":             {header("X-Service-Token", secret), header("Proxy-Authorization", "Bearer "+secret)},
		"as a cookie":                   {header("Cookie", "Authorization=Bearer "+secret)},
	} {
		answer := peer.Post(s.DAOURL+exchangePath, map[string]any{"token": token}, headers...)
		if answer.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, answer.Status)
		}
		wantProblem(t, answer, http.StatusUnauthorized, "invalid_service_token", "exchange")
	}
	answer := peer.Post(s.DAOURL+exchangePath+"?access_token="+secret, map[string]any{"token": token})
	wantProblem(t, answer, http.StatusUnauthorized, "invalid_service_token", "exchange")
	if stored(t, s) != before {
		t.Error("a store was touched")
	}
	// RFC 9110, 11.1: a scheme's case does not matter.
	wantOK(t, peer.Post(s.DAOURL+exchangePath, map[string]any{"token": token}, header("Authorization", "bEARER "+secret)))
}

// A rotation: both are accepted, and the row says under which one it was redeemed.
func TestI12_thePreviousServiceTokenPassesToo(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": previousToken}})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	for _, secret := range []string{testkit.ServiceToken, previousToken} {
		wantOK(t, peer.Post(s.DAOURL+exchangePath, map[string]any{"token": ada.MintToken()}, header("Authorization", "Bearer "+secret)))
		n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_by = $1`, privacy.NewSecret(secret).KeyID())
		if n != 1 {
			t.Errorf("%d rows were redeemed under it", n)
		}
	}
	answer := peer.Post(s.DAOURL+exchangePath, map[string]any{"token": ada.MintToken()}, header("Authorization", "Bearer "+testkit.ServiceToken+previousToken))
	wantProblem(t, answer, http.StatusUnauthorized, "invalid_service_token", "exchange")
}

// The details are for operators who hold the service token, and name keys by id.
func TestHealthDetailed_isForTheServiceTokenAlone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	wantProblem(t, ada.Get(s.DAOURL+"/health/detailed"), http.StatusUnauthorized, "invalid_service_token", "")
	answer := wantOK(t, s.Browser(t).Get(s.DAOURL+"/health/detailed", bearer))
	wantMembers(t, answer, "version:string", "uptime_seconds:integer", "dependencies:map[string]interface {}",
		"pool:map[string]interface {}", "migration:map[string]interface {}", "key_ids:map[string]interface {}",
		"service_token_first_used:map[string]interface {}", "service_token_last_used:map[string]interface {}")
	for _, secret := range []string{testkit.ServiceToken, testkit.SealingKey, testkit.PseudonymKey, testkit.JWTKey, "127.0.0.1", "postgres://"} {
		if strings.Contains(answer.Raw, secret) {
			t.Errorf("the answer tells %s", secret)
		}
	}
	if !strings.Contains(answer.Raw, testkit.Key(t, testkit.SealingKey).KeyID()) {
		t.Errorf("no id of the sealing key: %s", answer.Raw)
	}
}
