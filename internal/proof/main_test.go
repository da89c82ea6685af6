//go:build proof

package proof_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

func TestMain(m *testing.M) { faulttest.Main(m) }
