package devstack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// A data directory takes initdb most of a second to make and copying it a
// twentieth of that. It is therefore made once for each version of Postgres and
// kept below Dir as a template, together with its password.

const (
	dataName     = "data"
	passwordName = "password"
	// templateFormat changes when templates made by an older version of this
	// package must not be used any more.
	templateFormat = "1"
)

// initdbOptions make small data directories: 1 MiB segments of write-ahead log
// instead of 16.
func initdbOptions() []string {
	return []string{
		"--username=" + superuser, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=" + locale(),
		"--no-sync", "--wal-segsize=1",
	}
}

// prepareData returns the data directory of this stack and its password.
func (l *launcher) prepareData(ctx context.Context) (data, password string, err error) {
	version, err := l.postgresVersion(ctx)
	if err != nil {
		return "", "", err
	}
	name := "postgres" // with its major version, since another cannot read it
	if major := majorPattern.FindStringSubmatch(version); major != nil {
		name += "-" + major[1]
	}
	data = filepath.Join(l.home.dir, name)
	secret := data + ".password"
	if known, err := os.ReadFile(secret); err == nil { //nolint:gosec // ours
		return data, string(known), l.isServers(data)
	}
	// The password is written last: without it whatever lies here is half made.
	if err := os.RemoveAll(data); err != nil {
		return "", "", fmt.Errorf("devstack: %w", err)
	}
	if password, err = l.fill(ctx, data, version); err == nil {
		err = os.WriteFile(secret, []byte(password), 0o600)
	}
	if err != nil {
		return "", "", fmt.Errorf("devstack: %w", err)
	}
	return data, password, nil
}

// isServers says early that data belongs to another account: kept data that was
// made with sudo and is used without, or the reverse.
func (l *launcher) isServers(data string) error {
	info, err := os.Stat(data)
	if err != nil {
		return fmt.Errorf("devstack: %w", err)
	}
	if uid, _, known := owner(info); known && l.account.other && uid != l.account.uid {
		return fmt.Errorf("devstack: %s belongs to another account (was this last run as another one?): remove it, or run as its owner", data)
	}
	return nil
}

// fill makes a data directory, by copying a template if there is one. A cache
// that cannot be used, because Dir is read-only for instance, only costs time.
func (l *launcher) fill(ctx context.Context, data, version string) (password string, err error) {
	template := filepath.Join(l.Dir, "templates", templateKey(version))
	if err := os.MkdirAll(filepath.Dir(template), 0o755); err != nil { //nolint:gosec // what is secret below is 0600
		return l.initdb(ctx, data)
	}
	lock, err := waitLock(ctx, template+".lock", func() {})
	if err != nil {
		if ctx.Err() != nil {
			return "", err
		}
		return l.initdb(ctx, data)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if known, err := os.ReadFile(filepath.Join(template, passwordName)); err == nil { //nolint:gosec // ours
		return string(known), copyTree(filepath.Join(template, dataName), data, l.account)
	}
	if password, err = l.initdb(ctx, data); err != nil {
		return "", err
	}
	if err := saveTemplate(template, data, password); err != nil {
		l.Log("the data directory is not cached, so that every start makes its own: %v", err)
	}
	return password, nil
}

// templateKey names everything that a template depends on. The account is part
// of it because another one could not read the files.
func templateKey(version string) string {
	all := append([]string{templateFormat, version, strconv.Itoa(os.Geteuid())}, initdbOptions()...)
	sum := sha256.Sum256([]byte(strings.Join(all, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// saveTemplate is called under the template's lock. The rename comes last, so
// that a template is either whole or not there.
func saveTemplate(template, data, password string) error {
	half := template + ".new"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(template), os.Mkdir(half, 0o700)); err != nil {
		return err
	}
	if err := copyTree(data, filepath.Join(half, dataName), account{}); err != nil {
		return err
	}
	//nolint:gosec // below Dir, which is the caller's
	if err := os.WriteFile(filepath.Join(half, passwordName), []byte(password), 0o600); err != nil {
		return err
	}
	return os.Rename(half, template)
}

// initdb makes a data directory from nothing.
func (l *launcher) initdb(ctx context.Context, data string) (string, error) {
	l.Log("making a Postgres data directory")
	password := newPassword()
	if err := errors.Join(os.Mkdir(data, 0o700), l.account.give(data)); err != nil {
		return "", err
	}
	// A file and not an argument: the arguments of a process are public.
	secret := data + ".initdb"
	if err := errors.Join(os.WriteFile(secret, []byte(scramVerifier(password)+"\n"), 0o600), l.account.give(secret)); err != nil {
		return "", err
	}
	args := append(initdbOptions(), "--pwfile="+secret, "--pgdata="+data)
	_, err := l.runProgram(ctx, "initdb", args...)
	return password, errors.Join(err, os.Remove(secret))
}

// majorPattern finds 15 in "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
var majorPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func (l *launcher) postgresVersion(ctx context.Context) (string, error) {
	return l.runProgram(ctx, "postgres", "--version")
}

// runProgram runs one of Postgres' programs to its end, as the servers' account.
func (l *launcher) runProgram(ctx context.Context, name string, args ...string) (string, error) {
	path := l.servers.Postgres.program(name)
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // a program that FindServers found
	cmd.Dir = "/"
	cmd.Env = environment(l.servers.Postgres.Libs)
	cmd.SysProcAttr = attributes(l.account)
	diesWithParent(cmd.SysProcAttr, syscall.SIGTERM)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // initdb then removes what it made
	cmd.WaitDelay = sternWait
	runtime.LockOSThread() // for the reason given at process.live
	defer runtime.UnlockOSThread()
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("devstack: %s: %w\n\t%s", path, err, strings.TrimSpace(string(output)))
	}
	return strings.TrimSpace(string(output)), nil
}
