package ratelimit_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The attack: one address spends the budget of somebody else's account, or one
// account's tries that of an address. Whoever is stopped by one budget takes
// nothing from those behind it.
func TestLogin_whoIsStoppedTakesNothingFromTheNext(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.mustPass(t, 2, ada, "here", "")
	d.mustStop(t, "login-failed", ada, "here", "")
	d.mustStop(t, "login-failed", ada, "here", "")
	d.mustPass(t, 1, eve, "here", "") // the address's fifth
	before := state(t, d.client)
	for range 10 {
		_ = d.refusal(t, ada, "here", "")
		_ = d.refusal(t, "new@example.org", "here", "")
		_ = d.refusal(t, ada, "here", deviceFor(t, d.devices, ada, noon))
	}
	if after := state(t, d.client); !maps.Equal(before, after) {
		t.Errorf("refused tries changed budgets:\n%v\n%v", before, after)
	}
	// Two of Ada's four are left to others.
	d.mustPass(t, 2, ada, "there", "")
	d.mustStop(t, "login-account", ada, "third", "")
}

// Retry-After is true when several budgets are used up: it is that of the longest
// wait, and whoever waits for it passes.
func TestLogin_retryAfterIsThatOfTheLongestWait(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		config ratelimit.LoginConfig
		use    func(testing.TB, door)
		limit  string
	}{
		"the address refuses, the failures wait longer": {
			ratelimit.LoginConfig{PerAddress: 3, FailedPerMinute: 2, PerAccount: 100},
			func(t testing.TB, d door) {
				d.mustPass(t, 2, ada, "here", "")
				d.mustPass(t, 1, eve, "here", "")
			}, "login-failed",
		},
		"the failures refuse, the address waits longer": {
			ratelimit.LoginConfig{PerAddress: 4, FailedPerMinute: 3, PerAccount: 100},
			func(t testing.TB, d door) {
				d.mustPass(t, 3, ada, "here", "")
				pass(t, d.client, 16*time.Second)
				d.mustPass(t, 1, eve, "here", "")
			}, "login-address",
		},
		"the address refuses, the account waits longer": {
			ratelimit.LoginConfig{PerAddress: 2, FailedPerMinute: 3, PerAccount: 1},
			func(t testing.TB, d door) {
				d.mustPass(t, 1, ada, "there", "")
				d.mustPass(t, 1, eve, "here", "")
				d.mustPass(t, 1, "bob@example.org", "here", "")
			}, "login-account",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := testkit.Redis(t)
			d := doorOn(t, client, client, c.config)
			c.use(t, d)
			refusal := d.refusal(t, ada, "here", "")
			if refusal.Limit.Name != c.limit {
				t.Errorf("to wait for is %s, want %s", refusal.Limit.Name, c.limit)
			}
			pass(t, client, time.Duration(refusal.RetryAfterSeconds())*time.Second)
			d.mustPass(t, 1, ada, "here", "")
		})
	}
}

// Tries without a known address share one budget: passing them would be a way
// around it.
func TestLogin_anUnknownAddressIsOneAddress(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for _, account := range []string{"a@x", "b@x", "c@x", "d@x", "e@x"} {
		d.mustPass(t, 1, account, "", "")
	}
	d.mustStop(t, "login-address", "f@x", "", "")
}

// A login whose tab was closed is a good login all the same; and a Redis that does
// not answer then costs nobody theirs.
func TestTried_forgivesWhateverBecomesOfTheRequest(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	seen := &recorder{Redis: client}
	d := doorOn(t, seen, client, ratelimit.LoginConfig{FailedPerMinute: 2, PerAddress: 100, PerAccount: 100})
	tried := d.mustPass(t, 2, ada, "here", "")
	seen.refuse(errors.New("LOADING Redis is loading the dataset in memory"))
	tried.Succeeded(t.Context())
	seen.refuse(nil)
	d.mustStop(t, "login-failed", ada, "here", "")

	gone, cancel := context.WithCancel(t.Context())
	cancel()
	tried.Succeeded(gone)
	d.mustPass(t, 2, ada, "here", "")
}

// No guess passes while Redis is away, whichever of the budgets cannot be asked;
// and a refusal that is certain stays one.
func TestLogin_isClosedInAnOutage(t *testing.T) {
	t.Parallel()
	for answered := range 3 {
		client := testkit.Redis(t)
		seen := &recorder{Redis: client, budgets: answered, answer: errors.New("OOM command not allowed")}
		d := doorOn(t, seen, client, ratelimit.LoginConfig{FailedPerMinute: 2, PerAddress: 5, PerAccount: 4})
		if _, err := d.try(t, ada, "here", ""); !isOutage(err) {
			t.Errorf("with %d budgets asked: %v", answered, err)
		}
	}
	client := testkit.Redis(t)
	seen := &recorder{Redis: client}
	d := doorOn(t, seen, client, ratelimit.LoginConfig{FailedPerMinute: 2, PerAddress: 1, PerAccount: 4})
	d.mustPass(t, 1, ada, "here", "")
	seen.budgets, seen.answer = 1, errors.New("OOM command not allowed")
	d.mustStop(t, "login-address", ada, "here", "")
}

// Redis Cluster runs a script where its one key lies; and three questions have the
// time of one.
func TestLogin_asksForOneKeyAtATimeWithinOneDeadline(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	seen := &recorder{Redis: client}
	d := doorOn(t, seen, client, ratelimit.LoginConfig{FailedPerMinute: 2, PerAddress: 5, PerAccount: 4})
	tried := d.mustPass(t, 1, ada, "here", "")
	if len(seen.keys) < 3 {
		t.Fatalf("%d commands for three budgets", len(seen.keys))
	}
	for _, deadline := range seen.deadlines {
		if deadline != seen.deadlines[0] {
			t.Error("one try has several deadlines")
		}
	}
	tried.Succeeded(t.Context())
	for _, named := range seen.keys {
		if len(named) != 1 || !strings.HasPrefix(named[0], "dao:rate:login-") {
			t.Errorf("a command names the keys %q", named)
		}
	}
}
