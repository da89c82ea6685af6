//go:build proof

package password_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

const (
	// leastTurns is how often each way is taken, and mostTurns on a machine that is so
	// busy that a difference which is there does not show before.
	leastTurns, mostTurns = 24, 48
	// level is the p below which two ways differ. Six pairs are compared, so that a
	// run of equal ways fails once in 17,000 times.
	level = 1e-5
	// highestCost is that of the bcrypt hashes in the table, here passlib's default.
	highestCost = 12
)

// way is one kind of login that fails.
type way struct {
	name  string
	login func(context.Context) error
}

// measure takes the ways in turns, in another random order each time, so that
// whatever else the machine does hits all alike. It goes on until there is enough.
func measure(t *testing.T, ways []way, enough func(map[string][]time.Duration) bool) map[string][]time.Duration {
	t.Helper()
	taken := map[string][]time.Duration{}
	for turn := 0; turn <= leastTurns || turn <= mostTurns && !enough(taken); turn++ {
		for _, i := range rand.Perm(len(ways)) {
			begun := time.Now()
			if err := ways[i].login(t.Context()); err != nil {
				t.Fatalf("%s: %v", ways[i].name, err)
			}
			if turn > 0 { // the first is for caches
				taken[ways[i].name] = append(taken[ways[i].name], time.Since(begun))
			}
		}
	}
	return taken
}

// The attack: a stranger tries any password at many addresses and sorts the
// addresses by the time of the answer. Here the stranger has a clock beside the
// computation, 24 tries at each kind of account or more, and a rank test, and does
// not tell the four kinds apart (protocol: invalid_credentials in equal time; ASVS
// 5.0, 6.3.8). The same stranger with the same tries does tell them apart as soon as
// a part of the equalising work is left out, so the test is not blind.
//
// TestAFailedLoginDoesTheSameWorkForEveryAccount counts the work; this shows that
// nothing else takes time.
func TestProofAFailedLoginTakesTheSameTimeForEveryAccount(t *testing.T) {
	argon2id, err := password.Hash("right")
	if err != nil {
		t.Fatal(err)
	}
	legacy, err := bcrypt.GenerateFromPassword([]byte("right"), highestCost)
	if err != nil {
		t.Fatal(err)
	}
	shared := password.NewHasher(password.Limits{Concurrent: 1})
	verify := func(legacyCost int, stored string) func(context.Context) error {
		h := shared.WithLegacyBcrypt(legacyCost)
		return func(ctx context.Context) error { _, err := h.Verify(ctx, stored, "guess"); return err }
	}
	nothing := func(ctx context.Context) error {
		return shared.WithLegacyBcrypt(highestCost).VerifyNothing(ctx, "guess")
	}

	equal := []way{
		{"unknown account", nothing},
		{"account without a password", nothing},
		{"argon2id", verify(highestCost, argon2id)},
		{"bcrypt", verify(highestCost, string(legacy))},
	}
	unequal := []way{
		{"argon2id, the table's bcrypt forgotten", verify(0, argon2id)},
		{"unknown account, answered at once", func(context.Context) error { return nil }},
	}
	taken := measure(t, slices.Concat(equal, unequal), func(taken map[string][]time.Duration) bool {
		return testkit.SameDistribution(taken[unequal[0].name], taken["bcrypt"]) < level
	})
	turns := len(taken["bcrypt"])
	for _, w := range slices.Concat(equal, unequal) {
		t.Logf("%-40s median %v", w.name, median(taken[w.name]))
	}
	for i, one := range equal {
		for _, other := range equal[i+1:] {
			p := testkit.SameDistribution(taken[one.name], taken[other.name])
			t.Logf("%s, %s: p = %.2g", one.name, other.name, p)
			if p < level {
				t.Errorf("%d tries tell %q from %q: p = %.2g, medians %v and %v", turns, one.name, other.name, p,
					median(taken[one.name]), median(taken[other.name]))
			}
		}
	}
	for _, w := range unequal {
		p := testkit.SameDistribution(taken[w.name], taken["bcrypt"])
		t.Logf("%s, bcrypt: p = %.2g", w.name, p)
		if p >= level {
			t.Errorf("%d tries do not tell %q from bcrypt: p = %.2g, medians %v and %v: this test sees nothing", turns, w.name, p,
				median(taken[w.name]), median(taken["bcrypt"]))
		}
	}
	t.Logf("%d turns; a difference of %v would have been found", turns, smallestFound(taken["unknown account"], taken["account without a password"]))
}

func median(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[len(sorted)/2].Round(100 * time.Microsecond)
}

// smallestFound is how much longer the one would have to take than the other to be
// told apart. The two are the same way.
func smallestFound(one, other []time.Duration) time.Duration {
	by := time.Duration(0)
	for longer := slices.Clone(other); testkit.SameDistribution(one, longer) >= level; by += time.Millisecond {
		for i := range longer {
			longer[i] += time.Millisecond
		}
	}
	return by
}
