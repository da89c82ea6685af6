package daoapi_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I1: two hundred callers present one token at once, through two replicas, and
// one of them is given the member.
func TestI1_ofTwoHundredExchangesAtOnceOneSucceeds(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	replica, _ := s.Replica(t)

	const callers = 200
	var wg sync.WaitGroup
	answers := make([]testkit.Answer, callers)
	peer := s.Browser(t)
	for i := range callers {
		url := []string{s.DAOURL, replica}[i%2] + "/api/staging_token/exchange"
		wg.Go(func() {
			answers[i] = peer.Post(url, map[string]any{"token": token, "target_domain": testkit.Target},
				testkit.Header{Name: "Authorization", Value: "Bearer " + testkit.ServiceToken})
		})
	}
	wg.Wait()

	outcomes := map[string]int{}
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			outcomes["ok"]++
			continue
		}
		outcomes[answer.Code()]++
	}
	if outcomes["ok"] != 1 || outcomes["token_used"] != callers-1 {
		t.Errorf("outcomes %v, want one ok and token_used for all others", outcomes)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged'`); n != 1 {
		t.Errorf("%d rows record an exchange", n)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed'`); n != callers-1 {
		t.Errorf("%d rows record a replay, want one for each", n)
	}
}
