package faulttest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Server is "server serve" in a process of its own, as it is shipped.
type Server struct {
	// DAOURL and FOSURL are where its halves listen, "" where it does not run one.
	DAOURL, FOSURL string

	command *exec.Cmd
	log     *serverLog
	ended   chan struct{} // closed when the process is gone; only then may err be read
	err     error
}

// Serve runs a server with environ, and env on top, until it is ended or the test
// is. At the end of the test one that still runs must leave in order. It returns
// when the server listens, which is before it is ready.
func Serve(t testing.TB, environ map[string]string, env map[string]string) *Server {
	t.Helper()
	s := &Server{log: &serverLog{listening: map[string]string{}}, ended: make(chan struct{})}
	s.command = exec.Command(program(t), "serve") //nolint:gosec,noctx // our own program; it is told to leave
	all := maps.Clone(environ)
	maps.Copy(all, env)
	for name, value := range all {
		s.command.Env = append(s.command.Env, name+"="+value)
	}
	out, err := s.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	halves := all["HANDOFF_HALVES"]
	listens := make(chan struct{})
	go func() {
		defer close(s.ended)
		s.log.read(bufio.NewScanner(out), listens, halves)
		s.err = s.command.Wait()
	}()
	t.Cleanup(func() { s.Leave(t) })
	select {
	case <-listens:
	case <-s.ended:
		t.Fatalf("the server ended: %v\n%s", s.err, s.Log())
	case <-time.After(20 * time.Second):
		t.Fatalf("the server does not listen:\n%s", s.Log())
	}
	s.DAOURL, s.FOSURL = s.log.listening["dao"], s.log.listening["fos"]
	return s
}

// Log is the server's log so far.
func (s *Server) Log() string { return s.log.String() }

// PID is the process' id.
func (s *Server) PID() int { return s.command.Process.Pid }

// Ended is closed when the process is gone, for whatever reason.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Kill is SIGKILL: the process gets to do nothing more. It returns when it is gone.
func (s *Server) Kill() {
	_ = s.command.Process.Kill() // it may have been killed already
	<-s.ended
}

// Pause is SIGSTOP: its sockets stay open, and nobody answers.
func (s *Server) Pause(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Wake is SIGCONT.
func (s *Server) Wake(t testing.TB) { s.signal(t, syscall.SIGCONT) }

// Leave is SIGTERM, and waits until the server has left in order. To one that is gone
// it is nothing.
func (s *Server) Leave(t testing.TB) {
	t.Helper()
	select {
	case <-s.ended:
		return
	default:
	}
	s.signal(t, syscall.SIGCONT)
	s.signal(t, syscall.SIGTERM)
	select {
	case <-s.ended:
		if s.err != nil {
			t.Errorf("the server did not leave in order: %v\n%s", s.err, s.Log())
		}
	case <-time.After(20 * time.Second):
		s.Kill()
		t.Errorf("the server did not leave:\n%s", s.Log())
	}
}

func (s *Server) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := s.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

// PeakMemory is the most that the process ever held, in bytes, as the kernel counts
// it (proc(5): VmHWM).
func (s *Server) PeakMemory(t testing.TB) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, is := strings.CutPrefix(line, "VmHWM:"); is {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("the kernel does not say VmHWM")
	return 0
}

// ProcessorTime is what the process has computed so far, to 10 ms (proc(5): the
// fields 14 and 15 of stat, counted behind the name, in hundredths of a second).
func (s *Server) ProcessorTime(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.PID()))
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

// program builds the server, once in a test process.
func program(t testing.TB) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// builtIn is the folder, if there is one.
var builtIn atomic.Pointer[string]

// built is where the program is, below a folder of this process' own.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "faulttest")
	if err != nil {
		return "", fmt.Errorf("faulttest: %w", err)
	}
	builtIn.Store(&dir)
	path := filepath.Join(dir, "server")
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "go", "build", "-o", path, "github.com/hello-world-co-op/handoff/cmd/server") //nolint:gosec // our own program
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// Main is a package's TestMain. It removes the program that its tests ran.
func Main(m *testing.M) {
	code := m.Run()
	if dir := builtIn.Load(); dir != nil {
		_ = os.RemoveAll(*dir) // the system clears its temporary files in the end
	}
	os.Exit(code)
}
