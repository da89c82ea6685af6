package ratelimit_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// door is a login rule, with few tries a minute so that none comes back while a
// test runs: failed 2, address 5, account 4.
type door struct {
	*ratelimit.Login
	client  redis.UniversalClient
	devices *ratelimit.Devices
}

func newDoor(t testing.TB) door {
	t.Helper()
	client := testkit.Redis(t)
	return doorOn(t, client, client, ratelimit.LoginConfig{FailedPerMinute: 2, PerAddress: 5, PerAccount: 4})
}

func doorOn(t testing.TB, through ratelimit.Redis, client redis.UniversalClient, config ratelimit.LoginConfig) door {
	t.Helper()
	config.Limiter, config.Devices = limiterOn(t, through), devicesOf(t, "k", "p")
	return door{ratelimit.NewLogin(config), client, config.Devices}
}

// try is one attempt at noon.
func (d door) try(t testing.TB, account, address, device string) (*ratelimit.Tried, error) {
	t.Helper()
	tried, err := d.Try(t.Context(), ratelimit.Attempt{Account: account, Address: address, Device: device, Now: noon})
	if (tried == nil) == (err == nil) {
		t.Fatalf("tried %v, error %v", tried, err)
	}
	return tried, err
}

// mustPass makes n wrong tries, which must get as far as the password.
func (d door) mustPass(t testing.TB, n int, account, address, device string) *ratelimit.Tried {
	t.Helper()
	var last *ratelimit.Tried
	for i := range n {
		tried, err := d.try(t, account, address, device)
		if err != nil {
			t.Fatalf("try %d of %d: %v", i+1, n, err)
		}
		last = tried
	}
	return last
}

// mustStop demands a refusal by the limit of that name.
func (d door) mustStop(t testing.TB, limit string, attempt ...string) {
	t.Helper()
	if refusal := d.refusal(t, attempt...); refusal.Limit.Name != limit {
		t.Errorf("stopped by %s, want %s", refusal.Limit.Name, limit)
	}
}

// refusal is the answer to an attempt (account, address, device) that must be
// refused.
func (d door) refusal(t testing.TB, attempt ...string) *ratelimit.Exceeded {
	t.Helper()
	_, err := d.try(t, attempt[0], attempt[1], attempt[2])
	return refusalOf(t, err)
}

// Somebody mistypes; the right password makes the count of failures new, for that
// account at that address alone.
func TestLogin_failuresAreCountedAndAGoodLoginForgivesThem(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	d := doorOn(t, client, client, ratelimit.LoginConfig{FailedPerMinute: 2, PerAddress: 100, PerAccount: 100})
	d.mustPass(t, 2, eve, "there", "")
	d.mustPass(t, 1, ada, "here", "")
	d.mustPass(t, 1, ada, "here", "").Succeeded(t.Context())
	d.mustPass(t, 2, ada, "here", "") // two mistakes more
	d.mustStop(t, "login-failed", ada, "here", "")
	d.mustStop(t, "login-failed", eve, "there", "")
	d.mustPass(t, 1, eve, "here", "") // another account at the same address
}

// An account with many spellings is one account.
func TestLogin_spellingMakesNoNewAccount(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.mustPass(t, 1, "ada@example.org", "here", "")
	d.mustPass(t, 1, "Ada@Example.org", "here", "")
	d.mustStop(t, "login-failed", "ADA@EXAMPLE.ORG", "here", "")
	// KELVIN SIGN is no k, here as where accounts are compared (I9).
	d.mustPass(t, 2, "kim@example.org", "there", "")
	d.mustPass(t, 1, "\u212Aim@example.org", "there", "")
}

// The attack: fifty guesses at once, to get past the check before the first is
// counted. Exactly five are tried.
func TestLogin_concurrentGuessesDoNotPassTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ perAddress, perAccount int }{
		"unknown browser, every limit":            {30, 20},
		"unknown browser, the failed tries alone": {1000, 1000},
		"known browser":                           {1000, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := testkit.Redis(t)
			numbers := ratelimit.LoginConfig{FailedPerMinute: 5, PerAddress: c.perAddress, PerAccount: c.perAccount}
			replicas := []door{doorOn(t, client, client, numbers), doorOn(t, client, client, numbers)}
			attempt := ratelimit.Attempt{Account: ada, Address: "here", Now: noon}
			if name == "known browser" {
				attempt.Device = deviceFor(t, replicas[0].devices, ada, noon)
			}
			begun := redisTime(t, client)
			var passed atomic.Int64
			var all sync.WaitGroup
			for i := range 50 {
				all.Go(func() {
					if _, err := replicas[i%2].Try(t.Context(), attempt); err == nil {
						passed.Add(1)
					}
				})
			}
			all.Wait()
			wantThrough(t, passed.Load(), 5, redisTime(t, client).Sub(begun))
		})
	}
}

// One address tries one password on many accounts.
func TestLogin_anAddressHasOneBudgetForAllAccounts(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for _, account := range []string{"a@x", "b@x", "c@x", "d@x"} {
		d.mustPass(t, 1, account, "here", "")
	}
	// A good login of the attacker's own does not wash the address clean.
	d.mustPass(t, 1, eve, "here", "").Succeeded(t.Context())
	d.mustStop(t, "login-address", "e@x", "here", "")
	d.mustStop(t, "login-address", eve, "here", "")
	// Known browsers count there too.
	d.mustStop(t, "login-address", ada, "here", deviceFor(t, d.devices, ada, noon))
	d.mustPass(t, 1, "e@x", "there", "")
}

// Many addresses try one account.
func TestLogin_anAccountHasOneBudgetForAllAddresses(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for _, address := range []string{"1", "2", "3"} {
		d.mustPass(t, 1, ada, address, "")
	}
	// Even a good login does not give the guesses of others back.
	d.mustPass(t, 1, ada, "4", "").Succeeded(t.Context())
	d.mustStop(t, "login-account", ada, "5", "")
	d.mustPass(t, 1, eve, "5", "")
}

// The attack on a person: use up their account's budget, from anywhere, for as long
// as you like. In the browser that they used before they sign in all the same.
func TestLogin_aStrangerCannotLockOutAKnownBrowser(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	known := deviceFor(t, d.devices, ada, noon.Add(-80*24*time.Hour))
	for _, address := range []string{"1", "2"} {
		d.mustPass(t, 2, ada, address, "")
	}
	d.mustStop(t, "login-account", ada, "home", "")
	// Two mistakes, the right password, two mistakes.
	d.mustPass(t, 1, ada, "home", known)
	d.mustPass(t, 1, ada, "home", known).Succeeded(t.Context())
	d.mustPass(t, 2, ada, "home", known)
	d.mustStop(t, "login-device", ada, "home", known)
	// Whoever copied the value shares that budget, wherever they are.
	d.mustStop(t, "login-device", ada, "elsewhere", known)
	// Another browser of the same person has its own, though the first is used up.
	d.mustPass(t, 1, ada, "phone", deviceFor(t, d.devices, ada, noon))
}

// The tries of a known browser are not those of the account, nor of the account at
// that address: somebody else there, on a new browser, is not stopped by them.
func TestLogin_aKnownBrowserTakesNothingFromTheOthers(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.mustPass(t, 2, ada, "home", deviceFor(t, d.devices, ada, noon))
	d.mustPass(t, 2, ada, "home", "")
	d.mustPass(t, 2, ada, "elsewhere", "")
	d.mustStop(t, "login-account", ada, "third", "")
}

// The attack: call an unknown browser a known one.
func TestLogin_aValueThatIsNotGoodMakesNoKnownBrowser(t *testing.T) {
	t.Parallel()
	good := deviceFor(t, devicesOf(t, "k"), ada, noon)
	for name, value := range map[string]string{
		"of another account":    deviceFor(t, devicesOf(t, "k"), eve, noon),
		"made by somebody else": deviceFor(t, devicesOf(t, "x"), ada, noon),
		"too old":               deviceFor(t, devicesOf(t, "k"), ada, noon.Add(-ratelimit.DeviceTTL)),
		"changed":               "B" + good[1:],
		"a text":                strings.Repeat("x", 8000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			d.mustPass(t, 2, ada, "here", value)
			d.mustStop(t, "login-failed", ada, "here", value)
			d.mustStop(t, "login-failed", ada, "here", "")
		})
	}
	t.Run("of the previous key it does", func(t *testing.T) {
		t.Parallel()
		d, value := newDoor(t), deviceFor(t, devicesOf(t, "p"), ada, noon)
		d.mustPass(t, 2, ada, "here", value)
		d.mustStop(t, "login-device", ada, "here", value)
	})
}

// Whether an account exists is nobody's to learn: the rule counts any text like any
// other, and stores nothing of it.
func TestLogin_unknownAccountsAreCountedAlike(t *testing.T) {
	t.Parallel()
	for name, account := range map[string]string{
		"a person": ada, "nobody": "nobody@example.org", "no address at all": "'; --", "nothing": "",
		"not text": "\xff\x00", "long": strings.Repeat("x", 8000),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoor(t)
			d.mustPass(t, 2, account, "1", "")
			d.mustStop(t, "login-failed", account, "1", "")
			d.mustPass(t, 2, account, "2", "")
			d.mustStop(t, "login-account", account, "3", "")
			for _, key := range keys(t, d.client) {
				if len(key) > 64 {
					t.Errorf("key %q", key)
				}
			}
		})
	}
}
