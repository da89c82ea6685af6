package devstack

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startOwner starts a process that owns a stack, in a temporary folder of its own
// (below base) so that only this test looks at what it leaves.
func startOwner(t *testing.T, dir, temp string, kept bool) (*exec.Cmd, traces) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self) //nolint:noctx // the test ends it
	cmd.Env = append(os.Environ(), childVariable+"="+dir, "TMPDIR="+temp)
	if kept {
		cmd.Env = append(cmd.Env, "DEVSTACK_TEST_KEPT=1")
	}
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close() // the owner ends at the latest here
		_, _ = io.Copy(io.Discard, output)
		_ = cmd.Wait() // killed, mostly
	})
	var left traces
	if err := json.NewDecoder(output).Decode(&left); err != nil {
		t.Fatalf("the owner said nothing: %v", err)
	}
	return cmd, left
}

func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
}

func checkNothingRuns(t *testing.T, left traces) {
	t.Helper()
	eventually(t, "Postgres has ended", func() bool { return isGone(left.Postgres) })
	eventually(t, "Redis has ended", func() bool { return isGone(left.Redis) })
	if isListening(t, left.PostgresURL) || isListening(t, left.RedisURL) {
		t.Error("a port is still open")
	}
}

func TestAKilledOwnerLeavesNothing(t *testing.T) {
	dir := privateDir(t)
	cmd, left := startOwner(t, sharedDir, dir, false)
	if !strings.HasPrefix(left.Home, dir) {
		t.Fatalf("the ephemeral folder is %s, not in TMPDIR", left.Home)
	}
	kill(t, cmd)
	checkNothingRuns(t, left)
	eventually(t, "the ephemeral folder is removed", func() bool {
		_, err := os.Stat(left.Home)
		return errors.Is(err, os.ErrNotExist)
	})
}

func TestTheKernelEndsTheServersEvenWhereTheReaperIsKilledToo(t *testing.T) {
	temp := privateDir(t)
	cmd, left := startOwner(t, sharedDir, temp, false)
	reapers := 0
	for _, pid := range descendants(cmd.Process.Pid) {
		arguments, err := os.ReadFile(procFile(pid, "cmdline"))
		if err == nil && strings.Contains(string(arguments), "devstack-reaper") {
			killGroup(pid)
			reapers++
		}
	}
	if reapers != 1 {
		t.Fatalf("%d reapers", reapers)
	}
	kill(t, cmd)
	checkNothingRuns(t, left)
	if _, err := os.Stat(left.Home); err != nil {
		t.Fatalf("who removed the ephemeral folder? %v", err)
	}
	inUse := filepath.Join(temp, ephemeralPrefix+"inuse")
	unfinished := filepath.Join(temp, ephemeralPrefix+"unfinished")
	for _, other := range []string{inUse, unfinished} {
		if err := os.Mkdir(other, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	lock, err := newLock(filepath.Join(inUse, lockName))
	if err != nil {
		t.Fatal(err)
	}
	// A worker of Postgres may outlive the postmaster by a moment, and holds the
	// home's lock until it is gone.
	eventually(t, "the orphan is removed", func() bool {
		removeOrphans(temp) // as the next start does
		_, err := os.Stat(left.Home)
		return errors.Is(err, os.ErrNotExist)
	})
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	for _, other := range []string{inUse, unfinished} {
		if _, err := os.Stat(other); err != nil {
			t.Errorf("somebody else's folder was removed: %v", err)
		}
	}
}

func TestKeptDataIsUsableRightAfterItsOwnerWasKilled(t *testing.T) {
	dir := privateDir(t)
	cmd, left := startOwner(t, dir, dir, true)
	tell(t, left.PostgresURL, "CREATE TABLE member AS SELECT 'Ada' AS name")
	kill(t, cmd)
	s := startFor(t, Options{Dir: dir, Postgres: true, Redis: true})
	if got := ask(t, s.PostgresURL, "SELECT name FROM member"); got != "Ada" {
		t.Errorf("the member is %q", got)
	}
	checkNothingRuns(t, left)
}

func TestServersNeverRunAsRoot(t *testing.T) {
	s := startFor(t, Options{Ephemeral: true, Postgres: true, Redis: true})
	for _, pid := range []int{s.postgres.pid(), s.redis.pid()} {
		status, err := os.ReadFile(procFile(pid, "status"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(status)) {
			name, ids, _ := strings.Cut(strings.TrimSpace(line), ":")
			if name != "Uid" && name != "Gid" && name != "Groups" {
				continue
			}
			for id := range strings.FieldsSeq(ids) {
				if id == "0" {
					t.Errorf("process %d runs as root: %s", pid, line)
				}
			}
		}
	}
}

func TestNobodyReadsAPasswordInTheListOfProcesses(t *testing.T) {
	s := startFor(t, Options{Ephemeral: true, Postgres: true, Redis: true})
	for _, pid := range []int{s.postgres.pid(), s.redis.pid()} {
		arguments, err := os.ReadFile(procFile(pid, "cmdline"))
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{s.PostgresURL, s.RedisURL} {
			parsed, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if password, _ := parsed.User.Password(); strings.Contains(string(arguments), password) {
				t.Errorf("there is one in %q", arguments)
			}
		}
	}
}

func TestAServerThatDoesNotObeyIsKilledInTime(t *testing.T) {
	s := startFor(t, Options{Ephemeral: true, Postgres: true, Redis: true})
	left := tracesOf(s)
	freeze(t, left.Postgres) // first, so that it starts no more workers
	below := descendants(left.Postgres)
	if len(below) == 0 {
		t.Fatal("Postgres without a process below it?")
	}
	for _, pid := range append(below, left.Redis) {
		freeze(t, pid)
	}
	begun := time.Now()
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "was killed") {
		t.Errorf("Stop says %v", err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Stop took %v", took)
	}
	for _, pid := range append(below, left.Postgres, left.Redis) {
		eventually(t, "process "+strconv.Itoa(pid)+" is gone", func() bool { return isGone(pid) })
	}
}

// freeze stops a process, unless it has ended meanwhile as a worker may.
func freeze(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil && !errors.Is(err, syscall.ESRCH) {
		t.Fatal(err)
	}
}

// What a postmaster forks in the moment of its death is nobody's child, and keeps the shared
// memory that the next postmaster needs.
func TestCrashPostgres_leavesNoBackend(t *testing.T) {
	stack, err := Start(t.Context(), Options{Dir: sharedDir, Ephemeral: true, Postgres: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	all := stack.PostgresProcesses()
	if len(all) < 2 {
		t.Fatalf("processes: %v", all)
	}
	if err := syscall.Kill(all[1], syscall.SIGSTOP); err != nil { // it does not see the postmaster's death
		t.Fatal(err)
	}
	if err := syscall.Kill(all[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-stack.postgres.ended
	bystander := exec.Command("sleep", "60") //nolint:noctx // the test ends it
	bystander.Dir = stack.postgres.cmd.Dir
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	if err := stack.CrashPostgres(); err != nil {
		t.Fatal(err)
	}
	if workingDirectory(bystander.Process.Pid) == "" { // as of a zombie
		t.Error("what somebody else runs in that folder was ended")
	}
	kill(t, bystander)
	if err := stack.RestartPostgres(t.Context()); err != nil {
		t.Error(err)
	}
}
