package daoapi_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Ten tabs of one browser, at two replicas, refresh at once: they share the cookies,
// and whoever is a little later sends what an earlier answer brought. Nobody is
// refused, and the session is one.
func TestRefresh_tenTabsAtOnceSignNobodyOut(t *testing.T) {
	t.Parallel()
	const rounds, tabs = 25, 10
	s := testkit.Start(t, testkit.Options{})
	replica, _ := s.Replica(t)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	csrf := header("X-CSRF-Token", ada.CSRF)
	refused := 0
	for range rounds {
		s.Clock.Advance(31 * time.Minute) // the laptop was asleep
		answers := make([]testkit.Answer, tabs)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { for range 1+i%3 { answers[i] = ada.Post([]string{s.DAOURL, replica}[i%2]+refreshPath, nil, csrf) } })
		}
		wg.Wait()
		for _, answer := range answers {
			if answer.Status != http.StatusOK {
				refused++
			}
		}
		if answer := ada.Get(s.DAOURL + sessionPath); answer.Body["authenticated"] != true {
			t.Fatalf("signed out: %s", answer.Raw)
		}
	}
	if refused != 0 {
		t.Errorf("%d of %d refreshes were refused", refused, rounds*tabs)
	}
}
