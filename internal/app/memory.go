package app

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

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

// BoundMemory gives the garbage collector half of what the container has, unless
// GOMEMLIMIT says otherwise. (With three fifths a storm of logins was seen to hold 225
// of 256 MiB, with half 161.) Each password that was hashed leaves 64 MiB to be
// collected: without a bound the next login takes memory while the last one's is still
// held, and the kernel kills the process (I13).
//
// Where there is a bound, it and not a few MiB of growth is the reason to collect: the
// heap may grow to five times of what lives, unless GOGC says otherwise. Under load the
// service lives in 10 MiB, and would be collected a dozen times a second.
//
// It is for a whole process, at its start.
func BoundMemory(log *slog.Logger) {
	if bound := collectorBound(debug.SetMemoryLimit(-1), memlimit.FromCgroup); bound != 0 {
		debug.SetMemoryLimit(bound)
		log.Info("memory", "collector_mib", bound>>20)
	}
	_, said := os.LookupEnv("GOGC")
	if bounded := debug.SetMemoryLimit(-1) != math.MaxInt64; bounded && !said {
		debug.SetGCPercent(400)
	}
}

// collectorBound is the bound in bytes, 0 for leaving things as they are.
func collectorBound(runtimeLimit int64, cgroup func() (uint64, error)) int64 {
	limit, source := memoryLimit(runtimeLimit, cgroup)
	if source != "cgroup" || runtimeLimit != math.MaxInt64 {
		return 0
	}
	return limit / 2
}

const (
	// mostConnections is for listeners that have memory enough.
	mostConnections = 2048
	// connectionMemory is what one costs at worst, in bytes: headers of 20 KiB in many
	// small pieces, never ended.
	connectionMemory = 256 << 10
)

// connections is how many each listener may hold, of which there are three: as
// configured, or what fits into half of the memory, and never so few that requests
// which are worked on are in each other's way.
func connections(configured, requests int, memory int64) int {
	if configured != 0 {
		return configured
	}
	return max(requests+64, int(min(mostConnections, memory/2/3/connectionMemory)))
}
