package session_test

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	firstKey  = "the first key of thirty-two bytes."
	secondKey = "the second key, of more than that."
)

// id is a readable UUID: its last byte counts.
func id(last uint64) uuid.UUID {
	u := uuid.MustParse("0190a000-0000-7000-8000-000000000000")
	binary.BigEndian.PutUint32(u[12:], uint32(last)) //nolint:gosec // G115: small by construction
	return u
}

// counting is a source of randomness whose reads end in 1, 2, 3 and so on.
type counting struct{ reads atomic.Uint32 }

func (c *counting) Read(into []byte) (int, error) {
	clear(into)
	into[len(into)-1] = byte(c.reads.Add(1)) //nolint:gosec // G115: a test makes few
	return len(into), nil
}

// tokenID is the id of the token that was signed as the n-th, in a generation.
func tokenID(n, generation byte) uuid.UUID {
	return uuid.UUID{6: 0x80, 8: 0x80, 11: n, 15: generation}
}

// configAt is the protocol's default, with a clock that the test moves and token
// ids that count.
func configAt(clock *testkit.Clock) session.Config {
	return session.Config{
		Key: privacy.NewSecret(firstKey), Issuer: "founderyos", Audience: "founderyos-api",
		AccessTTL: 30 * time.Minute, RefreshTTL: 7 * 24 * time.Hour,
		Now: clock.Now, Random: &counting{},
	}
}

func signer(t testing.TB, c session.Config) *session.Signer {
	t.Helper()
	s, err := session.NewSigner(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stay is a session by hand-off that began at now and was refreshed twice.
func stay(now time.Time) session.Session {
	handoff := id(0xc)
	return session.Session{
		ID: id(0xb), UserID: id(0xa), Origin: session.Handoff, HandoffID: &handoff, Generation: 3,
		AuthTime: now.Add(-time.Hour), AMR: []string{"pwd", "otp"},
		CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(7 * 24 * time.Hour),
	}
}

func pair(t testing.TB, s *session.Signer, of session.Session) session.Pair {
	t.Helper()
	p, err := s.Pair(of, "member")
	if err != nil {
		t.Fatal(err)
	}
	return p
}
