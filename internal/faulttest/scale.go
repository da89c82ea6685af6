package faulttest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// Scale is how much of something a test does: full in "make faults", which sets
// FAULTS=full, and short in "make check".
func Scale(short, full int) int {
	if os.Getenv("FAULTS") == "full" {
		return full
	}
	return short
}

var reporting sync.Mutex

// Report logs a figure that is worth keeping, and adds it to the file that
// FAULTS_REPORT names.
func Report(t testing.TB, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	name := os.Getenv("FAULTS_REPORT")
	if name == "" {
		return
	}
	reporting.Lock()
	defer reporting.Unlock()
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // a report for people
	if err != nil {
		t.Error(err)
		return
	}
	if _, err := fmt.Fprintf(file, "%s: %s\n", t.Name(), line); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}
