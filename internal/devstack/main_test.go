package devstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childVariable makes the test binary be a program that starts a stack in the
// folder that it names, says what it started and waits to be killed.
const childVariable = "DEVSTACK_TEST_OWNER_OF"

// sharedDir has the downloads and templates of all tests, so that a machine
// without servers fetches them once.
var sharedDir string

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		fmt.Fprintln(os.Stderr, "owner:", owning(dir, os.Getenv("DEVSTACK_TEST_KEPT") == ""))
		os.Exit(1)
	}
	if err := prepareShared(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// prepareShared fails where a server cannot be had: no test is skipped for that.
func prepareShared() error {
	root, err := ModuleRoot()
	if err != nil {
		return err
	}
	sharedDir = filepath.Join(root, ".dev")
	o := Options{Dir: sharedDir, Postgres: true, Redis: true, Log: func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "devstack: "+format+"\n", args...)
	}}
	if err := o.complete(); err != nil {
		return err
	}
	_, err = newProvider(o).provide(context.Background())
	return errors.Join(err, os.MkdirAll(filepath.Join(sharedDir, "templates"), 0o700))
}

// privateDir is a Dir of one test that shares nothing but downloads and templates.
func privateDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	// The servers' account has to pass through; testing makes the folder 0700.
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"debs-root", "templates"} {
		if err := os.Symlink(filepath.Join(sharedDir, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startFor starts a stack and stops it when the test ends, unless it did itself.
func startFor(t *testing.T, o Options) *Stack {
	t.Helper()
	if o.Dir == "" {
		o.Dir = sharedDir
	}
	o.Log = t.Logf
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() }) // the tests that are about stopping look at the error
	return s
}

// traces is what a stack has on the machine.
type traces struct {
	Postgres, Redis       int
	PostgresURL, RedisURL string
	Home                  string
}

func tracesOf(s *Stack) traces {
	return traces{
		Postgres: s.postgres.pid(), Redis: s.redis.pid(),
		PostgresURL: s.PostgresURL, RedisURL: s.RedisURL, Home: s.home.dir,
	}
}

// owning is the life of the child: it ends with its standard input at the latest.
func owning(dir string, ephemeral bool) error {
	s, err := Start(context.Background(), Options{Dir: dir, Ephemeral: ephemeral, Postgres: true, Redis: true})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(tracesOf(s)); err != nil {
		return errors.Join(err, s.Stop())
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, s.Stop())
}

// eventually polls for what another process does, and fails after ten seconds.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	deadline := time.After(10 * time.Second)
	for !done() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("after ten seconds still not: %s", what)
		}
	}
}

// isGone says that a process has ended. A zombie has: if process 1 of this machine
// never reaps, as in many containers, it stays in the list for ever.
func isGone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)) // where there is one
	if err == nil && strings.Contains(string(stat), ") Z ") {
		return true
	}
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
}
