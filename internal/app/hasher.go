package app

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/hello-world-co-op/handoff/password"
)

// hashQueue bounds how many logins wait for their turn at hashing. At about 0.2 s
// each, more would only wait past their deadline.
const hashQueue = 16

// newHasher makes the one bound on hashing of the process: with one for each half
// there would be room for twice as much as there is memory (I13).
func newHasher() *password.Hasher {
	return password.NewHasher(password.Limits{Concurrent: password.ConcurrencyFor(memoryLimit()), Queue: hashQueue})
}

// unknownMemory is assumed where nothing limits the process: enough for several
// hashes at once on any machine that runs this.
const unknownMemory = 1 << 30

// memoryLimit is what this process may use: GOMEMLIMIT, else the cgroup's limit.
func memoryLimit() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
			return limit
		}
	}
	return unknownMemory
}
