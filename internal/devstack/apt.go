package devstack

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// update fetches package lists. apt-get calls it a success when it could not reach
// anything, so that old lists serve on; here that is an error, which callers keep
// until something fails for want of lists.
func (a apt) update(ctx context.Context) error {
	output, err := a.get(ctx, "update")
	if err == nil && strings.Contains(output, "Failed to fetch") {
		err = errors.New("apt-get update: " + complaints(output))
	}
	return err
}

// complaints are the lines of apt's output that say what is wrong, three at most.
func complaints(output string) string {
	var found []string
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "E: ") || strings.HasPrefix(line, "W: Failed") {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return strings.Join(found[:min(3, len(found))], "; ")
}

// get runs apt-get. While another apt works on the same lists it tries again.
func (a apt) get(ctx context.Context, args ...string) (string, error) {
	for deadline := time.Now().Add(aptBusy); ; {
		output, err := a.run(ctx, "apt-get", append(a.options, args...)...)
		if err != nil {
			err = fmt.Errorf("apt-get %s: %w: %s (more in %s)", strings.Join(args, " "), err, complaints(output), a.log)
		}
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

// run runs a program and returns what it printed, errors included. The output goes
// straight to the log and not through us: if we are killed, a broken pipe would
// stop dpkg between two packages.
func (a apt) run(ctx context.Context, program string, args ...string) (output string, err error) {
	log, err := os.OpenFile(a.log, os.O_RDWR|os.O_CREATE|os.O_APPEND|noFollow, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	if _, err := fmt.Fprintf(log, "$ %s %s\n", program, strings.Join(args, " ")); err != nil {
		return "", err
	}
	before, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	err = a.command(ctx, log, program, args).Run()
	if _, seekErr := log.Seek(before, io.SeekStart); seekErr != nil {
		return "", errors.Join(err, seekErr)
	}
	text, readErr := io.ReadAll(log)
	return string(text), errors.Join(err, readErr)
}

func (a apt) command(ctx context.Context, log *os.File, program string, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // apt-get and dpkg-deb, with our arguments
	cmd.Dir, cmd.Stdout, cmd.Stderr = a.dir, log, log
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	// A group of its own: Ctrl-C must not reach dpkg past apt.
	cmd.SysProcAttr = attributes(account{})
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = aptEnds
	if a.lock != nil {
		cmd.ExtraFiles = []*os.File{a.lock}
	}
	return cmd
}
