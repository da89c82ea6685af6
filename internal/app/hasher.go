package app

import (
	"log/slog"
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/hello-world-co-op/handoff/password"
)

// hashQueue bounds how many logins wait for their turn at hashing. At about 0.2 s
// each, more would only wait past their deadline.
const hashQueue = 16

// newHasher makes the one bound on hashing of the process: with one for each half
// there would be room for twice as much as there is memory (I13).
func newHasher(log *slog.Logger) *password.Hasher {
	limit, source := memoryLimit(debug.SetMemoryLimit(-1), memlimit.FromCgroup)
	concurrent := password.ConcurrencyFor(limit)
	log.Info("passwords", "hashes_at_once", concurrent, "waiting", hashQueue, "memory_mib", limit>>20, "memory_limit_from", source)
	return password.NewHasher(password.Limits{Concurrent: concurrent, Queue: hashQueue})
}

// unknownMemory is assumed where nothing limits the process: enough for several
// hashes at once on any machine that runs this.
const unknownMemory = 1 << 30

// memoryLimit is what this process may use, in bytes, and who says so: GOMEMLIMIT,
// which is the runtime's, or the least limit of the cgroups that the process is in. The
// lesser counts: a GOMEMLIMIT above the container's limit does not move that one.
func memoryLimit(runtimeLimit int64, cgroup func() (uint64, error)) (limit int64, source string) {
	limit, source = unknownMemory, "nobody"
	if found, err := cgroup(); err == nil && found < math.MaxInt64 {
		limit, source = int64(found), "cgroup"
	}
	if runtimeLimit != math.MaxInt64 && (source == "nobody" || runtimeLimit < limit) {
		limit, source = runtimeLimit, "GOMEMLIMIT"
	}
	return limit, source
}
