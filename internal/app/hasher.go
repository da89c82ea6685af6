package app

import (
	"log/slog"
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
