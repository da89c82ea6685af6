package ratelimit

import "context"

// Forgive makes a subject's budget full, as a good login does.
func (l *Limiter) Forgive(ctx context.Context, limit Limit, subject ...string) {
	l.forget(ctx, l.budget(limit, subject...))
}

// MostRecent is how many are remembered of a minute.
const MostRecent = mostRecent

// First is what [Limiter.Start] asks of its memory.
func (l *Limiter) First(subject string) bool {
	return l.recent.first(l.budget(Limit{Name: "test"}, subject).subject)
}

// Recent is how many are remembered of the minute that runs.
func (l *Limiter) Recent() int { return len(l.recent.young) }
