package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	// readyPoll is short, because every test package waits for it.
	readyPoll = 10 * time.Millisecond
	// readyWait bounds the start of a server; crash recovery can take seconds.
	readyWait = 30 * time.Second
)

// errPortTaken says that the race for a port was lost.
var errPortTaken = errors.New("the port was taken by another process")

// await polls until the server is ready. When it returns an error, the server
// does not run any more.
func (p *process) await(ctx context.Context, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyWait)
	defer cancel()
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for !ready() {
		select {
		case <-ticker.C:
		case <-p.ended:
			return p.failed()
		case <-ctx.Done():
			err := fmt.Errorf("devstack: %s is not ready: %w%s", p.name, ctx.Err(), p.lastLines())
			return errors.Join(err, p.stop())
		}
	}
	return nil
}

// failed tells a lost port from any other reason to end at once.
func (p *process) failed() error {
	text, err := os.ReadFile(filepath.Clean(p.log))
	if err == nil && bytes.Contains(text, []byte("Address already in use")) {
		return errPortTaken
	}
	return fmt.Errorf("devstack: %s ended while it started: %w%s", p.name, orClean(p.err), p.lastLines())
}

// onFreePort starts a server, on another port when a race for one was lost.
func onFreePort(ctx context.Context, start func(port int) (*process, error)) (*process, int, error) {
	for try := 1; ; try++ {
		port, err := freePort(ctx)
		if err != nil {
			return nil, 0, err
		}
		p, err := start(port)
		if err == nil {
			return p, port, nil
		}
		if !errors.Is(err, errPortTaken) || try == portTries {
			return nil, 0, err
		}
	}
}
