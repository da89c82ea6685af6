package leaving_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/leaving"
)

// desk plays everything around a courier: outbox, other half, and time, which passes only
// where the courier waits.
type desk struct {
	mu       sync.Mutex
	waiting  []uuid.UUID
	leased   []uuid.UUID
	told     []uuid.UUID
	down     error           // of the other half
	bad      uuid.UUID       // one that it never takes
	idle     []uuid.UUID     // of which there is nothing to tell
	lost     error           // of the outbox
	pauses   []time.Duration // of the courier, not of its figures
	deaf     []bool          // whether nudges were listened to
	rounds   int             // stops the courier when they are over
	log      bytes.Buffer
	measured leaving.Queue
}

func (d *desk) Lease(_ context.Context, most int) (ids []uuid.UUID, taken int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(d.waiting), most)
	ids = slices.DeleteFunc(slices.Clone(d.waiting[:n]), func(id uuid.UUID) bool { return slices.Contains(d.idle, id) })
	d.waiting, d.leased = d.waiting[n:], append(d.leased, ids...)
	return ids, n, d.lost
}

func (d *desk) Release(ctx context.Context, ids []uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting, d.leased = append(d.waiting, ids...), nil
	return ctx.Err()
}

func (d *desk) Told(ctx context.Context, ids []uuid.UUID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told, d.leased = append(d.told, ids...), nil
	return ctx.Err()
}

func (d *desk) Waiting(context.Context) (leaving.Queue, error) { return d.measured, nil }

func (d *desk) Tell(ctx context.Context, ids []uuid.UUID) error {
	if _, limited := ctx.Deadline(); !limited {
		return errors.New("without a bound on time")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(ids, d.bad) {
		return errors.New("one of them is not good")
	}
	return d.down
}

// pause makes the next round begin at once, until they are over.
func (d *desk) pause(ctx context.Context, pause time.Duration, wake <-chan struct{}) {
	if pause == 5*time.Second { // the figures
		<-ctx.Done()
		return
	}
	d.mu.Lock()
	d.pauses, d.deaf = append(d.pauses, pause), append(d.deaf, wake == nil)
	d.rounds--
	over := d.rounds <= 0
	d.mu.Unlock()
	if over {
		<-ctx.Done()
	}
}

func (d *desk) courier() *leaving.Courier {
	return leaving.NewCourier(leaving.CourierConfig{
		Outbox: d, Teller: d, Pause: d.pause, Jitter: func(d time.Duration) time.Duration { return d },
		Log: slog.New(slog.NewTextHandler(&d.log, nil)),
	})
}

// run starts the courier and stops it when there were so many rounds.
func (d *desk) run(t testing.TB, c *leaving.Courier, rounds int) {
	t.Helper()
	d.rounds, d.pauses, d.deaf = rounds, nil, nil
	c.Start(t.Context())
	for end := time.Now().Add(10 * time.Second); ; {
		d.mu.Lock()
		over := d.rounds <= 0
		d.mu.Unlock()
		if over {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the courier sleeps")
		}
	}
	c.Stop()
}

func some(n int) (ids []uuid.UUID) {
	for range n {
		ids = append(ids, uuid.New())
	}
	return ids
}

// Everything is told, a hundred at a time and without a pause as long as there is more.
func TestCourier_tellsEverythingOnce(t *testing.T) {
	t.Parallel()
	all := some(2*leaving.MostAtOnce + 50)
	d := &desk{waiting: all}
	d.run(t, d.courier(), 4)
	if diff := cmp.Diff(all, d.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]time.Duration{0, 0, time.Second, time.Second}, d.pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if d.log.Len() > 0 {
		t.Errorf("it logs %s", d.log.String())
	}
}

// In an outage it waits longer and longer, but never so long that the news would be late
// when it is over; says so once; and listens to nobody meanwhile.
func TestCourier_waitsInAnOutageAndNotTooLong(t *testing.T) {
	t.Parallel()
	d := &desk{waiting: some(3), down: errors.New("peer unavailable")}
	c := d.courier()
	d.run(t, c, 40)
	want := []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second}
	if diff := cmp.Diff(want, d.pauses[:len(want)]); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	for i, pause := range d.pauses {
		if pause > 4*time.Second || pause <= 0 || !d.deaf[i] {
			t.Errorf("pause %d is %v, deaf: %v", i, pause, d.deaf[i])
		}
	}
	if len(d.waiting) != 3 || len(d.leased) != 0 || c.Failures() != 40 {
		t.Errorf("%d wait, %d are kept from others, %d failures", len(d.waiting), len(d.leased), c.Failures())
	}
	if n := strings.Count(d.log.String(), "cannot be told"); n != 1 {
		t.Errorf("one outage is %d lines:\n%s", n, d.log.String())
	}

	d.down = nil
	d.run(t, c, 3)
	if len(d.told) != 3 || len(d.waiting) != 0 || strings.Count(d.log.String(), "\n") != 2 {
		t.Errorf("when it is over: %d told, %d wait\n%s", len(d.told), len(d.waiting), d.log.String())
	}
	if diff := cmp.Diff([]time.Duration{0, 0, time.Second}, d.pauses); diff != "" {
		t.Errorf("pauses afterwards (-want +got):\n%s", diff)
	}
}

// One that the other half does not take: all others are told, in as many messages as it
// takes to find it alone.
func TestCourier_oneThatCannotBeToldDelaysFew(t *testing.T) {
	t.Parallel()
	all := some(2 * leaving.MostAtOnce)
	d := &desk{waiting: all, bad: all[17]}
	d.run(t, d.courier(), 40)
	if len(d.told) != len(all)-1 || slices.Contains(d.told, d.bad) || !slices.Contains(d.waiting, d.bad) {
		t.Errorf("%d of %d are told", len(d.told), len(all))
	}
	d.bad = uuid.Nil
	c := d.courier()
	d.waiting = append(d.waiting, some(3*leaving.MostAtOnce)...)
	d.run(t, c, 4)
	if len(d.waiting) != 0 {
		t.Errorf("%d wait when all is well", len(d.waiting))
	}
}

// What there is nothing to tell of keeps nothing from being told, and is no sign that the
// outage is over.
func TestCourier_looksPastWhatHasNothingToTell(t *testing.T) {
	t.Parallel()
	news := some(1)
	d := &desk{waiting: news, down: errors.New("peer unavailable")}
	c := d.courier()
	d.run(t, c, 10) // from here on one at a time
	d.idle = some(20)
	d.waiting = append(slices.Clone(d.idle), news...)
	d.run(t, c, 21)
	if len(d.waiting) != 1 || strings.Contains(d.log.String(), "again") || slices.Contains(d.deaf, false) || d.pauses[20] != 4*time.Second {
		t.Errorf("%d wait, pauses %v\n%s", len(d.waiting), d.pauses, d.log.String())
	}
	for _, pause := range d.pauses[:20] {
		if pause != 0 {
			t.Errorf("it waits behind nothing: %v", d.pauses)
		}
	}
	d.down = nil
	d.run(t, c, 1)
	if len(d.told) != 1 || strings.Count(d.log.String(), "again") != 1 {
		t.Errorf("%d told\n%s", len(d.told), d.log.String())
	}
}

// An outbox that cannot be asked is an outage as well.
func TestCourier_waitsForItsOwnDatabase(t *testing.T) {
	t.Parallel()
	d := &desk{lost: errors.New("postgres unavailable")}
	c := d.courier()
	d.run(t, c, 3)
	if c.Failures() != 3 || d.pauses[2] != time.Second {
		t.Errorf("%d failures, pauses %v", c.Failures(), d.pauses)
	}
}

// Without an address, rows wait for the day that there is one, and are counted.
func TestCourier_withoutAnybodyToTellLeavesTheRows(t *testing.T) {
	t.Parallel()
	d := &desk{waiting: some(2), measured: leaving.Queue{Length: 2, Oldest: time.Minute}}
	c := d.courier()
	c.Teller = nil
	d.rounds = 3
	c.Start(t.Context())
	for end := time.Now().Add(10 * time.Second); c.Queue() != d.measured && time.Now().Before(end); {
		runtime.Gosched()
	}
	c.Stop()
	if len(d.waiting) != 2 || c.Failures() != 0 || c.Queue() != d.measured {
		t.Errorf("%d wait, %d failures, %v", len(d.waiting), c.Failures(), c.Queue())
	}
}

// stuck is an other half that takes the message and does not answer.
type stuck struct{ asked chan struct{} }

func (s stuck) Tell(ctx context.Context, _ []uuid.UUID) error {
	close(s.asked)
	<-ctx.Done()
	return ctx.Err()
}

// A process that leaves does not wait for a half that hangs, and the rows are at once for
// others to tell.
func TestCourier_breaksOffWhenItIsStopped(t *testing.T) {
	t.Parallel()
	d := &desk{waiting: some(1), rounds: 1}
	c, other := d.courier(), stuck{make(chan struct{})}
	c.Teller = other
	c.Stop() // before it was started: nothing to wait for
	c.Start(t.Context())
	<-other.asked
	begun := time.Now()
	c.Stop()
	if took := time.Since(begun); took > time.Second {
		t.Errorf("it took %v", took)
	}
	if len(d.waiting) != 1 {
		t.Error("the rows are kept from others")
	}
}

// A nudge ends the wait of a courier that has nothing to do, however many there were.
func TestCourier_nudgesAreHeard(t *testing.T) {
	t.Parallel()
	d := &desk{}
	heard := make(chan struct{}, 10)
	c := d.courier()
	c.Pause = func(ctx context.Context, _ time.Duration, wake <-chan struct{}) {
		select {
		case <-wake:
			heard <- struct{}{}
		case <-ctx.Done():
		}
	}
	for range 3 {
		c.Nudge()
	}
	c.Start(t.Context())
	<-heard
	c.Nudge()
	<-heard
	c.Stop()
}
