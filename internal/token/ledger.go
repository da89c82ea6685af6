package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
)

// Attempt tells one try at redeeming a token from another: the SHA-256 of the
// caller's Idempotency-Key, or of random bytes where there is none. It is stored
// with the redemption, so that whoever repeats after a lost answer, or whose
// COMMIT was not acknowledged, can ask "was that me?".
type Attempt [sha256.Size]byte

// NewAttempt makes the attempt of an Idempotency-Key, or a random one for "".
// The token's digest goes into it, since a key's scope is one token.
func NewAttempt(idempotencyKey string, digest Digest, random io.Reader) (Attempt, error) {
	if idempotencyKey == "" {
		var a Attempt
		if _, err := io.ReadFull(random, a[:]); err != nil {
			return Attempt{}, fmt.Errorf("token: read random bytes: %w", err)
		}
		return a, nil
	}
	return sha256.Sum256(append(digest[:], idempotencyKey...)), nil
}

// Entry is a token's row in the ledger, as far as its fate depends on it.
type Entry struct {
	HandoffID    uuid.UUID
	MemberID     uuid.UUID
	EntryProduct string
	Target       string
	ExpiresAt    time.Time
	RedeemedAt   *time.Time
	Burnt        bool // redeemed as wrong_target
	Attempt      []byte
	// SourceLive: the DAO session it was minted from has not ended, and its member
	// is active.
	SourceLive bool
}

// Verdict is what the ledger says of one attempt.
type Verdict int

// The verdicts.
const (
	// Open: not redeemed; this attempt may try to redeem it.
	Open Verdict = iota
	// Ours: this very attempt redeemed it, at most [RepeatWindow] ago, and the
	// token's own 60 s are not over.
	Ours
	// OursBurnt: this very attempt showed it for the wrong target, at most
	// [RepeatWindow] ago.
	OursBurnt
	// Replayed: somebody redeemed it before, or it was burnt.
	Replayed
	// Expired: 60 s are over and nobody came.
	Expired
	// SourceEnded: signed out, or deactivated, after the mint.
	SourceEnded
)

// Judge says how the ledger stands to attempt at now. A used token stays used
// when it expires: "used" is the answer that reveals a thief.
func Judge(e Entry, attempt Attempt, now time.Time) Verdict {
	if e.RedeemedAt != nil {
		own := subtle.ConstantTimeCompare(e.Attempt, attempt[:]) == 1
		// The 60 s end a repeat too (I2): else it would hang on Redis' clock whether the
		// claims are still there to repeat.
		inTime := now.Sub(*e.RedeemedAt) <= RepeatWindow && now.Before(e.ExpiresAt)
		switch {
		case own && inTime && e.Burnt:
			return OursBurnt
		case own && inTime:
			return Ours
		}
		return Replayed
	}
	switch {
	case !now.Before(e.ExpiresAt):
		return Expired
	case !e.SourceLive:
		return SourceEnded
	}
	return Open
}

// late is how long after the beginning of a redemption the claims may be in Redis as
// they were before: the gate may take 2.2 s, and [Carrier.Retire] behind the answer one.
const late = 4 * time.Second

// IsBack reports whether Redis has claims, with remaining left to live, that it should
// be about to forget, or should have forgotten: a retired token lives for
// [RepeatWindow]. That is a replica which took over without having heard of the
// redemption, or a snapshot that was restored; or a Retire that never arrived.
func (e Entry) IsBack(remaining time.Duration, now time.Time) bool {
	if e.RedeemedAt == nil || remaining <= 0 {
		return false
	}
	since := now.Sub(*e.RedeemedAt)
	return since > late && (remaining > RepeatWindow || since > 2*RepeatWindow)
}
