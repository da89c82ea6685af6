package ratelimit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// watch tells operators when Redis stops answering and when it answers again. A
// line for each request would bury the log just then.
type watch struct {
	log    *slog.Logger
	now    func() time.Time
	passed atomic.Uint64

	trouble atomic.Bool // whether the last question failed

	mu        sync.Mutex
	announced bool
	said      time.Time
	passedAt  uint64 // passed, when it was announced
}

// pause is the shortest time between two announcements: a Redis that answers every
// other question would have one for each.
const pause = time.Minute

// failed notes that Redis did not answer. A caller who gave up is no outage.
func (w *watch) failed(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble.Store(true)
	if now := w.now(); !w.announced && (w.said.IsZero() || now.Sub(w.said) >= pause) {
		w.announced, w.said, w.passedAt = true, now, w.passed.Load()
		w.log.WarnContext(ctx, "redis does not answer the rate limits: until it does, open ones let every try pass and closed ones none",
			"error", err)
	}
}

// answered notes that Redis did.
func (w *watch) answered(ctx context.Context) {
	if !w.trouble.Load() { // nearly always, and without the lock
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trouble.Store(false)
	if w.announced {
		w.announced = false
		w.log.InfoContext(ctx, "redis answers the rate limits again", "passed_uncounted", w.passed.Load()-w.passedAt)
	}
}
