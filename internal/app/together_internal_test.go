package app

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// Each of three waits for the other two to have begun: one after the other, they would wait
// for ever.
func TestClosersTakeNoTimeFromOneAnother(t *testing.T) {
	t.Parallel()
	var begun sync.WaitGroup
	begun.Add(3)
	broken := errors.New("broken")
	closer := func(fault error) func() error {
		return func() error {
			begun.Done()
			begun.Wait()
			return fault
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	left, err := together(ctx, []func() error{closer(nil), closer(broken), closer(nil)})
	if left != 0 || !errors.Is(err, broken) {
		t.Errorf("%d left, %v", left, err)
	}
}

// What hangs is left, and so is what is closed after it: the whole is bounded.
func TestACloserThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	ctx, late := context.WithCancel(t.Context())
	hang := make(chan struct{})
	patience := time.AfterFunc(10*time.Second, func() { close(hang) })
	t.Cleanup(func() {
		if patience.Stop() {
			close(hang)
		}
	})
	hangs := func() error { <-hang; return nil }
	for _, closers := range [][]func() error{{hangs, func() error { late(); return nil }, hangs}, {hangs}} {
		// The one that made it late is heard, or not any more.
		if left, err := together(ctx, closers); left < min(2, len(closers)) || err != nil {
			t.Errorf("%d left, %v", left, err)
		}
	}
}
