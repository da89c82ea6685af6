package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// kind is one of the two servers, for finding and fetching.
type kind struct {
	name, variable string
	// packages are what apt calls it, the first that exists counts.
	packages []string
	// looked says where a person would have to put it to be found.
	looked string
}

var (
	postgresKind = kind{
		name: "Postgres", variable: "DATABASE_URL", packages: []string{"postgresql"},
		looked: "$PG_BIN, /usr/lib/postgresql/*/bin and postgres on PATH",
	}
	redisKind = kind{
		name: "Redis", variable: "REDIS_URL", packages: []string{"redis-server", "valkey-server"},
		looked: "redis-server and valkey-server on PATH",
	}
)

// MissingError says that a server cannot be had, and what to do about it.
type MissingError struct {
	missing []kind
	hint    string
	// Reason is why fetching it failed.
	Reason error
}

// Error says what is missing, where it was looked for, why it could not be
// fetched and the command that installs it.
func (e *MissingError) Error() string {
	var text strings.Builder
	var variables []string
	text.WriteString("devstack:")
	for _, k := range e.missing {
		fmt.Fprintf(&text, " no %s server on this machine (looked for %s);", k.name, k.looked)
		variables = append(variables, k.variable)
	}
	fmt.Fprintf(&text, " and fetching failed: %v\n%s, or point %s at running servers", e.Reason, e.hint, strings.Join(variables, " and "))
	return text.String()
}

// Unwrap returns Reason.
func (e *MissingError) Unwrap() error { return e.Reason }

// missing lists the wanted servers that are not there.
func (s Servers) missing(o Options) []kind {
	var all []kind
	if o.Postgres && s.Postgres.Bin == "" {
		all = append(all, postgresKind)
	}
	if o.Redis && s.Redis.Path == "" {
		all = append(all, redisKind)
	}
	return all
}

// provider finds the wanted servers, and fetches those that are missing.
type provider struct {
	Options
	find  func() (Servers, error)
	fetch func(ctx context.Context, missing []kind, lock *os.File) error
	// lock is held while somebody fetches; root is "/" or a test's.
	lock, root string
}

func newProvider(o Options) provider {
	p := provider{Options: o, lock: fetchLock(o.Dir), root: "/"}
	p.find = func() (Servers, error) { return FindServers(o.Dir) }
	p.fetch = p.fetchWithApt
	return p
}

func (p provider) provide(ctx context.Context) (Servers, error) {
	servers, err := p.find()
	missing := servers.missing(p.Options)
	if err != nil || len(missing) == 0 && !p.isUnfinished() {
		return servers, err
	}
	// Many test packages start at once; one fetches and the others wait for it.
	lock, err := waitLock(ctx, p.lock, func() { p.Log("waiting for another process that is fetching servers") })
	if err != nil {
		return Servers{}, &MissingError{missing: missing, hint: installHint(missing), Reason: err}
	}
	servers, err = p.provideLocked(ctx, lock)
	return servers, errors.Join(err, lock.Close())
}

// isUnfinished says that packages are being installed just now, so that what was
// found may be half there, or that a process was killed while it installed them.
func (p provider) isUnfinished() bool {
	if _, err := os.Lstat(p.lock); err != nil {
		return false // nobody ever fetched
	}
	lock, err := openLock(p.lock)
	if err != nil {
		return errors.Is(err, errLocked)
	}
	_ = lock.Close() // it was only a question
	return p.precautions(nil).isLeft()
}

// precautions are those of an installation under lock.
func (p provider) precautions(lock *os.File) precautions {
	return installer{apt: apt{lock: lock}, root: p.root}.precautions()
}

func (p provider) provideLocked(ctx context.Context, lock *os.File) (Servers, error) {
	if left := p.precautions(lock); left.isLeft() {
		if err := left.lift(); err != nil {
			return Servers{}, fmt.Errorf("devstack: %w", err)
		}
	}
	servers, err := p.find()
	missing := servers.missing(p.Options)
	if err != nil || len(missing) == 0 {
		return servers, err
	}
	reason := p.fetch(ctx, missing, lock)
	if servers, err = p.find(); err != nil {
		return servers, err
	}
	missing = servers.missing(p.Options)
	if len(missing) == 0 {
		return servers, nil
	}
	if len(missing) == 1 && missing[0].name == redisKind.name && p.EmbeddedRedis && ctx.Err() == nil {
		p.Log("no real Redis can be had (%v): an embedded imitation serves instead, in memory and in this process only. For a real one, %s", reason, installHint(missing))
		return servers, nil
	}
	return Servers{}, &MissingError{missing: missing, hint: installHint(missing), Reason: reason}
}

// fetchWithApt returns why it failed; what came of it has to be looked for.
func (p provider) fetchWithApt(ctx context.Context, missing []kind, lock *os.File) error {
	for _, program := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(program); err != nil {
			return errors.New("only apt is supported, and there is no " + program)
		}
	}
	run := apt{log: filepath.Join(p.Dir, "apt.log"), lock: lock}
	if os.Geteuid() == 0 {
		return installer{apt: run, root: p.root, say: p.Log}.install(ctx, missing)
	}
	return downloader{apt: run, dir: p.Dir, say: p.Log}.download(ctx, missing)
}

// fetchLock is one for the whole machine where packages are installed, since two
// checkouts would install at once and undo each other's precautions.
func fetchLock(dir string) string {
	if info, err := os.Stat("/run"); os.Geteuid() == 0 && err == nil && info.IsDir() {
		return machineLock
	}
	return filepath.Join(dir, "fetch.lock")
}

const machineLock = "/run/handoff-devstack.lock"

// installCommands are tried in order: the first whose program exists is quoted.
var installCommands = []struct{ program, command, postgres, redis string }{
	{"apt-get", "sudo apt-get install --no-install-recommends", "postgresql", "redis-server"},
	{"dnf", "sudo dnf install", "postgresql-server", "valkey"},
	{"apk", "sudo apk add", "postgresql", "redis"},
	{"pacman", "sudo pacman -S", "postgresql", "valkey"},
	{"zypper", "sudo zypper install", "postgresql-server", "redis"},
	{"brew", "brew install", "postgresql@17", "redis"},
}

// installHint is the command that a person would type on this machine.
func installHint(missing []kind) string {
	for _, known := range installCommands {
		if _, err := exec.LookPath(known.program); err != nil {
			continue
		}
		command := []string{"install with:", known.command}
		for _, k := range missing {
			if k.name == postgresKind.name {
				command = append(command, known.postgres)
			} else {
				command = append(command, known.redis)
			}
		}
		return strings.Join(command, " ")
	}
	names := make([]string, 0, len(missing))
	for _, k := range missing {
		names = append(names, k.name)
	}
	return "install " + strings.Join(names, " and ") + " and put the programs on PATH"
}
