package ratelimit_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Somebody uses up a minute's budget at once. From then on one try passes for each
// interval that goes by, and after a quiet minute the whole budget is there again.
func TestTake_aMinutesBudgetAtOnceAndThenOneEachInterval(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter, three := limiterOn(t, client), limit(3) // one each 20 s
	mustTake(t, limiter, 3, three, "ada")
	mustExceed(t, limiter.Take(t.Context(), three, "ada"))

	for range 2 {
		pass(t, client, 20*time.Second)
		mustTake(t, limiter, 1, three, "ada")
		mustExceed(t, limiter.Take(t.Context(), three, "ada"))
	}
	pass(t, client, time.Minute)
	mustTake(t, limiter, 3, three, "ada")
	mustExceed(t, limiter.Take(t.Context(), three, "ada"))
}

// Retry-After is true to a second: who waits it passes, who comes a second earlier
// does not.
func TestTake_retryAfterIsTrue(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter, four := limiterOn(t, client), limit(4) // one each 15 s
	mustTake(t, limiter, 4, four, "ada")
	refusal := refusalOf(t, limiter.Take(t.Context(), four, "ada"))
	if refusal.RetryAfter > 15*time.Second || refusal.RetryAfter < 5*time.Second {
		t.Fatalf("retry after %v, of an interval of 15 s", refusal.RetryAfter)
	}
	if refusal.ResetAfter > time.Minute || refusal.ResetAfter-refusal.RetryAfter != 45*time.Second {
		t.Errorf("reset after %v, retry after %v", refusal.ResetAfter, refusal.RetryAfter)
	}

	wait := time.Duration(refusal.RetryAfterSeconds()) * time.Second
	begun := redisTime(t, client)
	pass(t, client, wait-time.Second)
	err := limiter.Take(t.Context(), four, "ada")
	if lost := redisTime(t, client).Sub(begun); lost < time.Second/2 {
		// Otherwise this machine was so busy that the second is over.
		early := refusalOf(t, err)
		if early.RetryAfter > time.Second || early.RetryAfterSeconds() != 1 {
			t.Errorf("a second early: retry after %v", early.RetryAfter)
		}
	}
	pass(t, client, time.Second)
	mustTake(t, limiter, 1, four, "ada")
}

// The attack on a person: keep knocking in their name, so that they wait for ever.
// A refused try counts nothing.
func TestTake_aRefusedTryCountsNothing(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter, two := limiterOn(t, client), limit(2)
	mustTake(t, limiter, 2, two, "ada")
	first, stored := refusalOf(t, limiter.Take(t.Context(), two, "ada")), state(t, client)
	for range 50 {
		if again := refusalOf(t, limiter.Take(t.Context(), two, "ada")); again.RetryAfter > first.RetryAfter {
			t.Fatalf("the wait grew from %v to %v", first.RetryAfter, again.RetryAfter)
		}
	}
	for key, now := range state(t, client) {
		if now != stored[key] {
			t.Error("refused tries changed the budget")
		}
	}
}

// Fifty at once, on several replicas, share one budget exactly.
func TestTake_concurrentTriesShareOneBudget(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	replicas := []*ratelimit.Limiter{limiterOn(t, client), limiterOn(t, client), limiterOn(t, client)}
	begun := redisTime(t, client)
	var passed atomic.Int64
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if replicas[i%3].Take(t.Context(), limit(5), "ada") == nil {
				passed.Add(1)
			}
		})
	}
	all.Wait()
	wantThrough(t, passed.Load(), 5, redisTime(t, client).Sub(begun))
}

// wantThrough demands the budget exactly, and what came back into it while a very
// busy machine was counting.
func wantThrough(t testing.TB, passed, budget int64, took time.Duration) {
	t.Helper()
	if back := int64(took / (time.Minute / time.Duration(budget))); passed < budget || passed > budget+back {
		t.Errorf("%d passed in %v, of a budget of %d", passed, took, budget)
	}
}

// Subjects, limits and halves have budgets of their own, and no two subjects are
// written alike.
func TestTake_budgetsAreApart(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	dao, one := limiterOn(t, client), limit(1)
	mustTake(t, dao, 1, one, "a", "bc")
	for name, take := range map[string]func() error{
		"other parts":      func() error { return dao.Take(t.Context(), one, "ab", "c") },
		"in one piece":     func() error { return dao.Take(t.Context(), one, "abc") },
		"with an end":      func() error { return dao.Take(t.Context(), one, "a", "bc", "") },
		"with a beginning": func() error { return dao.Take(t.Context(), one, "", "a", "bc") },
		"another limit":    func() error { return dao.Take(t.Context(), ratelimit.Limit{Name: "testa", PerMinute: 1}, "bc") },
		"the other half": func() error {
			return limiterOn(t, client, func(c *ratelimit.Config) { c.Prefix = "fos:" }).Take(t.Context(), one, "a", "bc")
		},
		"another key": func() error {
			return limiterOn(t, client, func(c *ratelimit.Config) { c.Key = keyOf("x") }).Take(t.Context(), one, "a", "bc")
		},
	} {
		if err := take(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustExceed(t, dao.Take(t.Context(), one, "a", "bc"))
}

func TestForgive_makesOneBudgetFull(t *testing.T) {
	t.Parallel()
	limiter, one := limiterOn(t, testkit.Redis(t)), limit(1)
	mustTake(t, limiter, 1, one, "ada")
	mustTake(t, limiter, 1, one, "eve")
	limiter.Forgive(t.Context(), one, "ada")
	mustTake(t, limiter, 1, one, "ada")
	mustExceed(t, limiter.Take(t.Context(), one, "eve"))

	// The person closes the tab as soon as they have signed in.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	limiter.Forgive(gone, one, "ada")
	mustTake(t, limiter, 1, one, "ada")
}

// I5, I6: a key names the half and the limit, and nothing that leads to a person;
// and it goes away.
func TestI5_I6_keysTellNothingAndEnd(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter := limiterOn(t, client)
	limits := ratelimit.Numbers{LoginFailed: 5, LoginAddress: 30, LoginAccount: 20, Mint: 30, Arrival: 100_000, ExchangeFailures: 60}.Limits()
	all := []ratelimit.Limit{
		limits.LoginAddress, limits.LoginFailed, limits.LoginAccount, limits.LoginDevice, limits.Mint, limits.Arrival, limits.ExchangeFailures,
	}
	for _, one := range all {
		mustTake(t, limiter, 1, one, "ada@example.org", "192.0.2.7")
	}
	shape := regexp.MustCompile(`^dao:rate:(login-(address|failed|account|device)|mint|arrival|exchange-failures):[0-9a-f]{32}$`)
	found := keys(t, client)
	if len(found) != len(all) {
		t.Fatalf("%d keys for %d limits", len(found), len(all))
	}
	digests := map[string]bool{}
	for _, key := range found {
		if !shape.MatchString(key) {
			t.Errorf("key %q", key)
		}
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > time.Minute {
			t.Errorf("%s lives %v more", key, ttl)
		}
		digests[key[strings.LastIndex(key, ":"):]] = true
	}
	if len(digests) != len(all) {
		t.Error("one subject has the same digest under two limits: whoever reads Redis follows it from one to the other")
	}
	// A full budget's key lives longest.
	mustTake(t, limiter, 29, limits.Mint, "ada@example.org", "192.0.2.7")
	for _, key := range keys(t, client) {
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > time.Minute {
			t.Errorf("%s lives %v more", key, ttl)
		}
	}
}

// An operator admits a half to its own keys and to few commands; docs/operations.md
// names them.
func TestTake_worksUnderTheACLOfItsHalf(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	user := "ratelimit-" + strings.ToLower(strings.ReplaceAll(t.Name(), "_", "-"))
	err := client.Do(t.Context(), "ACL", "SETUSER", user, "on", ">secret", "resetkeys", "~dao:*", "resetchannels", "-@all",
		"+eval", "+evalsha", "+get", "+set", "+del", "+time", "+select", "+hello").Err()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Do(context.Background(), "ACL", "DELUSER", user) })
	plain, isPlain := client.(*redis.Client)
	if !isPlain {
		t.Fatalf("the tests' Redis is %T", client)
	}
	options := *plain.Options()
	options.Username, options.Password = user, "secret"
	admitted := redis.NewClient(&options)
	t.Cleanup(func() {
		if err := admitted.Close(); err != nil {
			t.Error(err)
		}
	})

	dao := limiterOn(t, admitted)
	mustTake(t, dao, 1, limit(1), "ada")
	mustExceed(t, dao.Take(t.Context(), limit(1), "ada"))
	dao.Forgive(t.Context(), limit(1), "ada")
	mustTake(t, dao, 1, limit(1), "ada")
	fos := limiterOn(t, admitted, func(c *ratelimit.Config) { c.Prefix = "fos:" })
	if err := fos.Take(t.Context(), limit(1), "ada"); !isOutage(err) {
		t.Errorf("the other half's keys: %v", err)
	}
}

// A restarted Redis does not know the script; the try counts all the same, once.
func TestTake_survivesAForgottenScript(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter, two := limiterOn(t, client), limit(2)
	mustTake(t, limiter, 1, two, "ada")
	if err := client.ScriptFlush(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	mustTake(t, limiter, 1, two, "ada")
	mustExceed(t, limiter.Take(t.Context(), two, "ada"))
}

// Redis' clock is set back by an hour, or a replica that is behind takes over: what
// is stored lies an hour ahead. Nobody waits for that hour.
func TestTake_aClockSetBackKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter, two := limiterOn(t, client), limit(2)
	mustTake(t, limiter, 2, two, "ada")
	mustExceed(t, limiter.Take(t.Context(), two, "ada"))
	pass(t, client, -time.Hour)
	mustTake(t, limiter, 2, two, "ada")
	refusal := refusalOf(t, limiter.Take(t.Context(), two, "ada"))
	if refusal.ResetAfter > time.Minute {
		t.Errorf("full again after %v", refusal.ResetAfter)
	}
	// A small correction is none of that: it must not be a way to a fresh budget.
	pass(t, client, -900*time.Millisecond)
	mustExceed(t, limiter.Take(t.Context(), two, "ada"))
}

// A limit that nobody filled in must not let everything pass, whatever it chose.
func TestTake_aLimitWithoutNumberIsAMistake(t *testing.T) {
	t.Parallel()
	limiter := limiterOn(t, testkit.Redis(t))
	for _, none := range []ratelimit.Limit{
		{}, {Name: "test"}, {Name: "test", OnOutage: ratelimit.Open}, {Name: "test", PerMinute: -1}, {PerMinute: 5},
	} {
		err := limiter.Take(t.Context(), none, "ada")
		var down *outage.Error
		if err == nil || errors.As(err, &down) || errors.Is(err, ratelimit.ErrExceeded) {
			t.Errorf("%+v gives %v", none, err)
		}
	}
}

// A short key would be guessed, and the subjects with it.
func TestNew_refusesWhatHidesNothing(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]ratelimit.Config{
		"no key":    {Prefix: "dao:"},
		"31 bytes":  {Prefix: "dao:", Key: make([]byte, 31)},
		"no prefix": {Key: keyOf("k")},
	} {
		if limiter, err := ratelimit.New(config); err == nil || limiter != nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// BenchmarkTake is what a limit costs a request: one round trip.
func BenchmarkTake(b *testing.B) {
	limiter := limiterOn(b, testkit.Redis(b))
	for b.Loop() {
		if err := limiter.Take(b.Context(), limit(100_000), "ada"); err != nil && !errors.Is(err, ratelimit.ErrExceeded) {
			b.Fatal(err)
		}
	}
}
