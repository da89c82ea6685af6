package password_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/hello-world-co-op/handoff/password"
)

// BenchmarkVerifyAgainstTheBareHash: what a Hasher that is kept busy by as many
// callers as there are processors verifies in a second, and what they compute without
// it. Both in turns in one run, since a machine is not as fast from one minute to the
// next; the ratio is the figure.
//
//	go test -run '^$' -bench BareHash -benchtime 20x ./password
func BenchmarkVerifyAgainstTheBareHash(b *testing.B) {
	callers := runtime.GOMAXPROCS(0)
	h := password.NewHasher(password.Limits{Concurrent: callers})
	stored, err := password.Hash("right")
	if err != nil {
		b.Fatal(err)
	}
	salt := make([]byte, 16)
	bareHash := func() { argon2.IDKey([]byte("guess"), salt, 3, 64*1024, 4, 32) }
	verify := func() {
		if _, err := h.Verify(b.Context(), stored, "guess"); err != nil {
			b.Error(err)
		}
	}

	const each = 4
	var bare, verified time.Duration
	for b.Loop() {
		bare += together(callers, each, bareHash)
		verified += together(callers, each, verify)
	}
	computed := float64(b.N * callers * each)
	b.ReportMetric(computed/bare.Seconds(), "bare/s")
	b.ReportMetric(computed/verified.Seconds(), "verified/s")
	b.ReportMetric(bare.Seconds()/verified.Seconds(), "verified/bare")
	b.ReportMetric(0, "ns/op") // of both together: says nothing
}

// together is how long the callers take to do something so many times each.
func together(callers, times int, do func()) time.Duration {
	var all sync.WaitGroup
	begun := time.Now()
	for range callers {
		all.Go(func() {
			for range times {
				do()
			}
		})
	}
	all.Wait()
	return time.Since(begun)
}

// BenchmarkLogin is one failed login at a time, by the highest bcrypt cost that is
// left in the table.
func BenchmarkLogin(b *testing.B) {
	h := password.NewHasher(password.Limits{Concurrent: 1})
	for _, cost := range []struct {
		name string
		cost int
	}{{"no-bcrypt", 0}, {"bcrypt-10", 10}, {"bcrypt-12", 12}} {
		b.Run(cost.name, func(b *testing.B) {
			for b.Loop() {
				if err := h.WithLegacyBcrypt(cost.cost).VerifyNothing(b.Context(), "guess"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
