package token

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Carrier keeps sealed claims in Redis under the token's digest while the token
// lives. Its client must not retry commands by itself (package datastore).
type Carrier struct {
	client redis.UniversalClient
	prefix string
}

// NewCarrier carries the claims of tokens on their way (DAO half).
func NewCarrier(client redis.UniversalClient) *Carrier { return &Carrier{client, "dao:handoff:"} }

// NewParking carries [Parked] claims under the digest of the browser's secret (FOS half).
func NewParking(client redis.UniversalClient) *Carrier { return &Carrier{client, "fos:parked:"} }

// key has the digest as it is, not its hexadecimal form, which is 32 bytes longer: a live
// token should cost Redis few.
func (c *Carrier) key(d Digest) string { return c.prefix + string(d[:]) }

// ErrTaken says that a digest is carried already. With 256 random bits that is a
// broken random source, not chance.
var ErrTaken = errors.New("token: digest is taken")

// shortestTTL is Redis' own unit. The driver leaves out an expiry of zero or
// less, and the claims would stay for ever.
const shortestTTL = time.Millisecond

// Put carries sealed for ttl. It never overwrites: who could would replace the
// claims of a token that is on its way. With no time left it is an outage:
// whatever came before it took longer than a token lives.
func (c *Carrier) Put(ctx context.Context, d Digest, sealed []byte, ttl time.Duration) error {
	if ttl < shortestTTL {
		return outage.New("redis", errors.New("no time is left to carry the claims"))
	}
	err := c.client.SetArgs(ctx, c.key(d), sealed, redis.SetArgs{Mode: "NX", TTL: ttl}).Err()
	if errors.Is(err, redis.Nil) {
		return c.own(ctx, d, sealed)
	}
	return outage.Redis(err)
}

// own returns nil where what is carried is sealed itself. A Cluster client sends a
// command again whose answer was lost, and then finds its own work done. (The nonce in
// it is random: nobody else sealed the same.)
func (c *Carrier) own(ctx context.Context, d Digest, sealed []byte) error {
	there, err := c.Get(ctx, d)
	switch {
	case err != nil || bytes.Equal(there, sealed):
		return err
	case there == nil:
		return outage.New("redis", errors.New("the claims were there, and are not"))
	}
	return ErrTaken
}

// maxSealed bounds in bytes what is read: who writes Redis could make us hold what
// Redis can hold, half a gigabyte a key. What is longer is cut, and does not open.
const maxSealed = 16 << 10

// Get returns what is carried, nil when there is nothing. It does not consume:
// the ledger decides, and a read may be repeated.
func (c *Carrier) Get(ctx context.Context, d Digest) ([]byte, error) {
	sealed, err := c.client.GetRange(ctx, c.key(d), 0, maxSealed-1).Bytes()
	if len(sealed) == 0 {
		return nil, outage.Redis(err)
	}
	return sealed, outage.Redis(err)
}

// Remaining is how long the claims will live, 0 when there are none.
func (c *Carrier) Remaining(ctx context.Context, d Digest) (time.Duration, error) {
	remaining, err := c.client.PTTL(ctx, c.key(d)).Result()
	return max(0, remaining), outage.Redis(err) // Redis says -2 for none; -1, for ever, is never ours
}

// Retire lets the claims of a redeemed token live for [RepeatWindow] more, for a
// caller whose answer was lost. Losing this command is harmless: the ledger
// refuses a second use whatever Redis holds.
func (c *Carrier) Retire(ctx context.Context, d Digest) error {
	// LT: never longer than what was left of the 60 s. (Redis 7.)
	return outage.Redis(c.client.ExpireLT(ctx, c.key(d), RepeatWindow).Err())
}

// Drop forgets the claims of a burnt token at once.
func (c *Carrier) Drop(ctx context.Context, d Digest) error {
	return outage.Redis(c.client.Del(ctx, c.key(d)).Err())
}
