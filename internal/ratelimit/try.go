package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// Try is a try that is counted while its caller goes on.
type Try struct {
	// First says that the subject has not tried here for a minute at least. Of anybody else
	// it is known how they stand when [Limiter.Start] returns: [Try.Within] does not wait.
	First bool

	counted chan struct{} // closed when err is known
	err     error
}

// Start is [Limiter.Take] for who may do something in the meantime that one try too many
// does not hurt. Whoever has tried here within the last minute is counted first, as by Take:
// the caller asks [Try.Within] before anything else, and what is over the limit costs nobody
// but Redis anything. For a first try the caller asks as late as before what must not be
// without leave. So whoever is over their limit gets ahead of their refusal once a minute
// for each process.
//
// The caller always asks in the end: until then the try may not be counted.
func (l *Limiter) Start(ctx context.Context, limit Limit, subject ...string) *Try {
	b := l.budget(limit, subject...)
	t := &Try{First: l.recent.first(b.subject), counted: make(chan struct{})}
	if !t.First {
		t.take(ctx, l, b)
		return t
	}
	go t.take(ctx, l, b)
	return t
}

// Within is what [Limiter.Take] would have returned. It waits for it, no longer than
// [Config.Timeout].
func (t *Try) Within() error {
	<-t.counted
	return t.err
}

var errPanicked = errors.New("ratelimit: panic")

// take turns a panic into an error: in a goroutine of its own it would end the process.
func (t *Try) take(ctx context.Context, l *Limiter, b budget) {
	defer close(t.counted)
	defer func() {
		if reason := recover(); reason != nil { // its text may be anything: its type must do
			t.err = fmt.Errorf("%w: %T\n%s", errPanicked, reason, debug.Stack())
		}
	}()
	t.err = errPanicked // unless takeEach returns (runtime.Goexit does not)
	t.err = l.takeEach(ctx, b)
}

// mostRecent bounds who is remembered of a minute, in six megabytes. Of more, all that are
// new count as known, and are counted first.
const mostRecent = 1 << 18

// recent remembers who has tried within the last window, and for up to another one.
type recent struct {
	now func() time.Time

	mu         sync.Mutex
	turned     time.Time // when young began to be filled
	young, old map[subjectID]struct{}
}

// first remembers the subject, and reports whether it was not remembered.
func (r *recent) first(subject subjectID) bool {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if age := now.Sub(r.turned); age >= window {
		r.old, r.young, r.turned = r.young, map[subjectID]struct{}{}, now
		if age >= 2*window {
			r.old = nil
		}
	}
	_, known := r.old[subject]
	if _, again := r.young[subject]; again {
		return false
	}
	if len(r.young) >= mostRecent {
		return false
	}
	r.young[subject] = struct{}{}
	return !known
}
