// Package behind runs what is done behind an answer: short commands that nobody waits
// for, and that may fail.
//
// Their number is bounded, and beyond the bound they are not done: nothing that must
// happen belongs here. Each has a second, whatever its request had left, and goes on
// when the request is over. A process that leaves waits for them before it closes what
// they use.
package behind

import (
	"context"
	"time"

	"golang.org/x/sync/semaphore"
)

// Time is how long each may take.
const Time = time.Second

// Work runs commands. It is safe for concurrent use, also of Do with Wait: requests that
// outlast the process' patience may still begin something.
type Work struct {
	most   int64
	places *semaphore.Weighted
}

// New runs up to most commands at once.
func New(most int) *Work { return &Work{int64(most), semaphore.NewWeighted(int64(most))} }

// Do runs command by itself, with the values of ctx but not its end, and reports
// whether there was a place for it.
func (w *Work) Do(ctx context.Context, command func(ctx context.Context)) bool {
	if !w.places.TryAcquire(1) {
		return false
	}
	go func() {
		defer w.places.Release(1)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Time)
		defer cancel()
		command(ctx)
	}()
	return true
}

// Wait returns when nothing runs.
func (w *Work) Wait() {
	if w.places.Acquire(context.Background(), w.most) == nil { // it has no end, and so no error
		w.places.Release(w.most)
	}
}
