package ratelimit_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I5, I6: a key names the half and the limit, and nothing that leads to a person;
// and it goes away.
func TestI5_I6_keysTellNothingAndEnd(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter := limiterOn(t, client)
	limits := ratelimit.Numbers{LoginFailed: 5, LoginAddress: 30, LoginAccount: 20, Mint: 30, Arrival: 100_000, ExchangeFailures: 60}.Limits()
	all := []ratelimit.Limit{
		limits.LoginAddress, limits.LoginFailed, limits.LoginAccount, limits.LoginDevice, limits.Arrival, limits.ExchangeFailures,
	}
	for _, one := range all {
		mustTake(t, limiter, 1, one, "ada@example.org", "192.0.2.7")
	}
	shape := regexp.MustCompile(`^dao:rate:(login-(address|failed|account|device)|arrival|exchange-failures):[0-9a-f]{32}$`)
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
	mustTake(t, limiter, 29, limits.LoginAddress, "ada@example.org", "192.0.2.7")
	for _, key := range keys(t, client) {
		if ttl := client.PTTL(t.Context(), key).Val(); ttl <= 0 || ttl > time.Minute {
			t.Errorf("%s lives %v more", key, ttl)
		}
	}
}

// An operator may admit a half to its own keys and to few commands: these are enough here.
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
	if refusal.RetryAfter > time.Minute {
		t.Errorf("the next after %v", refusal.RetryAfter)
	}
	// A small correction is none of that: it must not be a way to a fresh budget.
	pass(t, client, -900*time.Millisecond)
	mustExceed(t, limiter.Take(t.Context(), two, "ada"))
}
