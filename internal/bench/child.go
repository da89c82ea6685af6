package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// setup is the first line that a child reads: its configuration. Not its environment nor
// its arguments, which others could read. Profile is a file for its processor profile; ""
// is none.
type setup struct {
	Environ []string
	Profile string
}

// born is the first line that it writes: where its halves listen.
type born struct{ DAO, FOS string }

// usage is what it has used so far; it writes it for each empty line that it reads.
type usage struct {
	Processor time.Duration
	Mallocs   uint64
}

// child is one of the programs under measure. It ends when its input does, so that it
// cannot outlive us.
type child struct {
	born
	in   io.WriteCloser
	out  *json.Decoder
	wait func() error
}

// newChild introduces itself to a program that reads in and writes out.
func newChild(s setup, in io.WriteCloser, out io.Reader, wait func() error) (*child, error) {
	c := &child{in: in, out: json.NewDecoder(out), wait: wait}
	err := json.NewEncoder(in).Encode(s)
	if err == nil {
		err = c.out.Decode(&c.born)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bench: a child did not start: %w", err), c.stop())
	}
	return c, nil
}

// startProcess runs this program again as one of its children.
func startProcess(ctx context.Context, name string, s setup) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	// It is told to end by its input; ctx is for what goes wrong before.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, ChildCommand, name) //nolint:gosec // ourselves
	cmd.Stderr = os.Stderr
	if name == service {
		cmd.Env = append(os.Environ(), "GOMEMLIMIT=128MiB") // as in a container of 256 MiB; deploy gives it 512
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return newChild(s, in, out, cmd.Wait)
}

// used asks what the child has used so far.
func (c *child) used() (usage, error) {
	var u usage
	if _, err := c.in.Write([]byte("\n")); err != nil {
		return u, fmt.Errorf("bench: a child is gone: %w", err)
	}
	if err := c.out.Decode(&u); err != nil {
		return u, fmt.Errorf("bench: a child is gone: %w", err)
	}
	return u, nil
}

func (c *child) stop() error { return errors.Join(c.in.Close(), c.wait()) }
