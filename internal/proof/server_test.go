//go:build proof

package proof_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// server is "server serve" in a process of its own, as it is shipped.
type server struct {
	command        *exec.Cmd
	daoURL, fosURL string
}

// serve builds the server and runs it on the stores of s until the test ends, with
// env added to its environment.
func serve(t *testing.T, s *testkit.Service, env ...string) *server {
	t.Helper()
	program := filepath.Join(t.TempDir(), "server")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/hello-world-co-op/handoff/cmd/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	r := &server{command: exec.Command(program, "serve")} //nolint:noctx // it is told to leave
	for name, value := range s.Environ {
		r.command.Env = append(r.command.Env, name+"="+value)
	}
	r.command.Env = append(r.command.Env, env...)
	log, err := r.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	read := make(chan struct{})
	t.Cleanup(func() {
		_ = r.command.Process.Signal(syscall.SIGTERM)
		<-read
		if err := r.command.Wait(); err != nil {
			t.Errorf("the server did not leave in order: %v\n%s", err, &said)
		}
	})
	lines := bufio.NewScanner(io.TeeReader(log, &said))
	for (r.daoURL == "" || r.fosURL == "") && lines.Scan() {
		var line struct{ Msg, Half, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			switch line.Half {
			case "dao":
				r.daoURL = "http://" + line.Addr
			case "fos":
				r.fosURL = "http://" + line.Addr
			}
		}
	}
	go func() {
		for lines.Scan() {
		}
		close(read)
	}()
	if r.daoURL == "" || r.fosURL == "" {
		t.Fatalf("the server does not listen:\n%s", &said)
	}
	return r
}

// peakKiB is the most memory that the process ever held, as the kernel counts it.
func (r *server) peakKiB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmHWM:"); is {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatal("the kernel does not say VmHWM")
	return 0
}

// processorTime is what the process has computed so far, to 10 ms (proc(5): the
// fields 14 and 15 of stat, counted behind the name, in hundredths of a second).
func (r *server) processorTime(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
