package testkit

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// leastRanked is how many durations of each kind a comparison takes at least: the
// normal approximation is poor below, and too few would find everything alike.
const leastRanked = 20

// SameDistribution compares what two ways of doing something take: p is the
// probability that the two would lie as far apart as they do, or further, if it made
// no difference which way was taken. A small p says that whoever measures can tell
// the ways apart; a large one only that this many durations do not show it. So a
// test that wants "alike" shows beside it that the same number of durations finds
// ways that do differ. Measure the ways in turns, in an order that is random, or
// what else the machine was doing makes the difference.
//
// It is the two-sided rank sum test of Mann and Whitney (Annals of Mathematical
// Statistics 18, 1947, pages 50 to 60), by its normal approximation, corrected for
// ties and continuity. Ranks, because durations are skewed and a single one may be
// longer than all others together (a page fault, another process), which decides a
// test of means; and because the one thing asked is whether the one way tends to
// take longer, which is what an attacker who sorts answers by time makes use of
// (Crosby, Wallach and Riedi, Opportunities and Limits of Remote Timing Attacks, ACM
// TISSEC 12, 2009). It does not see ways with one median that only scatter
// differently.
//
// It panics with fewer than 20 durations of either kind.
func SameDistribution(a, b []time.Duration) (p float64) {
	if len(a) < leastRanked || len(b) < leastRanked {
		panic(fmt.Sprintf("testkit: %d and %d durations compare to nothing; take %d of each", len(a), len(b), leastRanked))
	}
	all := slices.Concat(a, b)
	slices.Sort(all)
	n, m, sum := float64(len(a)), float64(len(b)), float64(len(all))

	// u is how many pairs of one of a and one of b have the longer one in a; of equal
	// ones, half.
	u := -n * (n + 1) / 2
	for _, d := range a {
		first, beyond := extent(all, d)
		u += float64(first+1+beyond) / 2 // the mean of the ranks of all that are equal
	}
	ties := 0.0
	for first := 0; first < len(all); {
		_, beyond := extent(all, all[first])
		k := float64(beyond - first)
		ties += k*k*k - k
		first = beyond
	}
	variance := n * m / 12 * (sum + 1 - ties/(sum*(sum-1)))
	if variance == 0 {
		return 1 // all are equal
	}
	distance := max(math.Abs(u-n*m/2)-0.5, 0)
	return math.Erfc(distance / math.Sqrt(2*variance))
}

// extent is the index of the first that equals d, and of the first behind.
func extent(sorted []time.Duration, d time.Duration) (first, beyond int) {
	first, _ = slices.BinarySearch(sorted, d)
	beyond, _ = slices.BinarySearch(sorted, d+1)
	return first, beyond
}
