//go:build faults

package crowd_test

import (
	"runtime/debug"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(800) // a crowd should leave the machine to what it measures
	faulttest.Main(m)
}
