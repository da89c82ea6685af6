package ratelimit

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Config is what a [Limiter] works with.
type Config struct {
	Redis Redis
	// Prefix begins every key: "dao:" or "fos:".
	Prefix string
	// Key hides the subjects, at least 32 bytes. All replicas of a half have the
	// same; after a change every budget is full.
	Key privacy.Key
	// Timeout is what one question may cost a request, however many budgets it asks
	// for; 250 ms if not set.
	Timeout time.Duration
	Log     *slog.Logger
	// Now is for the rhythm of the log alone; time.Now if not set.
	Now func() time.Time
}

const (
	defaultTimeout = 250 * time.Millisecond
	minKeyBytes    = 32
	subjectBytes   = 16
)

// Limiter takes tries from budgets. It is safe for concurrent use.
type Limiter struct {
	store   gcra
	key     *privacy.MAC
	timeout time.Duration
	watch   watch
	refused map[string]*atomic.Uint64 // by limit
}

// New refuses a key of fewer than 32 bytes, which could be guessed and the
// subjects with it, and an empty prefix.
func New(config Config) (*Limiter, error) {
	if len(config.Key.Reveal()) < minKeyBytes {
		return nil, errShortKey
	}
	if config.Prefix == "" {
		return nil, errors.New("ratelimit: keys have no prefix")
	}
	l := &Limiter{
		store: newGCRA(config.Redis, config.Prefix), key: config.Key.MAC(), timeout: config.Timeout,
		watch: watch{log: config.Log.With("prefix", config.Prefix), now: config.Now},
	}
	l.refused = map[string]*atomic.Uint64{}
	for _, limit := range (Numbers{}).Limits().all() {
		l.refused[limit.Name] = new(atomic.Uint64)
	}
	if l.timeout <= 0 {
		l.timeout = defaultTimeout
	}
	if l.watch.now == nil {
		l.watch.now = time.Now
	}
	return l, nil
}

var errShortKey = errors.New("ratelimit: key is shorter than 32 bytes")

// Take counts one try of the subject, given in as many parts as it has. It returns
// nil when the try is within the limit, [*Exceeded] when not, and, when Redis
// cannot say, what the limit chose: nil, or an *outage.Error.
func (l *Limiter) Take(ctx context.Context, limit Limit, subject ...string) error {
	return l.takeEach(ctx, l.budget(limit, subject...))
}

// Passed counts the tries that passed because Redis could not be asked, since the
// process began.
func (l *Limiter) Passed() uint64 { return l.watch.passed.Load() }

// Refused counts the tries that were refused, by the name of the limit to wait for.
func (l *Limiter) Refused() map[string]uint64 {
	all := map[string]uint64{}
	for name, n := range l.refused {
		all[name] = n.Load()
	}
	return all
}

// budget is one subject's share of a limit.
type budget struct {
	limit Limit
	key   string // without the half's prefix
}

// budget finds the subject's key. Name and parts are written with their lengths:
// ("a", "bc") and ("ab", "c") are two subjects. The attack: an account name that
// is made to end in what the other part begins with, so that one subject's tries
// are counted for, or forgiven with, another's.
func (l *Limiter) budget(limit Limit, subject ...string) budget {
	text := make([]byte, 0, 256)
	write := func(part string) {
		text = append(binary.BigEndian.AppendUint64(text, uint64(len(part))), part...)
	}
	write(limit.Name)
	for _, part := range subject {
		write(part)
	}
	return budget{limit, limit.Name + ":" + hex.EncodeToString(l.key.Of(text)[:subjectBytes])}
}

// takeEach takes from budgets in their order until one refuses. What comes after
// that is only looked at: its owner may be somebody else. It is looked at all the
// same, because a Retry-After must not send a person into the next refusal.
func (l *Limiter) takeEach(ctx context.Context, budgets ...budget) error {
	within, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	refused, longest := false, &Exceeded{RetryAfter: -1}
	for _, b := range budgets {
		if b.limit.PerMinute < 1 || b.limit.Name == "" {
			return errNoLimit // a limit that nobody configured must not let all pass
		}
		cost := 1
		if refused {
			cost = 0
		}
		at, err := l.store.take(within, b, cost)
		if err != nil {
			l.watch.failed(ctx, err)
			if refused {
				break // what is known is reason enough
			}
			if b.limit.OnOutage != Open {
				return outage.Redis(err)
			}
			l.watch.passed.Add(1)
			continue
		}
		l.watch.answered(ctx)
		refused = refused || at.refused
		if at.wait > longest.RetryAfter {
			longest = &Exceeded{Limit: b.limit, RetryAfter: at.wait}
		}
	}
	if !refused {
		return nil
	}
	if n, known := l.refused[longest.Limit.Name]; known {
		n.Add(1)
	}
	return longest
}

var errNoLimit = errors.New("ratelimit: the limit has no name or no number")

// forget makes the budget full. It is best effort: what fails is logged, and the budget
// fills by itself within a minute.
func (l *Limiter) forget(ctx context.Context, b budget) { l.undo(ctx, b, l.store.forget) }

// undo outlives the request: whoever showed the right password and closed the tab
// is still who they are.
func (l *Limiter) undo(ctx context.Context, b budget, how func(context.Context, budget) error) {
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	if err := how(within, b); err != nil {
		l.watch.failed(within, err)
		return
	}
	l.watch.answered(ctx)
}
