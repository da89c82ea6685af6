// Command example writes the example environment file to the path that it is
// given. It is run by go generate in the package above.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/hello-world-co-op/handoff/internal/config"
)

func main() {
	if len(os.Args) != 2 {
		fail("usage: example FILE")
	}
	var content bytes.Buffer
	if err := config.WriteExample(&content); err != nil {
		fail(err)
	}
	// World-readable on purpose: it is documentation.
	if err := os.WriteFile(os.Args[1], content.Bytes(), 0o644); err != nil { //nolint:gosec // G306
		fail(err)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
