package batch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// atOnce is how many trips are on their way at once: one, and others if those hang.
	atOnce = 4
	// enough is how many have a second trip besides, which for so many costs each little:
	// else all who came with the first would wait for it, be answered, and come again at
	// once, by turns with the store.
	enough = 24
	// patience is how long the last trip may be on its way before another is begun. A batch of a store that is well takes a few milliseconds.
	patience = 50 * time.Millisecond
	// together bounds a batch: what it locks is held until all of it is written.
	together = 128
	// queueing bounds who waits. More than that would wait for seconds.
	queueing = 1024
	// longest is how long a trip may take for who has no deadline.
	longest = 5 * time.Second
)

// What became of an item that has no answer.
var (
	ErrFull     = errors.New("batch: too many wait")
	ErrUnsent   = errors.New("batch: given up before it was sent")
	ErrOnItsWay = errors.New("batch: given up on its way")
	ErrPanicked = errors.New("batch: panic")
)

// Queue sends items in batches. Make it with [New]; it is safe for concurrent use.
type Queue[T any] struct {
	send     func(ctx context.Context, items []T)
	patience time.Duration
	enough   int

	mu       sync.Mutex
	onWay    int
	departed time.Time // the last of them
	queue    []*waiting[T]
	watch    Watch
}

// New makes a queue whose batches are sent by send, which leaves the answers in the items
// before it returns.
func New[T any](send func(ctx context.Context, items []T)) *Queue[T] {
	return &Queue[T]{send: send, patience: patience, enough: enough}
}

// OneAtATime makes all wait for one trip, however many they are and however long it takes. It
// is for tests, to be called before the queue is used.
func (q *Queue[T]) OneAtATime() { q.patience, q.enough = math.MaxInt64, math.MaxInt }

// Watch is told of each item that queues, and by the function that it returns of the end of
// its waiting, its trip included. It may return another context.
type Watch func(ctx context.Context) (context.Context, func(err error))

// Watch has watch told. It is to be called before the queue is used; watch must not call the
// queue.
func (q *Queue[T]) Watch(watch Watch) { q.watch = watch }

// waiting is an item in the queue, or on its way.
type waiting[T any] struct {
	ctx  context.Context //nolint:containedctx // one caller's, until the trip is made
	item T
	end  func(err error)
	done chan struct{} // closed when the trip is over
	err  error
}

// Waiting is how many items are queued.
func (q *Queue[T]) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.queue)
}

// Do sends item, by itself or with others, and returns nil when its trip is over: what came
// of it is in the item. After [ErrFull] and [ErrUnsent] it was never sent; after
// [ErrOnItsWay], which wraps the context's error, it still is, and belongs to the trip
// until left is closed.
func (q *Queue[T]) Do(ctx context.Context, item T) (left <-chan struct{}, err error) {
	w, err := q.enter(ctx, item)
	if err != nil {
		return nil, err
	}
	if w == nil {
		defer q.next()
		q.send(ctx, []T{item})
		return nil, nil
	}
	err = q.await(ctx, w)
	w.end(err)
	return w.done, err
}

func (q *Queue[T]) await(ctx context.Context, w *waiting[T]) error {
	select {
	case <-w.done:
		return w.err
	case <-ctx.Done():
	}
	if q.withdraw(w) {
		return fmt.Errorf("%w: %w", ErrUnsent, ctx.Err())
	}
	select {
	case <-w.done: // both at once: what is known is told
		return w.err
	default:
		return fmt.Errorf("%w: %w", ErrOnItsWay, ctx.Err())
	}
}

// enter takes a place on the way, or else in the queue: then it returns what to wait for.
func (q *Queue[T]) enter(ctx context.Context, item T) (*waiting[T], error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.onWay == 0 {
		q.depart()
		return nil, nil
	}
	if len(q.queue) >= queueing {
		return nil, ErrFull
	}
	w := &waiting[T]{ctx: ctx, item: item, done: make(chan struct{}), end: func(error) {}}
	if q.watch != nil { // here, under the lock: once queued, it may be taken at any moment
		w.ctx, w.end = q.watch(ctx)
	}
	q.queue = append(q.queue, w)
	many := q.onWay == 1 && len(q.queue) >= q.enough
	if hangs := time.Since(q.departed) > q.patience; many || hangs && q.onWay < atOnce {
		q.depart()
		q.take()
	}
	return w, nil
}

func (q *Queue[T]) depart() {
	q.onWay++
	q.departed = time.Now()
}

// withdraw takes w back, unless it is on its way.
func (q *Queue[T]) withdraw(w *waiting[T]) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, queued := range q.queue {
		if queued == w {
			q.queue = append(q.queue[:i:i], q.queue[i+1:]...)
			return true
		}
	}
	return false
}

// next gives the place of a trip that has come back to what is queued.
func (q *Queue[T]) next() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.onWay--
	if len(q.queue) > 0 {
		q.depart()
		q.take()
	}
}

// take sends what is queued.
func (q *Queue[T]) take() {
	taken := q.queue[:min(len(q.queue), together)]
	q.queue = q.queue[len(taken):]
	go func() {
		defer q.next()
		q.carry(taken)
	}()
}

func (q *Queue[T]) carry(taken []*waiting[T]) {
	ctx, cancel := forAll(taken)
	defer cancel()
	items := make([]T, len(taken))
	for i, w := range taken {
		items[i] = w.item
	}
	err := ErrPanicked // unless send returns (runtime.Goexit does not)
	defer func() {
		for _, w := range taken {
			w.err = err
			close(w.done)
		}
	}()
	err = q.sendSafely(ctx, items)
}

// sendSafely turns a panic into an error: in a goroutine of its own it would end the
// process, where in a caller's it ends one request.
func (q *Queue[T]) sendSafely(ctx context.Context, items []T) (err error) {
	defer func() {
		// A panic's text may be anything, a secret too: its type must do.
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%w: %T\n%s", ErrPanicked, reason, debug.Stack())
		}
	}()
	q.send(ctx, items)
	return nil
}

// forAll ends with the last of their deadlines. It has the values of the first one's
// context, so that a trace shows the trip once.
func forAll[T any](taken []*waiting[T]) (context.Context, context.CancelFunc) {
	var last time.Time
	for _, w := range taken {
		deadline, limited := w.ctx.Deadline()
		if !limited {
			deadline = time.Now().Add(longest)
		}
		if deadline.After(last) {
			last = deadline
		}
	}
	return context.WithDeadline(context.WithoutCancel(taken[0].ctx), last)
}
