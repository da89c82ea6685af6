package ratelimit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func keyOf(letter string) privacy.Key { return shortKeyOf(letter, 32) }

// shortKeyOf is what privacy.NewKey refuses to make below 32 bytes.
func shortKeyOf(letter string, bytes int) privacy.Key {
	return privacy.Key{Secret: privacy.NewSecret(strings.Repeat(letter, bytes))}
}

// patient is a timeout that no busy machine reaches.
const patient = 30 * time.Second

// limiterOn returns a limiter with the DAO half's prefix; change may alter its
// configuration.
func limiterOn(t testing.TB, client ratelimit.Redis, change ...func(*ratelimit.Config)) *ratelimit.Limiter {
	t.Helper()
	config := ratelimit.Config{
		Redis: client, Prefix: "dao:", Key: keyOf("k"), Timeout: patient, Log: slog.New(slog.DiscardHandler),
	}
	for _, alter := range change {
		alter(&config)
	}
	limiter, err := ratelimit.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return limiter
}

// limit is a Closed one of n a minute.
func limit(n int) ratelimit.Limit { return ratelimit.Limit{Name: "test", PerMinute: n} }

// mustTake takes n tries, which must pass.
func mustTake(t testing.TB, l *ratelimit.Limiter, n int, from ratelimit.Limit, subject ...string) {
	t.Helper()
	for i := range n {
		if err := l.Take(t.Context(), from, subject...); err != nil {
			t.Fatalf("try %d of %d: %v", i+1, n, err)
		}
	}
}

// mustExceed demands that err is an Exceeded.
func mustExceed(t testing.TB, err error) {
	t.Helper()
	_ = refusalOf(t, err)
}

// refusalOf is the Exceeded that err must be.
func refusalOf(t testing.TB, err error) *ratelimit.Exceeded {
	t.Helper()
	var exceeded *ratelimit.Exceeded
	if !errors.As(err, &exceeded) || !errors.Is(err, ratelimit.ErrExceeded) {
		t.Fatalf("want a refusal, got %v", err)
	}
	return exceeded
}

// keys are all keys that the test's Redis holds, in order.
func keys(t testing.TB, client redis.UniversalClient) []string {
	t.Helper()
	found, err := client.Keys(context.Background(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// state is every budget as it is stored.
func state(t testing.TB, client redis.UniversalClient) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, key := range keys(t, client) {
		all[key] = client.Get(context.Background(), key).Val()
	}
	return all
}

// pass lets d go by for every budget. What is stored is the time at which the
// budget will be full: that time, d earlier, is the same as now, d later; and
// nobody has to wait.
func pass(t testing.TB, client redis.UniversalClient, d time.Duration) {
	t.Helper()
	for key, text := range state(t, client) {
		full, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s holds %q", key, text)
		}
		earlier := strconv.FormatFloat(full-d.Seconds(), 'f', -1, 64)
		if err := client.Set(t.Context(), key, earlier, redis.KeepTTL).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// redisTime is the clock that counts.
func redisTime(t testing.TB, client redis.UniversalClient) time.Time {
	t.Helper()
	now, err := client.Time(context.Background()).Result()
	if err != nil {
		t.Fatal(err)
	}
	return now
}

// linked returns a client on an empty Redis, and its line, which the test can cut.
func linked(t testing.TB) (redis.UniversalClient, *testkit.Link) {
	t.Helper()
	parsed, err := url.Parse(testkit.RedisURL(t).Reveal())
	if err != nil {
		t.Fatal("the test's Redis has no URL")
	}
	link := testkit.NewLink(t, parsed.Host)
	parsed.Host = link.Addr()
	client, err := datastore.OpenRedis(privacy.NewSecret(parsed.String()), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client, link
}

// lines is a log to be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// count is how many lines hold words.
func (l *lines) count(words string) int { return strings.Count(l.String(), words) }

func devicesOf(t testing.TB, letters ...string) *ratelimit.Devices {
	t.Helper()
	all := make([]privacy.Key, 0, len(letters))
	for _, letter := range letters {
		all = append(all, keyOf(letter))
	}
	devices, err := ratelimit.NewDevices(all, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return devices
}

func deviceFor(t testing.TB, devices *ratelimit.Devices, account string, now time.Time) string {
	t.Helper()
	value, err := devices.Make(account, now)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
