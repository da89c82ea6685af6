package testkit_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// durations are skewed as real ones are: most near the least, few far above.
func durations(r *rand.Rand, n int) []time.Duration {
	made := make([]time.Duration, n)
	for i := range made {
		made[i] = 100*time.Millisecond + time.Duration(float64(10*time.Millisecond)*r.ExpFloat64())
	}
	return made
}

func shifted(durations []time.Duration, by time.Duration) []time.Duration {
	moved := slices.Clone(durations)
	for i := range moved {
		moved[i] += by
	}
	return moved
}

// p is what it says: the share of all ways to deal the same durations into two heaps
// that lie as far apart. Here they are dealt, many times, and counted pair by pair.
func TestSameDistributionIsTheShareOfDealings(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	rounded := func(by, to time.Duration) (a, b []time.Duration) {
		a, b = durations(r, 24), shifted(durations(r, 30), by)
		for _, each := range [][]time.Duration{a, b} {
			for i := range each {
				each[i] = each[i].Round(to)
			}
		}
		return a, b
	}
	for _, test := range []struct {
		name   string
		by, to time.Duration
	}{
		{"no difference", 0, time.Nanosecond},
		{"a small one", 2 * time.Millisecond, time.Nanosecond},
		{"a larger one", 4 * time.Millisecond, time.Nanosecond},
		{"a clock of 5 ms", 3 * time.Millisecond, 5 * time.Millisecond},
		{"a clock of 10 ms", 3 * time.Millisecond, 10 * time.Millisecond},
	} {
		a, b := rounded(test.by, test.to)
		want, got := dealt(r, a, b), testkit.SameDistribution(a, b)
		t.Logf("%s: p = %.4f, of all dealings %.4f", test.name, got, want)
		if math.Abs(got-want) > 0.01+want/10 {
			t.Errorf("%s: p = %.4f, of all dealings %.4f lie as far apart", test.name, got, want)
		}
		if back := testkit.SameDistribution(b, a); math.Abs(back-got) > 1e-12 {
			t.Errorf("%s: p = %v, the other way round %v", test.name, got, back)
		}
	}
}

func dealt(r *rand.Rand, a, b []time.Duration) float64 {
	const dealings = 10000
	all := slices.Concat(a, b)
	observed, asFar := imbalance(a, b), 0
	for range dealings {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if imbalance(all[:len(a)], all[len(a):]) >= observed {
			asFar++
		}
	}
	return float64(asFar) / dealings
}

// imbalance is by how much more pairs have the longer one on the one side.
func imbalance(a, b []time.Duration) int {
	sum := 0
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				sum++
			case x < y:
				sum--
			}
		}
	}
	return max(sum, -sum)
}

// A test at p < 1e-4 that fails on one honest run of two hundred would be switched
// off soon. And one that an outlier blinds would not be worth running.
func TestSameDistributionIsRightAboutBoth(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	low, strict, found := 0, 0, 0
	const rounds = 4000
	for range rounds {
		a, b := durations(r, 50), durations(r, 50)
		p := testkit.SameDistribution(a, b)
		if p < 0.05 {
			low++
		}
		if p < 1e-4 {
			strict++
		}
		b[0] += time.Hour
		if testkit.SameDistribution(a, shifted(b, 12*time.Millisecond)) < 1e-4 {
			found++
		}
	}
	if low < rounds/25 || low > rounds*6/100 {
		t.Errorf("of %d alike pairs %d have p < 0.05, want about %d", rounds, low, rounds/20)
	}
	if strict > 3 {
		t.Errorf("of %d alike pairs %d have p < 1e-4", rounds, strict)
	}
	if found < rounds*9/10 {
		t.Errorf("of %d pairs 12 ms apart, with one outlier of an hour, %d are found", rounds, found)
	}
}

func TestSameDistributionOfWhatNeverVaries(t *testing.T) {
	t.Parallel()
	same := make([]time.Duration, 20)
	if p := testkit.SameDistribution(same, same); p != 1 {
		t.Errorf("all equal: p = %v, want 1", p)
	}
	if p := testkit.SameDistribution(same, shifted(same, 1)); p > 1e-8 {
		t.Errorf("all of one shorter than all of the other: p = %v", p)
	}
}

// The attack on a test: samples so small that it can never fail.
func TestSameDistributionWantsEnough(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("19 durations were compared")
		}
	}()
	testkit.SameDistribution(make([]time.Duration, 19), make([]time.Duration, 20))
}
