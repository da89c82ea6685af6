package password

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

const (
	// slotMemory is what one Argon2id computation with current numbers holds, in bytes.
	slotMemory = 64 << 20
	// restMemory is what ConcurrencyFor leaves to the rest of the process, in bytes.
	restMemory = 64 << 20
)

// Limits bound a Hasher. The zero value lets one caller compute and none wait.
type Limits struct {
	// Concurrent is how many computations of 64 MiB run at once; below 1 counts as
	// 1. See ConcurrencyFor.
	Concurrent int

	// Queue is how many callers may wait for a slot; below 0 counts as 0. With n
	// computing, each taking d, the last in the queue waits about Queue/n*d, so a
	// queue that takes longer than its callers' deadlines only delays their ErrBusy.
	Queue int
}

// Hasher is Hash, Verify and VerifyNothing with a bound on how many computations
// run and wait at once (invariant I13: the attack is a burst of logins that fills
// the memory and gets the process killed). Make one for the process: two have two
// bounds, except those that WithLegacyBcrypt derives. It is safe for concurrent use
// and has nothing to close.
type Hasher struct {
	engine engine
	slots  *semaphore.Weighted
	size   int64
	queue  chan struct{} // one element for each waiting caller
	load   *load
}

// load is how much a Hasher has to do.
type load struct {
	taken atomic.Int64 // slots
	busy  atomic.Uint64
}

// NewHasher returns a Hasher with the given limits.
func NewHasher(limits Limits) *Hasher {
	size := int64(max(limits.Concurrent, 1))
	return &Hasher{
		engine: newEngine(),
		slots:  semaphore.NewWeighted(size),
		size:   size,
		queue:  make(chan struct{}, max(limits.Queue, 0)),
		load:   new(load),
	}
}

// Load is how much a Hasher has to do at this moment, and what it did not do.
type Load struct {
	// Taken and Slots are of 64 MiB each: those that compute, and all.
	Taken, Slots int
	// Waiting and Queue are callers: those that wait for a slot, and how many may.
	Waiting, Queue int
	// Busy is how many were told ErrBusy since the Hasher was made.
	Busy uint64
}

// Load returns it.
func (h *Hasher) Load() Load {
	return Load{
		Taken: int(h.load.taken.Load()), Slots: int(h.size), Waiting: len(h.queue), Queue: cap(h.queue), Busy: h.load.busy.Load(),
	}
}

// WithLegacyBcrypt returns a Hasher within the same bound that does one bcrypt
// computation of the given cost in every verification, besides the Argon2id one:
// the highest cost among the bcrypt hashes that are left in the table, 0 for none.
// Without it a stranger tells the accounts that still have a bcrypt hash by the time
// of a failed login; cost 12 is about 0.3 s.
//
// It is cheap, for a caller who asks the table at every login, in the statement that
// looks for the account and whether or not it finds one:
//
//	SELECT COALESCE(max(substring(password_hash, 5, 2)::int), 0) FROM users
//	WHERE password_hash ~ '^\$2[aby]\$(0[4-9]|1[0-4])\$'
//
// A partial index under that condition finds it without reading the table. The
// condition leaves out what Verify refuses (ErrTooCostly), so that one planted hash
// of cost 31 slows nobody down. Costs above 14 count as 14, below 4 as 0.
func (h *Hasher) WithLegacyBcrypt(cost int) *Hasher {
	if cost < minBcryptCost {
		cost = 0
	}
	derived := *h // slots and queue are references, and stay shared
	derived.engine.legacyCost = min(cost, maxBcryptCost)
	return &derived
}

// ConcurrencyFor is a value for Limits.Concurrent from the memory that the process
// may use, in bytes: 64 MiB are left for everything else, and each 128 MiB of the
// rest are one computation of 64 MiB. At least 1, and no more than there are
// processors, since more would only make each slower.
//
// Twice, because the memory of a finished computation stays until the collector
// runs, which with the default GOGC is when the heap has doubled: four at once were
// seen to take 529 MB. With GOMEMLIMIT at half of the container's limit the
// collector also runs when it gets tight, and should be set. An unknown limit (0 or
// less) counts as the least.
func ConcurrencyFor(memoryLimitBytes int64) int {
	return concurrencyFor(memoryLimitBytes, runtime.GOMAXPROCS(0))
}

func concurrencyFor(memoryLimitBytes int64, processors int) int {
	byMemory := (max(memoryLimitBytes, restMemory) - restMemory) / (2 * slotMemory)
	return int(max(1, min(byMemory, int64(processors))))
}

// Hash is the package's Hash within the limits. Errors: ErrTooLong, ErrBusy.
func (h *Hasher) Hash(ctx context.Context, plain string) (string, error) {
	if tooLong(plain) {
		return "", ErrTooLong
	}
	return compute(ctx, h, 1, func() string { return h.engine.hash(plain) })
}

// Verify is the package's Verify within the limits. Errors: ErrMalformed,
// ErrTooCostly, ErrBusy.
//
// A stored hash of more than 64 MiB takes as many slots as it needs, and one that
// needs more than all of them is ErrTooCostly: the sum of what runs stays under
// Concurrent times 64 MiB whatever the table holds.
func (h *Hasher) Verify(ctx context.Context, encoded, plain string) (Result, error) {
	s, fault := parse(encoded)
	weight := slotsFor(s)
	if weight > h.size {
		s, fault, weight = nobody, ErrTooCostly, 1
	}
	type judgement struct {
		result Result
		err    error
	}
	j, err := compute(ctx, h, weight, func() judgement {
		result, err := h.engine.judge(s, fault, plain)
		return judgement{result, err}
	})
	if err != nil {
		return Result{}, err
	}
	return j.result, j.err
}

// VerifyNothing is the package's VerifyNothing within the limits. Its only error is
// ErrBusy, which must be answered like Verify's: busy that is ignored for unknown
// accounts alone would tell them apart.
func (h *Hasher) VerifyNothing(ctx context.Context, plain string) error {
	_, err := compute(ctx, h, 1, func() struct{} {
		h.engine.verifyNothing(plain)
		return struct{}{}
	})
	return err
}

// compute does work of the given weight in a slot. A caller whose context ends meanwhile
// is told ErrBusy then: a computation cannot be broken off, and on a machine that has
// much to do it takes longer than people wait. Its slot is free when it is done.
func compute[T any](ctx context.Context, h *Hasher, weight int64, work func() T) (none T, err error) {
	if err := h.acquire(ctx, weight); err != nil {
		h.load.busy.Add(1)
		return none, err
	}
	h.load.taken.Add(weight)
	type outcome struct {
		result   T
		panicked any
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			o.panicked = recover() // here it would end the process, and not one request
			h.load.taken.Add(-weight)
			h.slots.Release(weight) // before the caller goes on, who may come again at once
			done <- o
		}()
		o.result = work()
	}()
	select {
	case o := <-done:
		if o.panicked != nil {
			panic(o.panicked)
		}
		return o.result, nil
	case <-ctx.Done():
		h.load.busy.Add(1)
		return none, busy(ctx)
	}
}

func slotsFor(s stored) int64 {
	return (int64(s.memoryKiB())<<10 + slotMemory - 1) / slotMemory
}

// acquire takes slots, first come first served, or says busy. A caller whose
// context has ended gets none even when some are free: nobody reads the answer.
func (h *Hasher) acquire(ctx context.Context, weight int64) error {
	if ctx.Err() != nil {
		return busy(ctx)
	}
	if h.slots.TryAcquire(weight) {
		return nil
	}
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return ErrBusy
	}
	if h.slots.Acquire(ctx, weight) != nil {
		return busy(ctx)
	}
	return nil
}

func busy(ctx context.Context) error {
	return fmt.Errorf("%w: %w", ErrBusy, context.Cause(ctx))
}
