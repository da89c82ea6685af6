package daoapi_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I8: sixty callers repeat one exchange under one key, through three replicas: all
// of them get the same answer, and one exchange is recorded.
func TestI1_theSameKeyFromManyCallersIsOneExchange(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken()
	second, _ := s.Replica(t)
	third, _ := s.Replica(t)
	peer := s.Browser(t)
	answers := make([]testkit.Answer, 60)
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() { answers[i] = present(peer, []string{s.DAOURL, second, third}[i%3], token, nil, key(firstKey)) })
	}
	wg.Wait()
	for i, answer := range answers {
		if answer.Status != http.StatusOK || answer.Raw != answers[0].Raw {
			t.Errorf("caller %d: %d %s", i, answer.Status, answer.Raw)
		}
	}
	wantEvents(t, s, "handoff.minted success", "handoff.exchanged success")
}

// I1: of callers with keys of their own one wins, whoever of them repeats.
func TestI1_ofManyKeysOneWins(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken()
	second, _ := s.Replica(t)
	peer := s.Browser(t)
	answers := make([]testkit.Answer, 40)
	keys := []string{firstKey, secondKey, firstKey + "-b", secondKey + "-b"}
	var wg sync.WaitGroup
	for i := range answers {
		wg.Go(func() {
			answers[i] = present(peer, []string{s.DAOURL, second}[i%2], token, nil, key(keys[i%len(keys)]))
		})
	}
	wg.Wait()
	winners := map[string]int{}
	for i, answer := range answers {
		if answer.Status == http.StatusOK {
			winners[keys[i%len(keys)]]++
		} else {
			wantProblem(t, answer, http.StatusBadRequest, "token_used", "exchange")
		}
	}
	if len(winners) != 1 {
		t.Fatalf("keys that were given the member: %v", winners)
	}
	for winner, n := range winners {
		if n != len(answers)/len(keys) {
			t.Errorf("%s won, and %d of its %d calls were answered", winner, n, len(answers)/len(keys))
		}
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged'`); n != 1 {
		t.Errorf("%d exchanges are recorded", n)
	}
}

// I8: within ten seconds the same key gets the same answer and nothing new
// happens; any other key, and none, is a replay; after ten seconds so is the same.
func TestI8_theSameKeyRepeatsForTenSeconds(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	minted := wantOK(t, s.SignIn(t, s.Member(t, "ada@example.org")).Mint(nil))
	token, peer := minted.Text("token"), s.Browser(t)
	first := wantOK(t, present(peer, s.DAOURL, token, nil, key(firstKey)))
	before := testkit.Dump(t, s.DAO)
	for _, wait := range []time.Duration{0, time.Second, 9 * time.Second} { // ten all together
		s.Clock.Advance(wait)
		again := present(peer, s.DAOURL, token, nil, key(firstKey))
		if again.Status != http.StatusOK || again.Raw != first.Raw {
			t.Errorf("after %v more: %d %s", wait, again.Status, again.Raw)
		}
	}
	if testkit.Dump(t, s.DAO) != before {
		t.Error("a repeat wrote something")
	}
	replays := []testkit.Answer{present(peer, s.DAOURL, token, nil, key(secondKey)), present(peer, s.DAOURL, token, nil)}
	s.Clock.Advance(time.Millisecond)
	replays = append(replays, present(peer, s.DAOURL, token, nil, key(firstKey)))
	for _, answer := range replays {
		wantProblem(t, answer, http.StatusBadRequest, "token_used", "exchange")
		if answer.Text("handoff_id") != minted.Text("handoff_id") {
			t.Errorf("hand-off %q", answer.Text("handoff_id"))
		}
	}
	replayed := "handoff.replayed failure token_used"
	wantEvents(t, s, "handoff.minted success", "handoff.exchanged success", replayed, replayed, replayed)
}

// I8: a caller without a key cannot repeat: nobody could tell it from a thief.
func TestI8_withoutAKeyASecondUseIsAReplay(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token, peer := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), s.Browser(t)
	wantOK(t, present(peer, s.DAOURL, token, nil))
	wantProblem(t, present(peer, s.DAOURL, token, nil), http.StatusBadRequest, "token_used", "exchange")
}

// I8: a day later Redis has long forgotten, and the ledger knows it as a replay.
func TestI8_aDayLaterItIsStillAReplay(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	minted := wantOK(t, s.SignIn(t, s.Member(t, "ada@example.org")).Mint(nil))
	peer := s.Browser(t)
	wantOK(t, present(peer, s.DAOURL, minted.Text("token"), nil, key(firstKey)))
	s.Redis.FlushDB(t.Context())
	s.Clock.Advance(24*time.Hour + time.Minute)
	answer := present(peer, s.DAOURL, minted.Text("token"), nil, key(firstKey))
	wantProblem(t, answer, http.StatusBadRequest, "token_used", "exchange")
	if answer.Text("handoff_id") != minted.Text("handoff_id") {
		t.Errorf("hand-off %q", answer.Text("handoff_id"))
	}
	wantEvents(t, s, "handoff.minted success", "handoff.exchanged success", "handoff.replayed failure token_used")
}

// I1: Redis gives a consumed token back (a failover to a lagging replica, a
// snapshot): the ledger refuses it, and the record says what happened.
func TestI1_whatRedisBringsBackIsRefused(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	token, peer := s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), s.Browser(t)
	name := claimsKey(t, s)
	sealed := s.Redis.Get(t.Context(), name).Val()
	wantOK(t, present(peer, s.DAOURL, token, nil, key(firstKey)))
	s.Clock.Advance(30 * time.Second)
	s.Redis.Set(t.Context(), name, sealed, time.Hour)
	for _, k := range []string{firstKey, secondKey} {
		wantProblem(t, present(peer, s.DAOURL, token, nil, key(k)), http.StatusBadRequest, "token_used", "exchange")
	}
	wantEvents(t, s, "handoff.minted success", "handoff.exchanged success",
		"handoff.replayed failure resurrected", "handoff.replayed failure resurrected")
}

// I2: sixty seconds by the stored time, whatever Redis still holds: a key without
// an end, or one whose end was put off.
func TestI2_sixtySecondsWhateverRedisSays(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, peer := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
	lastMoment := ada.MintToken()
	s.Clock.Advance(time.Minute - 5*time.Second) // the gate gets what is left, in real time
	wantOK(t, present(peer, s.DAOURL, lastMoment, nil, key(firstKey)))
	settle(t, s, func(keys []string) bool {
		return len(keys) == 1 && s.Redis.PTTL(t.Context(), keys[0]).Val() <= 10*time.Second
	})
	s.Redis.Persist(t.Context(), claimsKey(t, s))
	s.Clock.Advance(5 * time.Second)
	// Not even as a repeat: I2 before I8, or it would hang on Redis' clock.
	wantProblem(t, present(peer, s.DAOURL, lastMoment, nil, key(firstKey)), http.StatusBadRequest, "token_used", "exchange")

	s.Redis.FlushDB(t.Context())
	tooLate := ada.MintToken()
	s.Redis.Persist(t.Context(), claimsKey(t, s))
	s.Clock.Advance(time.Minute)
	for range 2 {
		wantProblem(t, present(peer, s.DAOURL, tooLate, nil, key(firstKey)), http.StatusBadRequest, "token_expired", "exchange")
	}
	if events := testkit.Events(t, s.DAO); !slices.Contains(events, "handoff.refused failure token_expired") {
		t.Errorf("recorded %v", events)
	}
}
