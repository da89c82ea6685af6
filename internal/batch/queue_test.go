package batch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hello-world-co-op/handoff/internal/batch"
)

// store sends what it is given when it is let: each trip shows what it carries, and comes
// back when it is told.
type store struct {
	*batch.Queue[int]
	trips chan trip
}

type trip struct {
	ctx   context.Context
	items []int
	back  chan struct{}
}

func newStore() store {
	s := store{trips: make(chan trip, 100)}
	s.Queue = batch.New(func(ctx context.Context, items []int) {
		t := trip{ctx, items, make(chan struct{})}
		s.trips <- t
		<-t.back
	})
	return s
}

// sends sends each item in a goroutine of its own, one after the other, until they are on
// their way or wait.
func (s store) sends(ctx context.Context, items ...int) (told []chan error) {
	for _, item := range items {
		err := make(chan error, 1)
		told = append(told, err)
		go func() {
			_, sent := s.Do(ctx, item)
			err <- sent
		}()
		synctest.Wait()
	}
	return told
}

// departs is the next trip that has begun.
func (s store) departs(t *testing.T, want ...int) trip {
	t.Helper()
	synctest.Wait()
	select {
	case sent := <-s.trips:
		if fmt.Sprint(sent.items) != fmt.Sprint(want) {
			t.Errorf("%v are on their way, not %v", sent.items, want)
		}
		return sent
	default:
		t.Fatalf("%v do not depart", want)
		return trip{}
	}
}

func (s store) nothingDeparts(t *testing.T) {
	t.Helper()
	synctest.Wait()
	if n := len(s.trips); n != 0 {
		t.Errorf("%d trips too many", n)
	}
}

func TestQueue_whatQueuesGoesTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		told := s.sends(t.Context(), 1, 2, 3)
		first := s.departs(t, 1) // at once, and by itself
		s.nothingDeparts(t)
		close(first.back)
		second := s.departs(t, 2, 3)
		told = append(told, s.sends(t.Context(), 4)...)
		s.nothingDeparts(t)
		close(second.back)
		close(s.departs(t, 4).back)
		for i, err := range told {
			if err := <-err; err != nil {
				t.Errorf("%d: %v", i+1, err)
			}
		}
		close(s.alone(t, 5).back)
	})
}

// alone sends an item that finds nothing on its way.
func (s store) alone(t *testing.T, item int) trip {
	t.Helper()
	s.sends(t.Context(), item)
	return s.departs(t, item)
}

// I13: a trip that hangs keeps those waiting who came with it, not everybody: whoever comes
// when it has been away for long takes along what waits. But not without end.
func TestI13_aTripThatHangsIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		var away []trip
		s.sends(t.Context(), 1, 2)
		away = append(away, s.departs(t, 1))
		pass(50 * time.Millisecond)
		s.sends(t.Context(), 3)
		s.nothingDeparts(t) // no longer than that
		pass(time.Millisecond)
		s.sends(t.Context(), 4)
		away = append(away, s.departs(t, 2, 3, 4))
		s.sends(t.Context(), 5)
		s.nothingDeparts(t) // the last departure was a moment ago
		for item := 6; item <= 7; item++ {
			pass(51 * time.Millisecond)
			s.sends(t.Context(), item)
			synctest.Wait()
			away = append(away, <-s.trips)
		}
		pass(time.Minute)
		s.sends(t.Context(), 8)
		s.nothingDeparts(t) // four are away
		for _, trip := range away {
			close(trip.back)
		}
		close(s.departs(t, 8).back)
		synctest.Wait()
		first, _ := s.alone(t, 9), s.sends(t.Context(), 10)
		s.nothingDeparts(t) // all are back: one at a time again
		close(first.back)
		close(s.departs(t, 10).back)
	})
}

// So many that a second trip costs each little have one, and no third: the store works
// while others are answered.
func TestQueue_manyHaveASecondTrip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		first := s.alone(t, 0)
		for item := range 23 {
			s.sends(t.Context(), item)
		}
		s.nothingDeparts(t)
		s.sends(t.Context(), 23)
		second := <-s.trips
		for item := range 100 {
			s.sends(t.Context(), item)
		}
		s.nothingDeparts(t)
		close(first.back)
		synctest.Wait()
		third := <-s.trips
		if len(second.items) != 24 || len(third.items) != 100 {
			t.Errorf("%d and %d went together", len(second.items), len(third.items))
		}
		close(second.back)
		close(third.back)
	})
}

// Whoever gives up is told what is known, and ends nothing for the others: the trip has until
// the last of their deadlines.
func TestQueue_whoGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.OneAtATime()
		first := s.alone(t, 1)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		long, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		queued, given := s.sends(short, 2), make(chan struct{})
		if err := <-queued[0]; !errors.Is(err, batch.ErrUnsent) {
			t.Error(err)
		}
		if s.Waiting() != 0 {
			t.Error("who gave up still waits")
		}
		soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		go func() {
			defer close(given)
			left, err := s.Do(soon, 3)
			if !errors.Is(err, batch.ErrOnItsWay) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("on its way: %v", err)
			}
			select {
			case <-left:
				t.Error("its trip is over before it is back")
			default:
			}
			<-left
		}()
		synctest.Wait()
		other := s.sends(long, 4)
		close(first.back)
		second := s.departs(t, 3, 4)
		if until, _ := second.ctx.Deadline(); !until.Equal(deadline(long)) {
			t.Errorf("until %v", until)
		}
		pass(200 * time.Millisecond)
		if second.ctx.Err() != nil {
			t.Error("one of them ended it for both")
		}
		close(second.back)
		<-given
		if err := <-other[0]; err != nil {
			t.Error(err)
		}
	})
}

func deadline(ctx context.Context) time.Time {
	until, _ := ctx.Deadline()
	return until
}

// I13.
func TestI13_aQueueHasAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		s.OneAtATime()
		away := s.alone(t, 0)
		for item := range 1024 {
			go func() { _, _ = s.Do(t.Context(), item) }()
		}
		synctest.Wait()
		if _, err := s.Do(t.Context(), 1025); !errors.Is(err, batch.ErrFull) {
			t.Error(err)
		}
		close(away.back)
		for range 1024 / 128 {
			synctest.Wait()
			next := <-s.trips
			if len(next.items) != 128 {
				t.Errorf("%d together", len(next.items))
			}
			close(next.back)
		}
		synctest.Wait()
	})
}

// I13: a trip that ends without returning is over, for those in it and for those behind it.
func TestI13_aTripThatNeverReturnsIsOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := make(chan struct{})
		q := batch.New(func(_ context.Context, items []int) {
			if items[0] == 1 {
				<-away
				return
			}
			runtime.Goexit()
		})
		told := store{Queue: q}.sends(t.Context(), 1, 2)
		close(away)
		if err := <-told[0]; err != nil {
			t.Error(err)
		}
		if err := <-told[1]; !errors.Is(err, batch.ErrPanicked) {
			t.Error(err)
		}
		if _, err := q.Do(t.Context(), 1); err != nil {
			t.Errorf("behind it: %v", err)
		}
	})
}

// pass has the bubble's clock move on.
func pass(d time.Duration) { <-time.After(d) }
