package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const (
	// gentleWait and sternWait bound [Stack.Stop] together with the final SIGKILL.
	gentleWait = 2500 * time.Millisecond
	sternWait  = time.Second
	// systemPath is the PATH of the servers, whatever ours is.
	systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
)

// command is a server that is to be started.
type command struct {
	name, path string
	args, libs []string
	dir        string
	stdin      io.Reader
	// gentle asks the server to end and lose nothing; it is also what the
	// kernel sends it when the owner dies. stern, if any, comes next.
	gentle, stern syscall.Signal
}

// process is a server that was started, or was.
type process struct {
	name          string
	cmd           *exec.Cmd
	log           string
	gentle, stern syscall.Signal
	// ended is closed when the process is gone; only then may err be read.
	ended chan struct{}
	err   error
}

// start starts a server under the home's account; it inherits the home's lock.
func (h *home) start(c command) (*process, error) {
	log, err := h.logFile(c.name)
	if err != nil {
		return nil, err
	}
	// Not bound to a context: it outlives the start, and ends by a signal of its own.
	cmd := exec.Command(c.path, c.args...) //nolint:gosec,noctx // see above; a server that FindServers found
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.dir, c.stdin, log, log
	cmd.Env = environment(c.libs)
	cmd.ExtraFiles = []*os.File{h.lock}
	cmd.SysProcAttr = attributes(h.account)
	diesWithParent(cmd.SysProcAttr, c.gentle)

	p := &process{name: c.name, cmd: cmd, log: log.Name(), gentle: c.gentle, stern: c.stern, ended: make(chan struct{})}
	started := make(chan error, 1)
	go p.live(started)
	err = <-started
	_ = log.Close() // the server has it now, and we wrote nothing
	if err != nil {
		return nil, fmt.Errorf("devstack: %s: %w", c.name, err)
	}
	if err := h.reaper.watch(p); err != nil {
		return nil, fmt.Errorf("devstack: %w", errors.Join(err, p.stop()))
	}
	return p, nil
}

// live starts the process and stays until it has ended. The kernel's word "when
// the parent dies" means the thread that forked, not the process, and the Go
// runtime ends threads as it likes: therefore the goroutine keeps its thread to
// itself for as long as the server lives.
func (p *process) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.ended)
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	p.err = p.cmd.Wait()
}

// environment is all that a server sees of ours: a PGDATA, PGPORT or LANG of the
// person's must not change it, and a secret in a variable is none of its business.
func environment(libs []string) []string {
	env := []string{"PATH=" + systemPath, "LC_ALL=" + locale()}
	if len(libs) > 0 {
		env = append(env, "LD_LIBRARY_PATH="+strings.Join(libs, string(filepath.ListSeparator)))
	}
	return env
}

// locale is UTF-8 by code point, the same on every machine; glibc has it built in.
func locale() string {
	if runtime.GOOS == "linux" {
		return "C.UTF-8"
	}
	return "C"
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the process: gently, sternly, and then it and all below it by
// SIGKILL. A nil process has ended already.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	select {
	case <-p.ended:
		return fmt.Errorf("devstack: %s had ended before it was stopped: %w%s", p.name, orClean(p.err), p.lastLines())
	default:
	}
	if p.signal(p.gentle, gentleWait) || p.stern != 0 && p.signal(p.stern, sternWait) {
		return nil
	}
	below := descendants(p.pid())
	killGroup(p.pid())
	for _, pid := range below {
		killGroup(pid)
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill() // it may have ended with its parent
		}
	}
	<-p.ended
	return fmt.Errorf("devstack: %s did not end within %v and was killed", p.name, gentleWait+sternWait)
}

var errEndedByItself = errors.New("it ended by itself")

func orClean(err error) error {
	if err == nil {
		return errEndedByItself
	}
	return err
}

// signal sends a signal and says whether the process ended in time.
func (p *process) signal(signal syscall.Signal, wait time.Duration) bool {
	_ = p.cmd.Process.Signal(signal) // if it fails, the process has ended or is killed next
	select {
	case <-p.ended:
		return true
	case <-time.After(wait):
		return false
	}
}

// lastLines quotes the end of what the server wrote, for an error.
func (p *process) lastLines() string { return lastLines(p.log) }

func lastLines(path string) string {
	const lines, most = 12, 4096
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return ""
	}
	text = bytes.TrimSpace(text[max(0, len(text)-most):])
	all := bytes.Split(text, []byte("\n"))
	quoted := bytes.Join(all[max(0, len(all)-lines):], []byte("\n\t"))
	if len(quoted) == 0 {
		return ""
	}
	return "\n\t" + string(quoted)
}
