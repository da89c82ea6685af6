package fosapi_test

import (
	"testing"

	"github.com/hello-world-co-op/handoff/internal/httpapi/fosapi"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// What is published of a body is what the struct has that is sent or read: no field more or
// less, none of another type, none that may be missing or null and is said not to be.
func TestPublished_theBodiesAreThese(t *testing.T) {
	t.Parallel()
	testkit.WantDescribed(t, "fos", fosapi.Bodies)
}

// What is published of the paths is what is served: nothing is hidden, nothing promised.
func TestPublished_theRoutesAreThese(t *testing.T) {
	t.Parallel()
	testkit.WantRouted(t, "fos", fosapi.Routes(fosapi.Config{}))
}
