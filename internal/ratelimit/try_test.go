package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// gate is a Redis before which scripts wait until it is opened.
type gate struct {
	ratelimit.Redis
	open chan struct{}
}

func (g gate) EvalSha(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	<-g.open
	return g.Redis.EvalSha(ctx, sha1, keys, args...)
}

// A first try goes on while it is counted, and hears in the end; who has tried a moment
// ago is counted before anything else.
func TestStart_aFirstTryGoesOnWhileItIsCounted(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	g := gate{client, make(chan struct{})}
	limiter := limiterOn(t, g)
	first := limiter.Start(t.Context(), limit(1), "ada")
	if found := keys(t, client); !first.First || len(found) != 0 {
		t.Errorf("first: %v, counted: %v", first.First, found)
	}
	close(g.open)
	if err := first.Within(); err != nil || len(keys(t, client)) != 1 {
		t.Errorf("%v, counted: %v", err, keys(t, client))
	}
	second := limiter.Start(t.Context(), limit(1), "ada")
	if second.First {
		t.Error("a second try is the first")
	}
	mustExceed(t, second.Within())
	mustExceed(t, second.Within()) // however often it is asked
	if other := limiter.Start(t.Context(), limit(1), "eve"); !other.First || other.Within() != nil {
		t.Error("somebody else's try is not their first")
	}
}

// A budget is spent wherever it was: another process does not let a first try pass, it
// only lets it begin.
func TestStart_aBudgetThatWasSpentElsewhereIsSpent(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	mustTake(t, limiterOn(t, client), 1, limit(1), "ada")
	here := limiterOn(t, client)
	first := here.Start(t.Context(), limit(1), "ada")
	if !first.First {
		t.Error("nobody has seen it here")
	}
	mustExceed(t, first.Within())
	if again := here.Start(t.Context(), limit(1), "ada"); again.First {
		t.Error("a try that was refused is forgotten")
	}
}

// Who has not tried for two minutes is new again, who tried within the last is not.
func TestStart_aTryIsRememberedForAMinute(t *testing.T) {
	t.Parallel()
	now := noon
	limiter := limiterOn(t, testkit.Redis(t), func(c *ratelimit.Config) { c.Now = func() time.Time { return now } })
	for i, step := range []struct {
		after time.Duration
		first bool
	}{
		{0, true},
		{59 * time.Second, false},
		{time.Minute, false}, // that was the one a minute ago
		{time.Minute, false},
		{2 * time.Minute, true},
		{59 * time.Second, false},
		{-time.Hour, false}, // a clock that was set back
	} {
		now = now.Add(step.after)
		try := limiter.Start(t.Context(), limit(100), "ada")
		if err := try.Within(); err != nil || try.First != step.first {
			t.Errorf("try %d: first %v, %v", i, try.First, err)
		}
	}
}

// I13: so many are remembered and no more; whoever has no place is counted first.
func TestI13_whoIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	now := noon
	limiter := limiterOn(t, testkit.Redis(t), func(c *ratelimit.Config) { c.Now = func() time.Time { return now } })
	for i := range ratelimit.MostRecent {
		if !limiter.First(fmt.Sprint(i)) {
			t.Fatalf("number %d of %d has no place", i, ratelimit.MostRecent)
		}
	}
	for _, who := range []string{"ada", "ada", "0"} {
		if limiter.First(who) || limiter.Recent() != ratelimit.MostRecent {
			t.Errorf("%s is new, %d are remembered", who, limiter.Recent())
		}
	}
	if now = now.Add(time.Minute); !limiter.First("ada") || limiter.First("0") {
		t.Error("a minute later")
	}
}

// A panic where nobody would catch it is this try's error, and not the process' end.
func TestStart_aPanicIsAnError(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	limiter := limiterOn(t, panics{testkit.Redis(t), &calls})
	for range 2 {
		try := limiter.Start(t.Context(), limit(1), "ada")
		if err := try.Within(); err == nil || strings.Contains(err.Error(), "secret") || errors.Is(err, ratelimit.ErrExceeded) {
			t.Errorf("%v", err)
		}
	}
	if calls.Load() != 2 {
		t.Errorf("%d calls", calls.Load())
	}
}

type panics struct {
	ratelimit.Redis
	calls *atomic.Int64
}

func (p panics) EvalSha(context.Context, string, []string, ...any) *redis.Cmd {
	p.calls.Add(1)
	panic("a secret")
}
