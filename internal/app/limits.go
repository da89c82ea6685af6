package app

import (
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// limits are a half's, over its own Redis.
type limits struct {
	ratelimit.Limits
	limiter *ratelimit.Limiter
	logins  httpapi.Logins
}

// newLimits takes the half's keys, of which those that known browsers carry are
// derived. The subjects' key is that of the pseudonyms: rotating it makes every
// budget full once.
func (a *App) newLimits(half string, redis datastore.Redis, keys []privacy.Key) (limits, error) {
	c := a.config.RateLimits
	n := ratelimit.Numbers{
		LoginFailed: c.LoginFailed, LoginAddress: c.LoginAddress, LoginAccount: c.LoginAccount,
		Mint: c.Mint, Arrival: c.Arrival, ExchangeFailures: c.ExchangeFailures,
	}
	limiter, err := ratelimit.New(ratelimit.Config{
		Redis: redis, Prefix: half + ":", Key: a.config.PseudonymKeys[0].DeriveKey("rate limit " + half),
		Timeout: a.options.LimiterTimeout, Log: a.options.Log,
	})
	if err != nil {
		return limits{}, err
	}
	a.metrics.Unlimited(half, limiter.Passed)
	a.metrics.Refused(half, limiter.Refused)
	var deviceKeys []privacy.Key
	for _, key := range keys {
		deviceKeys = append(deviceKeys, key.DeriveKey("known device "+half))
	}
	devices, err := ratelimit.NewDevices(deviceKeys, a.options.Random)
	if err != nil {
		return limits{}, err
	}
	return limits{
		Limits: n.Limits(), limiter: limiter,
		logins: httpapi.Logins{
			Limit: ratelimit.NewLogin(ratelimit.LoginConfig{
				Limiter: limiter, Devices: devices,
				FailedPerMinute: n.LoginFailed, PerAddress: n.LoginAddress, PerAccount: n.LoginAccount,
			}),
			Devices: devices, Cookie: half + "_device", Secure: a.config.CookieSecure,
		},
	}, nil
}
