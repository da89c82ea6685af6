package password

import (
	"testing"
	"testing/synctest"
)

// The attack of TestAFailedLoginDoesTheSameWorkForEveryAccount, at the door that a
// server uses: for the four answers that a stranger may get, and the cost that the
// table held at that moment, the Hasher computes the same.
func TestAFailedLoginDoesTheSameWorkInAHasher(t *testing.T) {
	for _, highest := range []int{0, 10, 12} {
		var n counter
		shared := NewHasher(Limits{Concurrent: 1})
		shared.engine = n.engine(0)
		h := shared.WithLegacyBcrypt(highest)
		want := work{blocks: 3 * 65536}
		classes := map[string]func() error{
			"unknown":      func() error { return h.VerifyNothing(t.Context(), "guess") },
			"passwordless": func() error { return h.VerifyNothing(t.Context(), "guess") },
			"argon2id":     func() error { _, err := h.Verify(t.Context(), good, "guess"); return err },
		}
		if highest > 0 {
			want.rounds = 1 << highest
			stored := fillerBcrypt(highest).encoded
			classes["bcrypt"] = func() error { _, err := h.Verify(t.Context(), stored, "guess"); return err }
			classes["cheaper bcrypt"] = func() error { _, err := h.Verify(t.Context(), fillerBcrypt(4).encoded, "guess"); return err }
		}
		for name, login := range classes {
			n.work, n.calls = work{}, nil
			if err := login(); err != nil || n.work != want {
				t.Errorf("highest cost %d, %s: %+v, %v, want %+v: %v", highest, name, n.work, err, want, n.calls)
			}
		}
	}
}

// I13: the table's highest cost changes between two logins, the bound does not.
// Hashers that WithLegacyBcrypt derives compute one at a time where the first does,
// and wait in the same queue.
func TestDerivedHashersShareTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, g := newGatedHasher(Limits{Concurrent: 1, Queue: 1})
		errs := burst(1, func() error { return h.VerifyNothing(t.Context(), "p") })
		synctest.Wait()
		more := make(chan error, 4)
		for i := range cap(more) {
			derived := h.WithLegacyBcrypt(minBcryptCost + i)
			go func() { more <- derived.VerifyNothing(t.Context(), "p") }()
			synctest.Wait()
		}
		if busy := count(more, 3, ErrBusy); busy != 3 {
			t.Errorf("%d of three behind the one that waits are ErrBusy, want all", busy)
		}
		close(g.finish)
		if served := count(errs, 1, nil) + count(more, 1, nil); served != 2 {
			t.Errorf("%d are served, want 2: one that computed and one that waited", served)
		}
		if _, most := g.now(); most != 1 {
			t.Errorf("%d computed at once, want 1", most)
		}
	})
}

func TestWithLegacyBcryptLeavesItsHasherAlone(t *testing.T) {
	h := NewHasher(Limits{})
	for cost, want := range map[int]int{-1: 0, 0: 0, 3: 0, 4: 4, 12: 12, 14: 14, 15: 14, 31: 14} {
		if got := h.WithLegacyBcrypt(cost).engine.legacyCost; got != want {
			t.Errorf("WithLegacyBcrypt(%d) spends cost %d, want %d", cost, got, want)
		}
	}
	twelve := h.WithLegacyBcrypt(12)
	if none := twelve.WithLegacyBcrypt(0); none.engine.legacyCost != 0 || twelve.engine.legacyCost != 12 || h.engine.legacyCost != 0 {
		t.Errorf("costs %d, %d and %d, want 0, 12 and 0", none.engine.legacyCost, twelve.engine.legacyCost, h.engine.legacyCost)
	}
}

// Called at every login: one small value.
func TestWithLegacyBcryptIsCheap(t *testing.T) {
	h := NewHasher(Limits{})
	var derived *Hasher
	if n := testing.AllocsPerRun(100, func() { derived = h.WithLegacyBcrypt(12) }); n > 1 {
		t.Errorf("%v allocations, want at most 1", n)
	}
	if derived.slots != h.slots {
		t.Error("not the same slots")
	}
}
