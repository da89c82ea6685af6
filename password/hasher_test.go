package password

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
)

// gate is an Argon2id that takes until the test lets it finish, and knows how much
// memory its callers hold together.
type gate struct {
	finish chan struct{}

	mu             sync.Mutex
	running, most  int
	memory, memTop uint32
}

func newGatedHasher(limits Limits) (*Hasher, *gate) {
	g := &gate{finish: make(chan struct{})}
	h := NewHasher(limits)
	h.engine.argon2id = g.argon2id
	h.engine.bcrypt = func(bcryptHash, []byte) bool { return false }
	return h, g
}

func (g *gate) argon2id(_ string, _ []byte, c cost, size int) []byte {
	g.add(1, c.memory)
	<-g.finish
	g.add(-1, -c.memory)
	return make([]byte, size)
}

func (g *gate) add(n int, memory uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running += n
	g.memory += memory
	g.most, g.memTop = max(g.most, g.running), max(g.memTop, g.memory)
}

func (g *gate) now() (running, most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.running, g.most
}

// burst starts n calls and returns the channel of their errors.
func burst(n int, call func() error) <-chan error {
	errs := make(chan error, n)
	for range n {
		go func() { errs <- call() }()
	}
	return errs
}

func count(errs <-chan error, n int, target error) (found int) {
	for range n {
		if err := <-errs; errors.Is(err, target) {
			found++
		}
	}
	return found
}

// I13: of a burst of logins, two compute, three wait, and the rest is told at once
// to come back. Nobody's memory is taken for a caller without a slot.
func TestABurstIsBounded(t *testing.T) {
	ways := map[string]func(context.Context, *Hasher) error{
		"Hash":          func(ctx context.Context, h *Hasher) error { _, err := h.Hash(ctx, "p"); return err },
		"Verify":        func(ctx context.Context, h *Hasher) error { _, err := h.Verify(ctx, good, "p"); return err },
		"Verify bcrypt": func(ctx context.Context, h *Hasher) error { _, err := h.Verify(ctx, goodBc, "p"); return err },
		"VerifyNothing": func(ctx context.Context, h *Hasher) error { return h.VerifyNothing(ctx, "p") },
	}
	for name, call := range ways {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, g := newGatedHasher(Limits{Concurrent: 2, Queue: 3})
				errs := burst(10, func() error { return call(t.Context(), h) })
				synctest.Wait()
				if running, _ := g.now(); running != 2 {
					t.Errorf("%d compute, want 2", running)
				}
				if busy := count(errs, 5, ErrBusy); busy != 5 {
					t.Errorf("%d of the first five answers are ErrBusy, want all", busy)
				}
				close(g.finish)
				if served := count(errs, 5, nil); served != 5 {
					t.Errorf("%d are served, want 5: two that computed and three that waited", served)
				}
				if _, most := g.now(); most != 2 {
					t.Errorf("%d computed at once, want 2", most)
				}
			})
		})
	}
}

// A caller who gives up while waiting leaves the queue and computes nothing.
func TestACallerWhoLeavesFreesItsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, g := newGatedHasher(Limits{Concurrent: 1, Queue: 1})
		first := burst(1, func() error { return h.VerifyNothing(t.Context(), "p") })
		synctest.Wait()

		ctx, leave := context.WithCancelCause(t.Context())
		closed := errors.New("connection closed")
		second := burst(1, func() error { return h.VerifyNothing(ctx, "p") })
		synctest.Wait()
		leave(closed)
		if err := <-second; !errors.Is(err, ErrBusy) || !errors.Is(err, closed) {
			t.Errorf("the one who left: %v, want ErrBusy and the cause", err)
		}

		third := burst(1, func() error { return h.VerifyNothing(t.Context(), "p") })
		synctest.Wait()
		close(g.finish)
		if err := errors.Join(<-first, <-third); err != nil {
			t.Errorf("those who stayed: %v", err)
		}
	})
}

// I13: on a machine that has much to do a computation takes longer than its caller may
// wait. The caller is told at the deadline; the slot is taken until the memory is free.
func TestADeadlineIsKeptWhileTheComputationGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, g := newGatedHasher(Limits{Concurrent: 1})
		ctx, leave := context.WithCancel(t.Context())
		late := burst(1, func() error { _, err := h.Verify(ctx, good, "p"); return err })
		synctest.Wait()
		leave()
		if err := <-late; !errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
			t.Errorf("the late one: %v, want ErrBusy and context.Canceled", err)
		}
		if err := h.VerifyNothing(t.Context(), "p"); !errors.Is(err, ErrBusy) {
			t.Errorf("another beside it: %v, want ErrBusy", err)
		}
		close(g.finish)
		synctest.Wait()
		if err := h.VerifyNothing(t.Context(), "p"); err != nil {
			t.Errorf("when it is done: %v", err)
		}
	})
}

// A computation that panics ends its caller's request, not the process, and its slot is
// free again.
func TestAPanicIsItsCallersOwn(t *testing.T) {
	h := NewHasher(Limits{Concurrent: 1})
	h.engine.argon2id = func(string, []byte, cost, int) []byte { panic("broken") }
	for range 2 {
		func() {
			defer func() {
				if reason := recover(); reason != "broken" {
					t.Errorf("the caller sees %v", reason)
				}
			}()
			_ = h.VerifyNothing(t.Context(), "p")
			t.Error("it went well")
		}()
	}
}

func TestAnEndedContextComputesNothing(t *testing.T) {
	var n counter
	h := NewHasher(Limits{Concurrent: 1})
	h.engine = n.engine(0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, hashErr := h.Hash(ctx, "p")
	_, verifyErr := h.Verify(ctx, good, "p")
	for _, err := range []error{hashErr, verifyErr, h.VerifyNothing(ctx, "p")} {
		if !errors.Is(err, ErrBusy) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want ErrBusy and context.Canceled", err)
		}
	}
	if len(n.calls) != 0 {
		t.Errorf("computed %v", n.calls)
	}
}

// I13: four slots are 256 MiB whatever the table holds. A hash of 100 MiB takes two
// of them, so that four such logins hold no more memory than four ordinary ones.
func TestAHeavyHashTakesAsManySlotsAsItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heavy := argon2Hash{cost{102400, 2, 8}, make([]byte, 16), []byte("no digest of zeros")}.encode()
		h, g := newGatedHasher(Limits{Concurrent: 4, Queue: 8})
		errs := burst(4, func() error { _, err := h.Verify(t.Context(), heavy, "p"); return err })
		synctest.Wait()
		if running, _ := g.now(); running != 2 {
			t.Errorf("%d of 100 MiB run in four slots, want 2", running)
		}
		close(g.finish)
		if served := count(errs, 4, nil); served != 4 {
			t.Errorf("%d are served, want 4", served)
		}
		if g.memTop > 4*64*1024 {
			t.Errorf("%d KiB at once, want at most 256 MiB", g.memTop)
		}
	})
}

// A hash that does not fit at all is refused, after the work of an unknown account.
func TestAHashThatNeedsMoreThanAllSlotsIsTooCostly(t *testing.T) {
	var n counter
	h := NewHasher(Limits{Concurrent: 15})
	h.engine = n.engine(0)
	gibibyte := argon2Hash{cost{1 << 20, 1, 4}, make([]byte, 16), make([]byte, 32)}.encode()
	if _, err := h.Verify(t.Context(), gibibyte, "p"); !errors.Is(err, ErrTooCostly) {
		t.Errorf("%v, want ErrTooCostly", err)
	}
	if want := (work{blocks: 3 * 65536}); n.work != want {
		t.Errorf("%+v, want %+v: %v", n.work, want, n.calls)
	}
	if _, err := NewHasher(Limits{Concurrent: 16}).Verify(cancelled(t), gibibyte, "p"); !errors.Is(err, ErrBusy) {
		t.Errorf("sixteen slots hold 1 GiB: %v, want to be let in to wait", err)
	}
}

func cancelled(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestHasherAnswersLikeThePackage(t *testing.T) {
	h := NewHasher(Limits{Concurrent: 1}).WithLegacyBcrypt(4)
	encoded, err := h.Hash(t.Context(), "right")
	if err != nil {
		t.Fatal(err)
	}
	for plain, want := range map[string]Result{"right": {Match: true}, "wrong": {}} {
		if got, err := h.Verify(t.Context(), encoded, plain); err != nil || got != want {
			t.Errorf("Verify(%q) = %+v, %v, want %+v", plain, got, err, want)
		}
	}
	if _, err := h.Verify(t.Context(), "right", encoded); !errors.Is(err, ErrMalformed) {
		t.Errorf("arguments in the wrong order: %v, want ErrMalformed", err)
	}
	if err := h.VerifyNothing(t.Context(), "right"); err != nil {
		t.Error(err)
	}
}

func TestLimitsAreBroughtIntoRange(t *testing.T) {
	tests := map[string]struct {
		limits Limits
		size   int64
		queue  int
	}{
		"zero value": {Limits{}, 1, 0},
		"negative":   {Limits{Concurrent: -1, Queue: -1}, 1, 0},
		"usual":      {Limits{Concurrent: 4, Queue: 32}, 4, 32},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			h := NewHasher(test.limits)
			if h.size != test.size || cap(h.queue) != test.queue || h.engine.legacyCost != 0 {
				t.Errorf("size %d, queue %d, bcrypt %d", h.size, cap(h.queue), h.engine.legacyCost)
			}
		})
	}
}

func TestConcurrencyFor(t *testing.T) {
	const mib = 1 << 20
	tests := map[string]struct {
		limit      int64
		processors int
		want       int
	}{
		"unknown":          {0, 8, 1},
		"negative":         {-1 << 63, 8, 1},
		"less than needed": {32 * mib, 8, 1},
		"256 MiB":          {256 * mib, 8, 1},
		"512 MiB":          {512 * mib, 8, 3},
		"1 GiB":            {1024 * mib, 8, 7},
		"just under four":  {576*mib - 1, 8, 3},
		"four":             {576 * mib, 8, 4},
		"few processors":   {4096 * mib, 2, 2},
		"no limit set":     {1<<63 - 1, 8, 8},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := concurrencyFor(test.limit, test.processors); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
	if got := ConcurrencyFor(0); got != 1 {
		t.Errorf("ConcurrencyFor(0) = %d, want 1", got)
	}
}
