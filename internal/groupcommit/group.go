package groupcommit

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

const (
	// atOnce is how many statements of a group are on their way at the same time. Two, so
	// that one that hangs does not stop the others, and Postgres has work while answers
	// are read.
	atOnce = 2
	// together bounds the rows of a statement: its locks are held until all are written.
	together = 128
	// queueing bounds who waits. More than that would wait for seconds.
	queueing = 1024
	// longest is how long a statement may take for who has no deadline.
	longest = 5 * time.Second
)

// errFull says that the queue is.
var errFull = errors.New("groupcommit: too many wait")

// Group serves rows, by one statement. Make it with [New]; it is safe for concurrent use.
type Group[Row, Result any] struct {
	statement[Row, Result]

	mu    sync.Mutex
	onWay int
	queue []*waiting[Row, Result]
	watch Watch
}

// Watch is told of each row that queues, and by the function that it returns of the end of
// its waiting, its statement's included. It may return another context.
type Watch func(ctx context.Context) (context.Context, func(err error))

// Watch has watch told. It is to be called before the group is used; watch must not call the
// group.
func (g *Group[Row, Result]) Watch(watch Watch) { g.watch = watch }

// waiting is a row in the queue, or on its way.
type waiting[Row, Result any] struct {
	ctx  context.Context //nolint:containedctx // one caller's, until the statement for many is made
	row  Row
	end  func(err error)
	done chan struct{} // closed when answer is there
	answer[Result]
}

// answer is what became of a row.
type answer[Result any] struct {
	result Result
	// served: the statement had a row for it. Else it has changed nothing, and if
	// passedOver it may do so alone.
	served, passedOver bool
	err                error
}

// Waiting is how many rows are queued.
func (g *Group[Row, Result]) Waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// Do serves row together with others, or alone if it was passed over. It reports false
// where the statement does not match the row, and has changed nothing.
func (g *Group[Row, Result]) Do(ctx context.Context, row Row) (Result, bool, error) {
	a := g.try(ctx, row)
	if a.passedOver || g.locks && !a.served && a.err == nil {
		a = g.one(ctx, g.alone, row)
	}
	return a.result, a.served, a.err
}

// Try is [Group.Do] for who knows another way when row is passed over: false may also
// mean that somebody held what the row needs, or that another row made the statement fail.
func (g *Group[Row, Result]) Try(ctx context.Context, row Row) (Result, bool, error) {
	a := g.try(ctx, row)
	return a.result, a.served, a.err
}

func (g *Group[Row, Result]) try(ctx context.Context, row Row) answer[Result] {
	w, err := g.enter(ctx, row)
	if err != nil {
		return answer[Result]{err: err}
	}
	if w == nil {
		defer g.next()
		return g.one(ctx, g.single, row)
	}
	a := g.await(ctx, w)
	w.end(a.err)
	return a
}

func (g *Group[Row, Result]) await(ctx context.Context, w *waiting[Row, Result]) answer[Result] {
	select {
	case <-w.done:
		return w.answer
	case <-ctx.Done():
	}
	if g.withdraw(w) {
		return answer[Result]{err: outage.Unasked("postgres", ctx.Err())}
	}
	select {
	case <-w.done: // both at once: what is known is told
		return w.answer
	default:
		return answer[Result]{err: outage.New("postgres", ctx.Err())}
	}
}

// enter takes a place on the way, or else in the queue: then it returns what to wait for.
func (g *Group[Row, Result]) enter(ctx context.Context, row Row) (*waiting[Row, Result], error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.onWay < atOnce {
		g.onWay++
		return nil, nil
	}
	if len(g.queue) >= queueing {
		return nil, outage.Unasked("postgres", errFull)
	}
	w := &waiting[Row, Result]{ctx: ctx, row: row, done: make(chan struct{}), end: func(error) {}}
	if g.watch != nil { // here, under the lock: once queued, it may be taken at any moment
		w.ctx, w.end = g.watch(ctx)
	}
	g.queue = append(g.queue, w)
	return w, nil
}

// withdraw takes w back, unless it is on its way.
func (g *Group[Row, Result]) withdraw(w *waiting[Row, Result]) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, queued := range g.queue {
		if queued == w {
			g.queue = append(g.queue[:i:i], g.queue[i+1:]...)
			return true
		}
	}
	return false
}

// next gives the place of a statement that has come back to what is queued.
func (g *Group[Row, Result]) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.queue) == 0 {
		g.onWay--
		return
	}
	taken := g.queue[:min(len(g.queue), together)]
	g.queue = g.queue[len(taken):]
	go func() {
		g.serve(taken)
		g.next()
	}()
}

// serve sends what was queued.
func (g *Group[Row, Result]) serve(taken []*waiting[Row, Result]) {
	ctx, cancel := forAll(taken)
	defer cancel()
	for i, a := range g.answers(ctx, taken) {
		taken[i].answer = a
		close(taken[i].done)
	}
}

// answers turns a panic into an error: in a goroutine of its own it would end the process,
// where in a caller's it ends one request.
func (g *Group[Row, Result]) answers(ctx context.Context, taken []*waiting[Row, Result]) (answers []answer[Result]) {
	all := func(a answer[Result]) []answer[Result] { return slices.Repeat([]answer[Result]{a}, len(taken)) }
	defer func() {
		// A panic's text may be anything, a secret too: its type must do.
		if reason := recover(); reason != nil {
			answers = all(answer[Result]{err: fmt.Errorf("groupcommit: panic: %T\n%s", reason, debug.Stack())})
		}
	}()
	if len(taken) == 1 {
		return []answer[Result]{g.one(ctx, g.single, taken[0].row)}
	}
	rows := make([]Row, len(taken))
	for i, w := range taken {
		rows[i] = w.row
	}
	answers, err := g.many(ctx, rows)
	switch {
	case err == nil:
		return answers
	case refused(err): // because of one row
		return all(answer[Result]{passedOver: true})
	}
	return all(answer[Result]{err: err})
}

// forAll ends with the last of their deadlines. It has the values of the first one's
// context, so that a trace shows the statement once.
func forAll[Row, Result any](taken []*waiting[Row, Result]) (context.Context, context.CancelFunc) {
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
