package ratelimit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// What a client reads in the headers is whole seconds, never too early and never
// "at once".
func TestExceeded_headersAreTrueToASecond(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		wait time.Duration
		want int
	}{
		{0, 1}, {-time.Second, 1}, {time.Nanosecond, 1}, {999 * time.Millisecond, 1}, {time.Second, 1}, {time.Second + 1, 2},
		{11*time.Second + 200*time.Millisecond, 12}, {12 * time.Second, 12}, {time.Minute, 60},
	} {
		e := &ratelimit.Exceeded{RetryAfter: c.wait}
		if got := e.RetryAfterSeconds(); got != c.want {
			t.Errorf("%v is %d s, want %d", c.wait, got, c.want)
		}
	}
	e := &ratelimit.Exceeded{
		Limit:      ratelimit.Limit{Name: "login-address", PerMinute: 30},
		RetryAfter: 11200 * time.Millisecond,
	}
	for name, pair := range map[string][2]string{
		"RateLimit":        {e.RateLimitHeader(), `"login-address";r=0;t=12`},
		"RateLimit-Policy": {e.PolicyHeader(), `"login-address";q=30;w=60`},
		"error":            {e.Error(), "ratelimit: too many tries: login-address, retry after 12 s"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %s, want %s", name, pair[0], pair[1])
		}
	}
	if !errors.Is(e, ratelimit.ErrExceeded) {
		t.Error("it is not ErrExceeded")
	}
}

// Each choice is written down here a second time, so that changing one takes two
// thoughts.
func TestLimits_chooseWhatAnOutageMeans(t *testing.T) {
	t.Parallel()
	limits := ratelimit.Numbers{LoginFailed: 1, LoginAddress: 2, LoginAccount: 3, Mint: 4, Arrival: 5, ExchangeFailures: 6}.Limits()
	for _, c := range []struct{ got, want ratelimit.Limit }{
		{limits.LoginFailed, ratelimit.Limit{Name: "login-failed", PerMinute: 1, OnOutage: ratelimit.Closed}},
		{limits.LoginDevice, ratelimit.Limit{Name: "login-device", PerMinute: 1, OnOutage: ratelimit.Closed}},
		{limits.LoginAddress, ratelimit.Limit{Name: "login-address", PerMinute: 2, OnOutage: ratelimit.Closed}},
		{limits.LoginAccount, ratelimit.Limit{Name: "login-account", PerMinute: 3, OnOutage: ratelimit.Closed}},
		{limits.Mint, ratelimit.Limit{Name: "mint", PerMinute: 4}},
		{limits.Arrival, ratelimit.Limit{Name: "arrival", PerMinute: 5, OnOutage: ratelimit.Open}},
		{limits.ExchangeFailures, ratelimit.Limit{Name: "exchange-failures", PerMinute: 6, OnOutage: ratelimit.Open}},
	} {
		if c.got != c.want {
			t.Errorf("%+v, want %+v", c.got, c.want)
		}
	}
	if (ratelimit.Limit{}).OnOutage != ratelimit.Closed {
		t.Error("who chose nothing is open")
	}
}
