package e2e_test

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	// The service's module root, so that servers which have to be downloaded are
	// shared with its own tests (.dev there).
	if err := os.Chdir(".."); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := chromium.close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: the browser did not end in order:", err)
		code = 1
	}
	os.Exit(code)
}
