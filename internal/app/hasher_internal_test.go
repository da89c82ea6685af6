package app

import (
	"errors"
	"math"
	"testing"
)

// I13: whoever limits this process is believed, and the least of them most. Nobody
// limiting it is not "no limit".
func TestI13_hashingIsBoundedByWhoeverLimitsTheMemory(t *testing.T) {
	t.Parallel()
	none := errors.New("memory is not limited")
	for name, c := range map[string]struct {
		runtime int64
		cgroup  uint64
		err     error
		want    int64
		source  string
	}{
		"nobody":                      {math.MaxInt64, 0, none, 1 << 30, "nobody"},
		"the runtime":                 {230 << 20, 0, none, 230 << 20, "GOMEMLIMIT"},
		"the runtime, with much":      {8 << 30, 0, none, 8 << 30, "GOMEMLIMIT"},
		"the cgroup":                  {math.MaxInt64, 256 << 20, nil, 256 << 20, "cgroup"},
		"both, the runtime less":      {230 << 20, 256 << 20, nil, 230 << 20, "GOMEMLIMIT"},
		"both, the cgroup less":       {4 << 30, 256 << 20, nil, 256 << 20, "cgroup"},
		"a cgroup that says no limit": {math.MaxInt64, math.MaxUint64, nil, 1 << 30, "nobody"},
	} {
		limit, source := memoryLimit(c.runtime, func() (uint64, error) { return c.cgroup, c.err })
		if limit != c.want || source != c.source {
			t.Errorf("%s: %d from %s, want %d from %s", name, limit, source, c.want, c.source)
		}
	}
}

// I13: whoever sets GOMEMLIMIT is obeyed; else a container's limit leaves half for
// what the collector does not count.
func TestI13_theCollectorKnowsTheContainer(t *testing.T) {
	t.Parallel()
	none := errors.New("memory is not limited")
	for name, c := range map[string]struct {
		runtime int64
		cgroup  uint64
		err     error
		want    int64
	}{
		"nobody":                 {math.MaxInt64, 0, none, 0},
		"the cgroup":             {math.MaxInt64, 256 << 20, nil, 128 << 20},
		"both, the runtime less": {100 << 20, 256 << 20, nil, 0},
		"both, the cgroup less":  {1 << 30, 256 << 20, nil, 0},
	} {
		if bound := collectorBound(c.runtime, func() (uint64, error) { return c.cgroup, c.err }); bound != c.want {
			t.Errorf("%s: %d, want %d", name, bound, c.want)
		}
	}
}

// I13: a small container holds few connections, and never fewer than it works on.
func TestI13_aSmallContainerHoldsFewConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		configured, requests int
		memory               int64
		want                 int
	}{
		{0, 256, 8 << 30, 2048}, {0, 256, unknownMemory, 682}, {0, 256, 512 << 20, 341}, {0, 256, 192 << 20, 320}, {5000, 256, 192 << 20, 5000},
	} {
		if got := connections(c.configured, c.requests, c.memory); got != c.want {
			t.Errorf("%d configured, %d requests, %d MiB: %d, want %d", c.configured, c.requests, c.memory>>20, got, c.want)
		}
	}
}
