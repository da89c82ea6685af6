package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// errLocked says that another process, or a server that it left, holds a lock.
var errLocked = errors.New("is locked by another process")

// lockPoll is how often a lock is tried again. flock can wait by itself, but
// then nothing could cancel it.
const lockPoll = 20 * time.Millisecond

// openLock opens or makes a lock file and takes its lock, or returns errLocked.
func openLock(path string) (*os.File, error) {
	// noFollow, because some lie in a shared temporary folder, where somebody else
	// could plant a link to a file of ours.
	//nolint:gosec // a name of ours
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// waitLock takes a lock as soon as it is free, and calls waiting once before it
// starts to wait.
func waitLock(ctx context.Context, path string, waiting func()) (*os.File, error) {
	for tried := false; ; tried = true {
		file, err := openLock(path)
		if !errors.Is(err, errLocked) {
			return file, err
		}
		if !tried {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for %s: %w", path, ctx.Err())
		case <-time.After(lockPoll):
		}
	}
}

// newLock makes a lock file that is locked from the moment it can be seen: the
// search for orphans would else take it for one whose owner is gone.
func newLock(path string) (*os.File, error) {
	file, err := openLock(path + ".new")
	if err != nil {
		return nil, err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// sign writes our process id into a lock file that we hold, for messages only.
func sign(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// signer returns who signed a lock file, 0 if nobody did.
func signer(path string) int {
	text, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}
