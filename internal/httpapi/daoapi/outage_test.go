package daoapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// until repeats a request while a pool still finds connections that the outage
// left dead in it.
func until(t testing.TB, ask func() testkit.Answer) testkit.Answer {
	t.Helper()
	for range 20 { // a pool has 16
		if answer := ask(); answer.Code() != "dependency_unavailable" {
			return answer
		}
	}
	t.Fatal("the service did not come back")
	return testkit.Answer{}
}

// I1: with a store away, stopped or hanging, the exchange is a 503 before its caller
// gives up after two seconds: else Postgres might wake in between and redeem for nobody.
// The token is as good as before.
func TestI1_anOutageBurnsNoToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begin func(*testkit.Linked)
		end   func(*testkit.Linked)
	}{
		"redis is down":    {func(s *testkit.Linked) { s.RedisLink.Cut() }, func(s *testkit.Linked) { s.RedisLink.Mend() }},
		"redis hangs":      {func(s *testkit.Linked) { s.RedisLink.Freeze() }, func(s *testkit.Linked) { s.RedisLink.Mend() }},
		"postgres is down": {func(s *testkit.Linked) { s.DAOPostgres.Cut() }, func(s *testkit.Linked) { s.DAOPostgres.Mend() }},
		"postgres hangs":   {func(s *testkit.Linked) { s.DAOPostgres.Freeze() }, func(s *testkit.Linked) { s.DAOPostgres.Mend() }},
		"both are down":    {func(s *testkit.Linked) { s.RedisLink.Cut(); s.DAOPostgres.Cut() }, func(s *testkit.Linked) { s.RedisLink.Mend(); s.DAOPostgres.Mend() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
			token, peer := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), s.Browser(t)
			before := stored(t, s.Service)
			c.begin(s)
			for _, fields := range []map[string]any{nil, {"target_domain": testkit.OtherTarget}} {
				begun := time.Now()
				wantProblem(t, present(peer, s.DAOURL, token, fields, key(firstKey)), http.StatusServiceUnavailable, "dependency_unavailable", "exchange")
				if took := time.Since(begun); took > handoff.ExchangeWithin { // by 0.7 s less, on a machine that does nothing else
					t.Errorf("a caller would have gone: it took %v", took)
				}
			}
			if health := peer.Get(s.DAOURL + "/health"); health.Status != http.StatusServiceUnavailable {
				t.Errorf("readiness says %d", health.Status)
			}
			if live := peer.Get(s.DAOURL + "/health/live"); live.Status != http.StatusOK {
				t.Errorf("liveness says %d", live.Status)
			}
			c.end(s)
			if stored(t, s.Service) != before {
				t.Error("something was written")
			}
			wantOK(t, until(t, func() testkit.Answer { return present(peer, s.DAOURL, token, nil, key(firstKey)) }))
			wantOK(t, until(t, func() testkit.Answer { return readiness(peer, s) }))
		})
	}
}

// readiness is /health, told as the requests around it are.
func readiness(b *testkit.Browser, s *testkit.Linked) testkit.Answer {
	answer := b.Get(s.DAOURL + "/health")
	if answer.Status == http.StatusServiceUnavailable {
		answer.Body = map[string]any{"code": "dependency_unavailable"}
	}
	return answer
}

// Redis is away at the mint: no token leaves, and what the ledger has is a row for
// a token that nobody holds. That side is the safe one.
func TestMint_withoutRedisGivesNoToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.RedisLink.Cut()
	answer := ada.Mint(nil)
	wantProblem(t, answer, http.StatusServiceUnavailable, "dependency_unavailable", "mint")
	if answer.Text("token") != "" || answer.Text("redirect_url") != "" {
		t.Error("a token left")
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_at IS NULL AND handoff_id::text = $1`, answer.Text("handoff_id")); n != 1 {
		t.Errorf("%d rows under the answer's hand-off id %q", n, answer.Text("handoff_id"))
	}
	s.RedisLink.Mend()
	wantOK(t, until(t, func() testkit.Answer { return ada.Mint(nil) }))
}

// Redis is there and refuses to write: the same.
func TestMint_whenRedisRefusesGivesNoToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	role := "reader_of_" + s.DAO.Config().ConnConfig.Database
	if err := s.Redis.Do(t.Context(), "ACL", "SETUSER", role, "on", ">of-the-test", "~*", "+@read", "+@connection", "+expire").Err(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Redis.Do(t.Context(), "ACL", "DELUSER", role) })
	poor := s.Process(t, map[string]string{"HANDOFF_HALVES": "dao", "REDIS_URL": asRole(t, s.Environ["REDIS_URL"], role)})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	answer := ada.Post(poor.DAOURL+mintPath, map[string]any{"entry_product": "dao"}, header("X-CSRF-Token", ada.CSRF))
	wantProblem(t, answer, http.StatusServiceUnavailable, "dependency_unavailable", "mint")
	if keys := keysIn(t, s); len(keys) != 0 {
		t.Errorf("redis holds %v", keys)
	}
	// Reading is all that an exchange needs of it; what comes after is best effort.
	wantOK(t, present(peer, poor.DAOURL, ada.MintToken(), nil))
}

// Postgres is away at the mint: nothing is in Redis for a session that nobody
// could check.
func TestMint_withoutPostgresCarriesNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{}).Linked(t, nil)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.DAOPostgres.Cut()
	wantProblem(t, ada.Mint(nil), http.StatusServiceUnavailable, "dependency_unavailable", "mint")
	if keys := keysIn(t, s.Service); len(keys) != 0 {
		t.Errorf("redis holds %v", keys)
	}
	wantEvents(t, s.Service)
}

// Who writes Redis forges no identity: another token's claims under this digest,
// nonsense, and nothing at all are one answer; the record tells them apart, and
// the token is good again once its own claims are back.
func TestI1_whatSomebodyWroteIntoRedisOpensNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	eve, ada, peer := s.SignIn(t, s.Member(t, "eve@example.org")), s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	ada.MintToken()
	adasClaims := s.Redis.Get(t.Context(), claimsKey(t, s)).Val()
	s.Redis.FlushDB(t.Context())
	token := eve.MintToken()
	name := claimsKey(t, s)
	own := s.Redis.Get(t.Context(), name).Val()
	for _, forged := range []string{adasClaims, "{}", own[:len(own)-1], own + "x"} {
		s.Redis.Set(t.Context(), name, forged, time.Minute)
		wantProblem(t, present(peer, s.DAOURL, token, nil), http.StatusBadRequest, "token_unknown", "exchange")
		events := testkit.Events(t, s.DAO)
		if last := events[len(events)-1]; last != "handoff.refused failure seal_broken" {
			t.Errorf("recorded %s", last)
		}
	}
	s.Redis.Del(t.Context(), name)
	wantProblem(t, present(peer, s.DAOURL, token, nil), http.StatusBadRequest, "token_unknown", "exchange")
	s.Redis.Set(t.Context(), name, own, time.Minute)
	if answer := wantOK(t, present(peer, s.DAOURL, token, nil)); answer.Text("email") != "eve@example.org" {
		t.Errorf("it is %s's", answer.Text("email"))
	}
}
