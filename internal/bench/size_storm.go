package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// storm is how many tokens are outstanding, or expire together.
	storm = 100_000
	// fuse is how long it takes to carry so many.
	fuse = 5 * time.Second
)

// tellStorm has the small one exchange while so many other tokens are outstanding, and while
// they expire in the same moment, half a second into the turn. Their rows are in the ledger in
// all turns: what a row says of its end is read when it is redeemed, and never otherwise.
func (s *sizing) tellStorm(ctx context.Context) error {
	r, err := s.rig(ctx, small)
	if err != nil {
		return err
	}
	if err := s.printf("\n%d live tokens that nobody comes with, and as many that expire together:\n", storm); err != nil {
		return err
	}
	c := r.world.crowd
	c.Live = storm
	s.options.Log("minting %d tokens that nobody comes with", storm)
	if err := pour(ctx, r.world.dao, daoLive, c.args()); err != nil {
		return err
	}
	sealed, err := r.world.sealLive(c)
	if err != nil {
		return err
	}
	with := func(until func() time.Time, lit time.Duration) func(context.Context) (func() error, error) {
		return func(ctx context.Context) (func() error, error) {
			end := until()
			if err := r.world.carryUntil(ctx, sealed, end); err != nil {
				return nil, err
			}
			if lit > 0 {
				select {
				case <-time.After(time.Until(end.Add(-lit))):
				case <-ctx.Done():
				}
			}
			return func() error { return r.world.forget(ctx, sealed) }, nil
		}
	}
	return s.alternate(ctx, []operation{operationOf("exchange")}, []variant{
		{name: "none", rig: r},
		{name: "outstanding", rig: r, begin: with(func() time.Time { return time.Now().Add(outstanding) }, 0)},
		{name: "expire", rig: r, begin: with(func() time.Time { return time.Now().Add(fuse) }, s.options.Turn/4)},
	})
}

// sealedToken is what is carried for a token, and under which key.
type sealedToken struct {
	key   string
	value []byte
}

// sealLive seals the claims of the crowd's live tokens.
func (w *world) sealLive(c crowd) ([]sealedToken, error) {
	all := make([]sealedToken, c.Live)
	for i := range all {
		tok, err := c.token(i + 1)
		if err != nil {
			return nil, err
		}
		claims, err := claimsOf(c.claimed(i + 1))
		if err != nil {
			return nil, err
		}
		value, err := w.carry(service, tok, claims)
		if err != nil {
			return nil, err
		}
		all[i] = sealedToken{carriedUnder(tok.Digest()), value}
	}
	return all, nil
}

// carryUntil carries tokens until that time.
func (w *world) carryUntil(ctx context.Context, tokens []sealedToken, end time.Time) error {
	return w.each(ctx, tokens, func(pipeline redis.Pipeliner, t sealedToken) {
		pipeline.SetArgs(ctx, t.key, t.value, redis.SetArgs{ExpireAt: end})
	})
}

func (w *world) forget(ctx context.Context, tokens []sealedToken) error {
	return w.each(ctx, tokens, func(pipeline redis.Pipeliner, t sealedToken) { pipeline.Unlink(ctx, t.key) })
}

// each sends a command for each of the tokens, some at a time.
func (w *world) each(ctx context.Context, tokens []sealedToken, send func(redis.Pipeliner, sealedToken)) error {
	pipeline := w.redis.Pipeline()
	for i, t := range tokens {
		send(pipeline, t)
		if pipeline.Len() == perPipeline || i == len(tokens)-1 {
			if _, err := pipeline.Exec(ctx); err != nil {
				return fmt.Errorf("bench: %w", err)
			}
		}
	}
	return nil
}
