package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// apt runs apt's programs and keeps what they say.
type apt struct {
	log string
	// lock is inherited by apt, so that it is held until apt has ended even if
	// this process is killed in the middle of an installation.
	lock *os.File
	// dir is the working directory, empty for ours.
	dir string
	// options come before the arguments, "-o" and all.
	options []string
}

const (
	// aptEnds is how long apt may take to end after Ctrl-C: while dpkg
	// runs it waits for it, and to kill that would leave packages half installed.
	aptEnds = time.Minute
	// aptBusy bounds the wait for somebody else's apt.
	aptBusy = 3 * time.Minute
)

// get runs apt-get. While another apt works on the same lists it tries again.
func (a apt) get(ctx context.Context, args ...string) (string, error) {
	for deadline := time.Now().Add(aptBusy); ; {
		output, err := a.run(ctx, "apt-get", append(a.options, args...)...)
		if err == nil || !strings.Contains(output, "Could not get lock") || time.Now().After(deadline) {
			return output, err
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(err, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// run runs a program and returns what it printed, errors included.
func (a apt) run(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // apt-get and dpkg-deb, with our arguments
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	// A group of its own: Ctrl-C must not reach dpkg past apt.
	cmd.SysProcAttr = attributes(account{})
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = aptEnds
	if a.lock != nil {
		cmd.ExtraFiles = []*os.File{a.lock}
	}
	output, err := cmd.CombinedOutput()
	text := string(output)
	if noted := a.note(program, args, text); noted != nil {
		text += "\n" + noted.Error()
	}
	if err != nil {
		return text, fmt.Errorf("%s %s: %w%s", program, strings.Join(args, " "), err, lastLines(a.log))
	}
	return text, nil
}

// note adds to the log below Dir.
func (a apt) note(program string, args []string, text string) error {
	file, err := os.OpenFile(a.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND|noFollow, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "$ %s %s\n%s\n", program, strings.Join(args, " "), text)
	return errors.Join(err, file.Close())
}
