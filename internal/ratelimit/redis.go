package ratelimit

import (
	"context"
	"time"

	redisrate "github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// Redis is what the limiter needs of a client; every redis.UniversalClient has it.
// The client must heed deadlines and must not repeat commands by itself (package
// datastore): a try whose answer was slow would be counted twice.
type Redis interface {
	redis.Scripter
	Del(ctx context.Context, keys ...string) *redis.IntCmd
}

// prefixed puts every key under prefix. The library begins its keys with "rate:",
// and operators admit a half to "dao:*" or "fos:*".
type prefixed struct {
	Redis
	prefix string
}

func (p prefixed) under(keys []string) []string {
	all := make([]string, 0, len(keys))
	for _, key := range keys {
		all = append(all, p.prefix+key)
	}
	return all
}

// Eval, and the others below, are the methods of the client that name a key.
func (p prefixed) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return p.Redis.Eval(ctx, script, p.under(keys), args...)
}

func (p prefixed) EvalSha(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	return p.Redis.EvalSha(ctx, sha1, p.under(keys), args...)
}

func (p prefixed) EvalRO(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	return p.Redis.EvalRO(ctx, script, p.under(keys), args...)
}

func (p prefixed) EvalShaRO(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	return p.Redis.EvalShaRO(ctx, sha1, p.under(keys), args...)
}

func (p prefixed) Del(ctx context.Context, keys ...string) *redis.IntCmd {
	return p.Redis.Del(ctx, p.under(keys)...)
}

// gcra keeps the budgets.
type gcra struct{ limiter *redisrate.Limiter }

func newGCRA(client Redis, prefix string) gcra {
	return gcra{redisrate.NewLimiter(prefixed{client, prefix})}
}

// level is what a budget stands at.
type level struct {
	refused bool
	wait    time.Duration // until one more try would pass; zero when it would now
	reset   time.Duration // until the budget is full
}

// skew is by how much the clock may have been set back, in small corrections, before a
// budget counts as nonsense: that of Redis, or a replica's ([FullAtSQL]).
const skew = time.Second

// take asks for cost tries; with 0 it only looks.
//
// A budget is full a minute after the last try that it counted. One that needs
// longer was counted by another clock: Redis' was set back, or a replica took over
// whose clock is behind. It is forgotten, or it would keep a person out for as
// long as the clocks are apart.
func (g gcra) take(ctx context.Context, b budget, cost int) (level, error) {
	found, err := g.ask(ctx, b, cost)
	if err != nil || found.reset <= window+skew {
		return found, err
	}
	if err := g.forget(ctx, b); err != nil {
		return level{}, err
	}
	return g.ask(ctx, b, cost)
}

func (g gcra) ask(ctx context.Context, b budget, cost int) (level, error) {
	result, err := g.limiter.AllowN(ctx, b.key, redisrate.PerMinute(b.limit.PerMinute), cost)
	if err != nil {
		return level{}, err
	}
	return level{
		refused: result.Allowed < cost,
		wait:    max(0, result.ResetAfter+b.limit.interval()-window),
		reset:   result.ResetAfter,
	}, nil
}

// giveBack takes one try back. The script with a cost of -1 does that where more
// than one try is counted, and else changes nothing; then forgetting is the same,
// but for a try that comes in between and is forgotten too.
func (g gcra) giveBack(ctx context.Context, b budget) error {
	left, err := g.ask(ctx, b, -1)
	if err != nil || left.reset > 0 {
		return err
	}
	return g.forget(ctx, b)
}

// forget makes a budget full.
func (g gcra) forget(ctx context.Context, b budget) error {
	return g.limiter.Reset(ctx, b.key)
}
