package token_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// carry puts one sealed text for ttl and returns its key in Redis.
func carry(t *testing.T, c *token.Carrier, d token.Digest, ttl time.Duration) string {
	t.Helper()
	if err := c.Put(t.Context(), d, []byte("sealed"), ttl); err != nil {
		t.Fatal(err)
	}
	return "dao:handoff:" + string(d[:])
}

func TestCarrier_carriesUntilItsTimeIsOver(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	carrier, digest := token.NewCarrier(client), newToken(t).Digest()
	if sealed, err := carrier.Get(t.Context(), digest); sealed != nil || err != nil {
		t.Errorf("carries %q, %v before it was put", sealed, err)
	}
	key := carry(t, carrier, digest, token.TTL)
	for range 2 { // a read does not consume
		if sealed, err := carrier.Get(t.Context(), digest); string(sealed) != "sealed" || err != nil {
			t.Errorf("carries %q, %v", sealed, err)
		}
	}
	if ttl := client.PTTL(t.Context(), key).Val(); ttl <= token.TTL-5*time.Second || ttl > token.TTL {
		t.Errorf("lives %v more", ttl)
	}
	if err := carrier.Drop(t.Context(), digest); err != nil {
		t.Fatal(err)
	}
	if n := client.Exists(t.Context(), key).Val(); n != 0 {
		t.Error("a burnt token's claims are still there")
	}
}

// I2, I13: SET without an expiry would carry a person's data for ever, and the
// driver leaves the expiry out for zero and below.
func TestI2_nothingIsCarriedWithoutAnEnd(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	carrier := token.NewCarrier(client)
	for _, ttl := range []time.Duration{0, -time.Second, time.Microsecond} {
		digest := newToken(t).Digest()
		if err := carrier.Put(t.Context(), digest, []byte("sealed"), ttl); err == nil {
			t.Errorf("carried for %v", ttl)
		}
		if n := client.Exists(t.Context(), "dao:handoff:"+string(digest[:])).Val(); n != 0 {
			t.Errorf("the key of %v is there", ttl)
		}
	}
}

// The attack: put other claims under a digest that is on its way.
func TestCarrier_neverOverwrites(t *testing.T) {
	t.Parallel()
	carrier, digest := token.NewCarrier(testkit.Redis(t)), newToken(t).Digest()
	carry(t, carrier, digest, token.TTL)
	if err := carrier.Put(t.Context(), digest, []byte("forged"), token.TTL); !errors.Is(err, token.ErrTaken) {
		t.Errorf("error %v", err)
	}
	if sealed, err := carrier.Get(t.Context(), digest); string(sealed) != "sealed" || err != nil {
		t.Errorf("carries %q, %v", sealed, err)
	}
}

// A Cluster client sends a command again whose answer was lost: it meets its own work.
func TestCarrier_aCommandThatWasSentTwiceIsDoneOnce(t *testing.T) {
	t.Parallel()
	carrier, digest := token.NewCarrier(testkit.Redis(t)), newToken(t).Digest()
	carry(t, carrier, digest, token.TTL)
	carry(t, carrier, digest, token.TTL)
}

// I8: a redeemed token's claims stay for a repeat, and I2: never longer than they
// would have.
func TestCarrier_retiringShortensOnly(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	carrier, young, old := token.NewCarrier(client), newToken(t).Digest(), newToken(t).Digest()
	youngKey, oldKey := carry(t, carrier, young, token.TTL), carry(t, carrier, old, 2*time.Second)
	for _, digest := range []token.Digest{young, old} {
		if err := carrier.Retire(t.Context(), digest); err != nil {
			t.Fatal(err)
		}
	}
	if ttl := client.PTTL(t.Context(), youngKey).Val(); ttl > token.RepeatWindow || ttl < token.RepeatWindow-5*time.Second {
		t.Errorf("a fresh token's claims live %v more", ttl)
	}
	if ttl := client.PTTL(t.Context(), oldKey).Val(); ttl > 2*time.Second {
		t.Errorf("an old token's claims live %v more", ttl)
	}
}

func TestCarrier_whatRedisCannotDoIsAnOutage(t *testing.T) {
	t.Parallel()
	carrier, digest := token.NewCarrier(testkit.Redis(t)), newToken(t).Digest()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, getErr := carrier.Get(ctx, digest)
	for name, err := range map[string]error{
		"put": carrier.Put(ctx, digest, []byte("sealed"), token.TTL), "get": getErr,
		"retire": carrier.Retire(ctx, digest), "drop": carrier.Drop(ctx, digest),
	} {
		var down *outage.Error
		if !errors.As(err, &down) || down.Dependency != "redis" || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
