package leaving

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// CourierConfig is what a Courier needs.
type CourierConfig struct {
	Outbox outbox
	// Teller reaches the other half; nil: nobody can be told, and the rows wait.
	Teller Teller
	// Pause returns after d, when ctx ends, or when there is something on wake.
	Pause func(ctx context.Context, d time.Duration, wake <-chan struct{})
	// Jitter makes d shorter by chance, by half of it at most: else all replicas would
	// ask a half that comes back at the same moment.
	Jitter func(d time.Duration) time.Duration
	// Watch sees each round that has something to tell; the function is called with how it
	// ended. nil: nobody watches.
	Watch func(ctx context.Context, ids []uuid.UUID) (context.Context, func(err error))
	Log   *slog.Logger
}

type outbox interface {
	// Lease takes up to most rows that nobody else has, drops those of them that there is
	// nothing to tell of, and returns the others, which are the caller's for [leaseTime].
	Lease(ctx context.Context, most int) (ids []uuid.UUID, taken int, err error)
	// Release gives them back.
	Release(ctx context.Context, ids []uuid.UUID) error
	// Told deletes them.
	Told(ctx context.Context, ids []uuid.UUID) error
	// Waiting says how many rows there are, and for how long the oldest has been.
	Waiting(ctx context.Context) (Queue, error)
}

// Queue is what has not been told yet.
type Queue struct {
	Length int
	Oldest time.Duration
}

const (
	// leaseTime is for how long the rows are one courier's: longer than telling takes. One
	// that died with them keeps them from nobody for longer.
	leaseTime = 3 * time.Second
	// tellTime bounds one message, storeTime one statement.
	tellTime, storeTime = 2 * time.Second, time.Second
	// pollEvery is how soon a row is found whose process did not say so: those of other
	// programs, and of replicas that died.
	pollEvery = time.Second
	// firstPause and longestPause are how long a courier waits after a failure. The
	// longest one and a message fit into the five seconds in which the news is to arrive
	// once the other half is back.
	firstPause, longestPause = 250 * time.Millisecond, 4 * time.Second
	// measureEvery is how true the figures are.
	measureEvery = 5 * time.Second
)

// Courier tells the other half what is in the outbox. Several, in several processes, do
// not get into each other's way. Start it once; Stop it before the outbox' store is closed.
type Courier struct {
	CourierConfig
	nudges   chan struct{}
	stop     context.CancelFunc
	stopped  sync.WaitGroup
	failures atomic.Uint64
	queue    atomic.Pointer[Queue]
	failing  int // rounds in a row
	// most is how many are told at once: half as many after each failure, and twice as many
	// when it went well. So one that cannot be told comes to be told alone, and keeps few
	// others waiting.
	most int
}

// NewCourier makes a courier that does not run yet.
func NewCourier(config CourierConfig) *Courier {
	c := &Courier{CourierConfig: config, nudges: make(chan struct{}, 1), stop: func() {}, most: MostAtOnce}
	c.queue.Store(&Queue{})
	if c.Watch == nil {
		c.Watch = func(ctx context.Context, _ []uuid.UUID) (context.Context, func(error)) { return ctx, func(error) {} }
	}
	return c
}

// Nudge says that there may be something to tell.
func (c *Courier) Nudge() {
	select {
	case c.nudges <- struct{}{}:
	default: // it has been said
	}
}

// Failures is how often the other half could not be told, or the outbox not be asked.
func (c *Courier) Failures() uint64 { return c.failures.Load() }

// Queue is what was waiting when it was last looked at, some seconds ago.
func (c *Courier) Queue() Queue { return *c.queue.Load() }

// Start runs the courier until Stop.
func (c *Courier) Start(ctx context.Context) {
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.stopped.Go(func() {
		for ctx.Err() == nil {
			pause, wake := c.next(c.Round(ctx))
			c.Pause(ctx, pause, wake)
		}
	})
	c.stopped.Go(func() {
		for ctx.Err() == nil {
			c.measure(ctx)
			c.Pause(ctx, measureEvery, nil)
		}
	})
}

// Stop ends it and returns when it has: what it was telling is broken off, and the next
// one's to tell. Without Start it does nothing.
func (c *Courier) Stop() {
	c.stop()
	c.stopped.Wait()
}

// Round tells what is there, one message at most, and reports whether there may be more;
// that is of no account with an error.
func (c *Courier) Round(ctx context.Context) (more bool, err error) {
	if c.Teller == nil {
		return false, nil
	}
	ids, taken, err := c.lease(ctx)
	if err != nil {
		return false, err
	}
	if taken == 0 && c.Queue().Length == 0 { // else they are in other couriers' hands
		c.recovered()
	}
	more = taken == c.most // also where there was nothing to tell of them
	if len(ids) == 0 {
		return more, nil
	}
	ctx, end := c.Watch(ctx, ids)
	err = c.deliver(ctx, ids)
	end(err)
	return more, err
}

func (c *Courier) deliver(ctx context.Context, ids []uuid.UUID) error {
	if err := c.tell(ctx, ids); err != nil {
		c.most = max(1, c.most/2)
		c.release(ctx, ids)
		return err
	}
	c.most = min(2*c.most, MostAtOnce)
	c.recovered()
	// Also when the courier is being stopped: it has been told.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	return c.Outbox.Told(ctx, ids)
}

func (c *Courier) lease(ctx context.Context) ([]uuid.UUID, int, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return c.Outbox.Lease(ctx, c.most)
}

func (c *Courier) tell(ctx context.Context, ids []uuid.UUID) error {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	return c.Teller.Tell(ctx, ids)
}

// release is best effort: the lease ends by itself.
func (c *Courier) release(ctx context.Context, ids []uuid.UUID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	_ = c.Outbox.Release(ctx, ids)
}

// next is how long to wait after a round, and what ends the wait before its time. After a
// failure nothing does, until the other half has been told something again: every sign-out
// would be another try at a half that is down.
func (c *Courier) next(more bool, err error) (time.Duration, <-chan struct{}) {
	switch {
	case err != nil:
		c.failed(err)
		return c.Jitter(min(firstPause<<min(c.failing-1, 10), longestPause)), nil
	case more:
		return 0, nil
	case c.failing > 0:
		return pollEvery, nil
	}
	return pollEvery, c.nudges
}

// recovered says that an outage is over.
func (c *Courier) recovered() {
	if c.failing > 0 {
		c.Log.Info("the other half is told of ended hand-offs again", "failed", c.failing)
		c.failing = 0
	}
}

// failed says once in an outage that there is one.
func (c *Courier) failed(err error) {
	c.failing++
	c.failures.Add(1)
	if c.failing == 1 {
		c.Log.Warn("the other half cannot be told of ended hand-offs; they wait", "error", err)
	}
}

// measure keeps the last figures when there are none to be had.
func (c *Courier) measure(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	if queue, err := c.Outbox.Waiting(ctx); err == nil {
		c.queue.Store(&queue)
	}
}
