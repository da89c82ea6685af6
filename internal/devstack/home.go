package devstack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ErrBusy says that another process runs the servers on the kept data.
var ErrBusy = errors.New("devstack: another process is using the kept servers")

const (
	// ephemeralPrefix begins the names of the folders that orphans are looked for in.
	ephemeralPrefix = "handoff-devstack-"
	keptPrefix      = "handoff-devkeep-"
	lockName        = "owner.lock"
	// afterKill is how long the servers of an owner that was killed may take to end.
	afterKill = 15 * time.Second
	// afterStop is how long an owner that is stopping just now may take.
	afterStop = 2 * time.Second
)

// home is the folder of one stack: data, logs and the lock that says whose it is.
type home struct {
	dir       string
	ephemeral bool
	account   account
	// lock is inherited by the servers, so that it is free only when the owner
	// and all of them are gone.
	lock *os.File
	// reaper cleans up if this process cannot.
	reaper *reaper
}

func openHome(ctx context.Context, o Options, a account) (*home, error) {
	if !o.Ephemeral {
		return openKept(ctx, o, a)
	}
	base, err := reachable(a, os.TempDir(), "/tmp", "/var/tmp")
	if err != nil {
		return nil, err
	}
	removeOrphans(base)
	dir, err := os.MkdirTemp(base, ephemeralPrefix)
	if err != nil {
		return nil, fmt.Errorf("devstack: %w", err)
	}
	h := &home{dir: dir, ephemeral: true, account: a}
	if h.lock, err = newLock(filepath.Join(dir, lockName)); err == nil {
		err = errors.Join(sign(h.lock), h.open())
	}
	if err != nil {
		return nil, fmt.Errorf("devstack: %w", errors.Join(err, h.close()))
	}
	return h, nil
}

// openKept opens the folder that outlives this process. As root it may have to
// lie outside Dir.
func openKept(ctx context.Context, o Options, a account) (*home, error) {
	dir := filepath.Join(o.Dir, "servers")
	if !a.canEnter(o.Dir) {
		base, err := reachable(a, "/var/tmp", os.TempDir())
		if err != nil {
			return nil, err
		}
		name := sha256.Sum256([]byte(o.Dir))
		dir = filepath.Join(base, keptPrefix+hex.EncodeToString(name[:8]))
		o.Log("the account %q, which runs Postgres instead of root, may not enter %s: data is kept in %s", a.name, o.Dir, dir)
	}
	h := &home{dir: dir, account: a}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("devstack: %w", err)
	}
	// The fallback's name can be foretold: another account could have made it
	// first, as a link or with files of its own, to have root write there.
	if err := isOwn(dir); err != nil {
		return nil, err
	}
	lock, err := takeKept(ctx, dir, o.Log)
	if err != nil {
		return nil, err
	}
	h.lock = lock
	if err := errors.Join(sign(lock), h.open()); err != nil {
		return nil, fmt.Errorf("devstack: %w", errors.Join(err, h.close()))
	}
	return h, nil
}

// takeKept waits for a lock only as long as its holder can be expected to end.
func takeKept(ctx context.Context, dir string, log func(string, ...any)) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	patience := afterStop
	if pid := signer(path); pid != 0 && !isAlive(pid) {
		patience = afterKill
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lock, err := waitLock(short, path, func() { log("waiting for the servers in %s to be released", dir) })
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, fmt.Errorf("%w in %s (process %d): stop it first, or set DATABASE_URL and REDIS_URL", ErrBusy, dir, signer(path))
	}
	if err != nil {
		return nil, fmt.Errorf("devstack: %w", err)
	}
	return lock, nil
}

// open lets the servers' account pass through, and nobody else's read.
func (h *home) open() error {
	if !h.account.other {
		return nil
	}
	return os.Chmod(h.dir, 0o711) //nolint:gosec // passing through is the purpose; each server's own folder is 0700
}

// folder makes a folder for one server, owned by the account it runs as.
func (h *home) folder(name string) (string, error) {
	dir := filepath.Join(h.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, h.account.give(dir)
}

// logFile makes the file for a server's output, empty again at each start.
func (h *home) logFile(name string) (*os.File, error) {
	//nolint:gosec // a name of ours
	return os.OpenFile(filepath.Join(h.dir, name+".log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND|noFollow, 0o600)
}

// close gives the folder up. Ephemeral data goes first: once the lock is free it
// would be somebody else's orphan.
func (h *home) close() error {
	var err error
	if h.ephemeral {
		err = os.RemoveAll(h.dir)
	}
	if h.lock == nil {
		return err
	}
	return errors.Join(err, h.lock.Close())
}

// reachable returns the first folder that the account can enter.
func reachable(a account, folders ...string) (string, error) {
	for _, dir := range folders {
		if a.canEnter(dir) {
			return dir, nil
		}
	}
	return "", fmt.Errorf("devstack: the account %q, which runs Postgres instead of root, can enter none of %q", a.name, folders)
}

// isOwn says no to a folder that is a link, not a folder or not our account's.
func isOwn(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("devstack: %w", err)
	}
	uid, _, known := owner(info)
	if !info.IsDir() || known && int(uid) != os.Geteuid() {
		return fmt.Errorf("devstack: %s is not a folder of this account (was this last run as another one?): remove it, or run as its owner", dir)
	}
	return nil
}

// removeOrphans removes the ephemeral folders whose owner and servers are gone
// although nobody cleaned up: the owner was killed, and its reaper too.
func removeOrphans(base string) {
	found, _ := filepath.Glob(filepath.Join(base, ephemeralPrefix+"*"))
	for _, dir := range found {
		if isOwn(dir) != nil {
			continue // another account's; in a shared folder names prove nothing
		}
		removeOrphan(dir)
	}
}

func removeOrphan(dir string) {
	path := filepath.Join(dir, lockName)
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		// Without its lock it is being made just now, or its owner died at that.
		if made, err := os.Lstat(dir); err == nil && time.Since(made.ModTime()) > time.Hour {
			_ = os.RemoveAll(dir) // best effort: the next start tries again
		}
		return
	}
	lock, err := openLock(path)
	if err != nil {
		return // in use
	}
	_ = os.RemoveAll(dir) // best effort, as above
	_ = lock.Close()
}
