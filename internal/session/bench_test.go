package session_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The two tokens of a login, and the check of one that comes with each request.
func BenchmarkSigner(b *testing.B) {
	clock := testkit.NewClock()
	s, of := signer(b, configAt(clock)), stay(clock.Now())
	b.Run("Pair", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Pair(of, "member"); err != nil {
				b.Fatal(err)
			}
		}
	})
	pair := pair(b, s, of)
	b.Run("VerifyAccess", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.VerifyAccess(pair.Access.Reveal()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
