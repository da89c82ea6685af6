package password

import (
	"context"
	"errors"
	"testing"
	"time"
)

// What an operator sees of the queue: who computes, who waits, and who was sent away.
func TestLoadIsWhatThereIsToDo(t *testing.T) {
	t.Parallel()
	h := NewHasher(Limits{Concurrent: 1, Queue: 1})
	hold, waits := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := compute(t.Context(), h, 1, func() struct{} { <-hold; return struct{}{} })
		waits <- err
	}()
	until(t, h, Load{Taken: 1, Slots: 1, Queue: 1})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { waits <- h.VerifyNothing(ctx, "p") }()
	until(t, h, Load{Taken: 1, Slots: 1, Waiting: 1, Queue: 1})
	if err := h.VerifyNothing(t.Context(), "p"); !errors.Is(err, ErrBusy) {
		t.Errorf("a full queue: %v", err)
	}
	until(t, h, Load{Taken: 1, Slots: 1, Waiting: 1, Queue: 1, Busy: 1})
	cancel()
	if err := <-waits; !errors.Is(err, ErrBusy) {
		t.Errorf("who went away: %v", err)
	}
	close(hold)
	if err := <-waits; err != nil {
		t.Error(err)
	}
	if got, want := h.WithLegacyBcrypt(12).Load(), (Load{Slots: 1, Queue: 1, Busy: 2}); got != want {
		t.Errorf("at the end %+v, want %+v", got, want)
	}
}

// until waits for the load.
func until(t *testing.T, h *Hasher, want Load) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); h.Load() != want; {
		if time.Now().After(end) {
			t.Fatalf("the load stays %+v, want %+v", h.Load(), want)
		}
	}
}
