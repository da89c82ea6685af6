//go:build faults

package failover_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The same story on every kind of Redis: hand-offs, repeats, replays, and a token that
// is shown for the wrong target, across two replicas.
func TestFaults_I1_I7_I8_EveryKindOfRedisCarriesHandoffs(t *testing.T) {
	t.Parallel()
	for name, redisURL := range map[string]func(testing.TB) string{
		"single":   func(t testing.TB) string { return faulttest.NewRedis(t).URL() },
		"sentinel": func(t testing.TB) string { return faulttest.NewRedisSet(t, 3).URL() },
		"cluster":  func(t testing.TB) string { return faulttest.NewRedisCluster(t).URL() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, redisURL(t))
			s.MayHear("exchange token_used", "exchange token_wrong_target")
			s.awaitReady(t)
			handoffs := faulttest.Scale(20, 500)
			for i := range handoffs {
				s.story(t, i)
			}
			s.audit(t)
			if n := testkit.Count(t, s.stores.FOS, `SELECT count(*) FROM sessions`); n != handoffs {
				t.Errorf("%d sessions for %d hand-offs", n, handoffs)
			}
			faulttest.Report(t, "%v", s.Summary())
		})
	}
}

// story is one hand-off and what else can be done with its token, and a second token
// that goes astray.
func (s *service) story(t *testing.T, i int) {
	t.Helper()
	here, there := s.replicas[i%2], s.replicas[(i+1)%2]
	who, key := s.next()
	minted := s.Mint(t.Context(), here.DAOURL, who)
	first := s.Arrive(t.Context(), there.FOSURL, minted.Token, key)
	again := s.Arrive(t.Context(), here.FOSURL, minted.Token, key)
	if !minted.OK() || !first.OK() || !again.OK() || first.Session == uuid.Nil || again.Session != first.Session {
		t.Errorf("minted: %v, arrived: %v, again: %v\n%s\n%s", minted, first, again, here.Log(), there.Log())
	}
	if replay := s.Exchange(t.Context(), here.DAOURL, minted.Token, ""); replay.Code != "token_used" {
		t.Errorf("replayed: %v", replay)
	}
	astray := s.Mint(t.Context(), here.DAOURL, who)
	if burnt := s.ExchangeFor(t.Context(), there.DAOURL, astray.Token, testkit.OtherTarget); burnt.Code != "token_wrong_target" {
		t.Errorf("for the wrong target: %v", burnt)
	}
	if late := s.Exchange(t.Context(), here.DAOURL, astray.Token, ""); late.Code != "token_used" {
		t.Errorf("after it was burnt: %v", late)
	}
}
