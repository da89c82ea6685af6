package app

import (
	"log/slog"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/hello-world-co-op/handoff/password"
)

// hashQueue is how many logins wait for each that is hashed. At 0.2 to 0.5 s each, more
// would only wait past their deadline, and keep others from being told so at once.
const hashQueue = 4

// newHasher makes the one bound on hashing of the process: with one for each half
// there would be room for twice as much as there is memory (I13).
func newHasher(log *slog.Logger) *password.Hasher {
	limit, source := memoryLimit(debug.SetMemoryLimit(-1), memlimit.FromCgroup)
	concurrent := password.ConcurrencyFor(limit)
	log.Info("passwords", "hashes_at_once", concurrent, "waiting", concurrent*hashQueue, "memory_mib", limit>>20, "memory_limit_from", source)
	return password.NewHasher(password.Limits{Concurrent: concurrent, Queue: concurrent * hashQueue})
}
