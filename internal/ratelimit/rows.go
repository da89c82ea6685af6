package ratelimit

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Rows is a limit whose budgets stand in rows of Postgres that the requests' own statements
// lock, judge ([WaitSQL]) and move ([FullAtSQL]), in place of a question to Redis. It is safe
// for concurrent use.
//
// Whoever was refused is known until their next try would pass, and is refused again without
// a statement: only tries that pass move a budget, and they move it away, so that what a
// replica remembers can be too short and never too long. A flood does not reach Postgres.
type Rows struct {
	limit   Limit
	refused *atomic.Uint64

	mu   sync.Mutex
	over map[uuid.UUID]time.Time // subject: when a try would pass
}

// mostOver bounds what Rows remembers: a hundred bytes each. Beyond it, whoever is refused
// is asked about again.
const mostOver = 10_000

// Rows is a limit of this limiter's half that is kept in rows.
func (l *Limiter) Rows(limit Limit) (*Rows, error) {
	refused, known := l.refused[limit.Name]
	if limit.PerMinute < 1 || !known {
		return nil, errNoLimit
	}
	return &Rows{limit: limit, refused: refused, over: map[uuid.UUID]time.Time{}}, nil
}

// Interval is the time for which one try is counted: @each in [FullAtSQL].
func (r *Rows) Interval() time.Duration { return r.limit.interval() }

// Check returns [*Exceeded] if the subject is known to be over the limit at now.
func (r *Rows) Check(subject uuid.UUID, now time.Time) error {
	r.mu.Lock()
	until, known := r.over[subject]
	r.mu.Unlock()
	if !known || !now.Before(until) {
		return nil
	}
	return r.refuse(until.Sub(now))
}

// Exceed returns the [*Exceeded] of a try at now that a statement found to be over the limit
// by wait ([WaitSQL]), and remembers it.
func (r *Rows) Exceed(subject uuid.UUID, now time.Time, wait time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.over) >= mostOver {
		for other, until := range r.over {
			if !now.Before(until) {
				delete(r.over, other)
			}
		}
	}
	if len(r.over) < mostOver {
		r.over[subject] = now.Add(wait)
	}
	return r.refuse(wait)
}

func (r *Rows) refuse(wait time.Duration) error {
	r.refused.Add(1)
	return &Exceeded{Limit: r.limit, RetryAfter: wait}
}

// FullAtSQL is when the budget that is full at column (NULL: since ever) will be full again
// after one more try at @now; @each is [Rows.Interval]. The row must be locked. As in Redis,
// a time that no try can have left there was written by a clock that was ahead, and counts
// for nothing.
func FullAtSQL(column string) string {
	return `CASE WHEN ` + column + ` <= @now + ` + intervalSQL(window+skew) + ` THEN greatest(` + column + `, @now) ELSE @now END + @each`
}

// WaitSQL is how long it is until that try may pass; NULL: it passes.
func WaitSQL(column string) string {
	full := FullAtSQL(column)
	return `CASE WHEN ` + full + ` > @now + ` + intervalSQL(window) + ` THEN ` + full + ` - @now - ` + intervalSQL(window) + ` END`
}

func intervalSQL(d time.Duration) string {
	return `interval '` + strconv.FormatInt(d.Microseconds(), 10) + ` microseconds'`
}
