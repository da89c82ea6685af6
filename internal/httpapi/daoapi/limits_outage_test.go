package daoapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Redis away costs a login an honest 503, and in good time: who could make Redis
// slow could else try passwords without limit. A session needs no Redis. A wrong
// bearer is told what it is told always.
func TestLimits_withoutRedis(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*testkit.Linked){
		"down":  func(s *testkit.Linked) { s.RedisLink.Cut() },
		"hangs": func(s *testkit.Linked) { s.RedisLink.Freeze() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{}).Linked(t, limited(map[string]int{"EXCHANGE_FAILURES": 1, "LOGIN": 1}))
			ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
			trouble(s)
			within := func(limit time.Duration, ask func() testkit.Answer) testkit.Answer {
				t.Helper()
				begun := time.Now()
				answer := ask()
				if took := time.Since(begun); took > limit {
					t.Errorf("it took %v", took)
				}
				return answer
			}
			// A quarter of a second is the limiter's; the rest is for a busy machine.
			wrong := func() testkit.Answer {
				return peer.Post(s.DAOURL+exchangePath, map[string]any{"token": "x"}, header("Authorization", "Bearer wrong"))
			}
			for range 2 {
				wantProblem(t, within(2*time.Second, func() testkit.Answer { return guess(peer, s.Service, "ada@example.org") }),
					http.StatusServiceUnavailable, "dependency_unavailable", "")
				wantProblem(t, within(2*time.Second, wrong), http.StatusUnauthorized, "invalid_service_token", "exchange")
			}
			wantProblem(t, within(5*time.Second, func() testkit.Answer { return ada.Mint(nil) }),
				http.StatusServiceUnavailable, "dependency_unavailable", "mint")
			wantSignedIn(t, s.Service, ada, true)
			wantOK(t, refresh(ada, s.DAOURL))
			wantEvents(t, s.Service, "handoff.minted success", "session.refreshed success rotated") // no login was tried
			s.RedisLink.Mend()
			wantProblem(t, until(t, func() testkit.Answer { return guess(peer, s.Service, "eve@example.org") }),
				http.StatusUnauthorized, "invalid_credentials", "")
			wantLimited(t, until(t, func() testkit.Answer { return guess(peer, s.Service, "eve@example.org") }), "login-failed", 1, "")
		})
	}
}
