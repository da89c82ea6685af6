package ratelimit

import "context"

// Forgive makes a subject's budget full, as a good login does.
func (l *Limiter) Forgive(ctx context.Context, limit Limit, subject ...string) {
	l.forget(ctx, l.budget(limit, subject...))
}

// MostOver is how many subjects Rows remembers.
const MostOver = mostOver

// Remembered is how many it does.
func (r *Rows) Remembered() int { return len(r.over) }
