package ratelimit_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

	begun := redisTime(t, client)
	pass(t, client, refusal.RetryAfter-time.Second)
	err := limiter.Take(t.Context(), four, "ada")
	if redisTime(t, client).Sub(begun) < time.Second {
		// Otherwise this machine is so busy that the second is over.
		if early := refusalOf(t, err); early.RetryAfter > time.Second || early.RetryAfterSeconds() != 1 {
			t.Errorf("a second early: retry after %v", early.RetryAfter)
		}
	}
	pass(t, client, time.Duration(refusal.RetryAfterSeconds())*time.Second-(refusal.RetryAfter-time.Second))
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
		"other parts":                   func() error { return dao.Take(t.Context(), one, "ab", "c") },
		"in one piece":                  func() error { return dao.Take(t.Context(), one, "abc") },
		"with an end":                   func() error { return dao.Take(t.Context(), one, "a", "bc", "") },
		"with a beginning":              func() error { return dao.Take(t.Context(), one, "", "a", "bc") },
		"the bounds of parts in a name": func() error { return dao.Take(t.Context(), one, "a\x00\x00\x00\x00\x00\x00\x00\x00bc") },
		"another limit":                 func() error { return dao.Take(t.Context(), ratelimit.Limit{Name: "testa", PerMinute: 1}, "bc") },
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
		"31 bytes":  {Prefix: "dao:", Key: shortKeyOf("k", 31)},
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
