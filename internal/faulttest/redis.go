package faulttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/devstack"
)

// Redis is a redis-server (or valkey-server) in a process of its own. As the
// protocol wants it, it keeps nothing on disk and evicts nothing; see
// [Redis.Snapshot] for one that an operator has wrongly set up.
type Redis struct {
	// Addr is where it listens, host:port, also after it was killed and started again.
	Addr string

	dir     string
	config  []string
	program devstack.RedisServer
	client  *redis.Client
	process *redisProcess
}

// redisProcess is one life of it.
type redisProcess struct {
	command *exec.Cmd
	ended   chan struct{}
}

// redisPassword keeps other programs on this machine from speaking to a server under
// test by mistake, and is what a replica's link is cut with.
const redisPassword = "faulttest"

// NewRedis runs a single Redis until the test ends.
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	r := newRedis(t)
	r.Start(t)
	return r
}

// newRedis prepares one with more lines of configuration.
func newRedis(t testing.TB, config ...string) *Redis {
	t.Helper()
	root, err := devstack.ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	servers, err := devstack.FindServers(filepath.Join(root, ".dev"))
	if err != nil {
		t.Fatal(err)
	}
	if servers.Redis.Path == "" {
		t.Fatal("faulttest: no redis-server on this machine")
	}
	r := &Redis{Addr: "127.0.0.1:" + strconv.Itoa(redisPort(t)), dir: redisFolder(t), program: servers.Redis}
	_, port, _ := strings.Cut(r.Addr, ":")
	r.config = append([]string{
		"bind 127.0.0.1", "port " + port, "dir " + r.dir, "daemonize no", "supervised no",
		"requirepass " + redisPassword, "masterauth " + redisPassword,
		`save ""`, "appendonly no", "maxmemory-policy noeviction",
		"repl-diskless-sync yes", "repl-diskless-sync-delay 0", "repl-diskless-load on-empty-db",
	}, config...)
	r.client = redis.NewClient(&redis.Options{
		Addr: r.Addr, Password: redisPassword, MaxRetries: -1, ContextTimeoutEnabled: true, DialerRetries: 1,
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
	})
	t.Cleanup(func() {
		_ = r.client.Close()
		r.Kill()
	})
	return r
}

// URL is REDIS_URL for it alone.
func (r *Redis) URL() string { return "redis://:" + redisPassword + "@" + r.Addr + "/0" }

// Client is the test's own way to it, whatever role it has.
func (r *Redis) Client() *redis.Client { return r.client }

// Start runs it with more lines of configuration, and returns when it answers.
func (r *Redis) Start(t testing.TB, config ...string) {
	t.Helper()
	r.start(t, nil, config...)
	r.await(t, r.isUp, "an answer")
}

// start runs it with args behind its configuration file.
func (r *Redis) start(t testing.TB, args []string, config ...string) {
	t.Helper()
	file := filepath.Join(r.dir, "redis.conf")
	text := strings.Join(append(slices.Clone(r.config), config...), "\n") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.OpenFile(filepath.Join(r.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(r.program.Path, append([]string{file}, args...)...) //nolint:gosec,noctx // a server that FindServers found; it ends by a signal
	command.Stdout, command.Stderr, command.Dir = log, log, r.dir
	if len(r.program.Libs) > 0 {
		command.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(r.program.Libs, string(filepath.ListSeparator)))
	}
	command.SysProcAttr = redisAttributes(r.dir)
	if err := giveAway(r.dir, command.SysProcAttr); err != nil {
		t.Fatal(err)
	}
	p := &redisProcess{command: command, ended: make(chan struct{})}
	started := make(chan error, 1)
	go p.live(started)
	err = errors.Join(<-started, log.Close())
	if err != nil {
		t.Fatal(err)
	}
	r.process = p
}

// live keeps its thread for as long as the server lives: the kernel ends the server
// when the thread that started it ends (see internal/devstack).
func (p *redisProcess) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(p.ended)
	if err := p.command.Start(); err != nil {
		started <- err
		return
	}
	started <- nil
	_ = p.command.Wait() // how it ended is the test's doing
}

// Kill is SIGKILL: what it held is gone. It returns when the process is.
func (r *Redis) Kill() {
	if r.process == nil {
		return
	}
	_ = r.process.command.Process.Kill() // it may have been killed already
	<-r.process.ended
}

// Pause is SIGSTOP: its connections stay, and it takes what the kernel can hold and
// answers nothing.
func (r *Redis) Pause(t testing.TB) { r.signal(t, syscall.SIGSTOP) }

// Wake is SIGCONT. It goes on as if no time had passed, and believes that it is
// what it was.
func (r *Redis) Wake(t testing.TB) { r.signal(t, syscall.SIGCONT) }

func (r *Redis) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	if err := r.process.command.Process.Signal(signal); err != nil {
		t.Error(err)
	}
}

// snapshotFile is what Redis reads when it starts.
const snapshotFile = "dump.rdb"

// Snapshot has it write what it holds to disk, where it will find it at the next
// Start. The protocol forbids that; operators do it all the same.
func (r *Redis) Snapshot(t testing.TB) {
	t.Helper()
	if err := r.client.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
}

// Forget removes its snapshot.
func (r *Redis) Forget(t testing.TB) {
	t.Helper()
	if err := os.Remove(filepath.Join(r.dir, snapshotFile)); err != nil {
		t.Error(err)
	}
}

// Log is what it has said so far.
func (r *Redis) Log() string {
	text, err := os.ReadFile(filepath.Join(r.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (r *Redis) isUp(ctx context.Context) bool {
	info, err := r.client.Info(ctx, "server").Result()
	// Somebody else's server may have been quicker to take the port.
	return err == nil && strings.Contains(info, "\nprocess_id:"+strconv.Itoa(r.process.command.Process.Pid)+"\r")
}

// awaitTimeout bounds every wait for a server of this file.
const awaitTimeout = 15 * time.Second

// await polls until what is.
func (r *Redis) await(t testing.TB, is func(context.Context) bool, what string) {
	t.Helper()
	Await(t, func() bool { return is(t.Context()) }, func() string {
		return fmt.Sprintf("no %s of the redis at %s:\n%s", what, r.Addr, lastOf(r.Log()))
	})
}

// Await polls every 5 ms until done, and ends the test after 15 s.
func Await(t testing.TB, done func() bool, orElse func() string) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(awaitTimeout); !done(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal(orElse())
		}
	}
}

func lastOf(log string) string { return log[max(0, len(log)-2000):] }
