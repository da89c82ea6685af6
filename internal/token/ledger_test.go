package token_test

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hello-world-co-op/handoff/internal/token"
)

func attemptOf(t testing.TB, key string, of token.Digest) token.Attempt {
	t.Helper()
	a, err := token.NewAttempt(key, of, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The whole table of the package comment: redeemed by whom and when, expired or
// not, source live or not.
func TestJudge_theWholeTable(t *testing.T) {
	t.Parallel()
	digest := newToken(t).Digest()
	mine, theirs := attemptOf(t, "my own key, sixteen+", digest), attemptOf(t, "another key, sixteen+", digest)
	const (
		nobody = iota
		me
		other
		burntByMe
	)
	for _, row := range []struct {
		name     string
		redeemed int
		ago      time.Duration // since the redemption
		left     time.Duration // until expiry; the first moment of 0 is expired
		live     bool
		want     token.Verdict
	}{
		{"nobody came yet", nobody, 0, time.Second, true, token.Open},
		{"the last moment", nobody, 0, time.Nanosecond, true, token.Open},
		{"I2: the first moment after", nobody, 0, 0, true, token.Expired},
		{"a day later", nobody, 0, -24 * time.Hour, true, token.Expired},
		{"the source ended", nobody, 0, time.Second, false, token.SourceEnded},
		{"expired before the source ended", nobody, 0, -time.Second, false, token.Expired},

		{"I8: my own answer was lost", me, time.Second, time.Second, true, token.Ours},
		{"I8: the window's last moment", me, token.RepeatWindow, time.Second, true, token.Ours},
		{"I8: just past the window", me, token.RepeatWindow + 1, time.Second, true, token.Replayed},
		{"I8: signing out does not take the answer back", me, time.Second, time.Second, false, token.Ours},
		{"a replica whose clock is behind the redeemer's", me, -time.Second, time.Second, true, token.Ours},
		{"I2: not even a repeat after 60 s", me, time.Second, 0, true, token.Replayed},

		{"I8: somebody else has it", other, time.Second, time.Second, true, token.Replayed},
		{"I8: still a replay after it expired", other, time.Minute, -time.Second, true, token.Replayed},
		{"I8: still a replay a day later", other, 24 * time.Hour, -24 * time.Hour, false, token.Replayed},
		{"I7: burnt, and shown again by whoever burnt it", burntByMe, time.Second, time.Second, true, token.OursBurnt},
		{"I7: burnt by me, and the window is over", burntByMe, token.RepeatWindow + 1, time.Second, true, token.Replayed},
	} {
		entry := token.Entry{ExpiresAt: noon.Add(row.left), SourceLive: row.live}
		if row.redeemed != nobody {
			at := noon.Add(-row.ago)
			entry.RedeemedAt, entry.Attempt, entry.Burnt = &at, mine[:], row.redeemed == burntByMe
			if row.redeemed == other {
				entry.Attempt = theirs[:]
			}
		}
		if got := token.Judge(entry, mine, noon); got != row.want {
			t.Errorf("%s: verdict %d, want %d", row.name, got, row.want)
		}
	}
}

// An attempt that is not there is nobody's, also not the zero attempt's.
func TestJudge_aRedemptionWithoutAttemptIsNobodys(t *testing.T) {
	t.Parallel()
	at := noon
	entry := token.Entry{ExpiresAt: noon.Add(time.Second), RedeemedAt: &at, SourceLive: true}
	if got := token.Judge(entry, token.Attempt{}, noon); got != token.Replayed {
		t.Errorf("verdict %d", got)
	}
}

func TestNewAttempt_theSameKeyIsTheSameAttemptForOneTokenOnly(t *testing.T) {
	t.Parallel()
	one, other := newToken(t).Digest(), newToken(t).Digest()
	const key = "an idempotency key"
	first := attemptOf(t, key, one)
	if attemptOf(t, key, one) != first {
		t.Error("the same key makes two attempts")
	}
	if attemptOf(t, key, other) == first {
		t.Error("a key's scope is more than its token")
	}
	if attemptOf(t, key+"!", one) == first {
		t.Error("two keys make one attempt")
	}
}

func TestNewAttempt_withoutAKeyIsRandom(t *testing.T) {
	t.Parallel()
	digest := newToken(t).Digest()
	random := bytes.NewReader(append(bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)...))
	first, err := token.NewAttempt("", digest, random)
	if err != nil {
		t.Fatal(err)
	}
	second, err := token.NewAttempt("", digest, random)
	if err != nil {
		t.Fatal(err)
	}
	if first == second {
		t.Error("two callers without a key are taken for one")
	}
	if _, err := token.NewAttempt("", digest, iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("an attempt without randomness: the next caller without a key would be taken for this one")
	}
}

// One array must not be written over by the next attempt: the digest's own.
func TestNewAttempt_leavesTheDigestAlone(t *testing.T) {
	t.Parallel()
	tok := newToken(t)
	digest := tok.Digest()
	attemptOf(t, "an idempotency key", digest)
	if digest != tok.Digest() {
		t.Error("the digest changed")
	}
}

// A redeemed token has ten seconds to live, or what is left of its minute. Redis that
// gives it more has not heard of the redemption.
func TestI1_aTokenThatIsBackIsRecognised(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name            string
		ago, remaining  time.Duration
		unredeemed, yes bool
	}{
		{"not redeemed", 0, 50 * time.Second, true, false},
		{"gone", 5 * time.Second, 0, false, false},
		{"retiring is on its way", 4 * time.Second, 50 * time.Second, false, false},
		{"retired", 5 * time.Second, 5 * time.Second, false, false},
		{"brought back", 5 * time.Second, 50 * time.Second, false, true},
		{"just longer than a retired one", 5 * time.Second, token.RepeatWindow + 1, false, true},
		{"brought back late in its minute", 21 * time.Second, time.Second, false, true},
	} {
		at := noon.Add(-row.ago)
		entry := token.Entry{RedeemedAt: &at}
		if row.unredeemed {
			entry.RedeemedAt = nil
		}
		if back := entry.IsBack(row.remaining, noon); back != row.yes {
			t.Errorf("%s: %v", row.name, back)
		}
	}
}
