package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// asServer makes this test binary the server: the stories run the program that is
// shipped, in a process of its own, with arguments, environment, signals and exit
// codes.
const asServer = "TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// environ is the whole environment of a process.
type environ map[string]string

func (e environ) list() []string {
	list := []string{asServer + "=1"}
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	return list
}

func (e environ) with(more environ) environ {
	all := maps.Clone(e)
	maps.Copy(all, more)
	return all
}

// whole is the environment of both halves on new, migrated databases.
func whole(t testing.TB) environ {
	t.Helper()
	return environ{
		"ENVIRONMENT": "development", "DAO_ADDR": "127.0.0.1:0", "FOS_ADDR": "127.0.0.1:0", "METRICS_ENABLED": "false", "LOG_FORMAT": "json",
		"DAO_DATABASE_URL": testkit.DatabaseURL(t, datastore.DAO).Reveal(), "DATABASE_URL": testkit.DatabaseURL(t, datastore.FOS).Reveal(),
		"REDIS_URL": testkit.RedisURL(t).Reveal(), "CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken, "JWT_SECRET_KEY": testkit.JWTKey,
		"HANDOFF_SEALING_KEYS": testkit.SealingKey, "AUDIT_PSEUDONYM_KEYS": testkit.PseudonymKey,
		"HANDOFF_TARGETS": testkit.Target + "=https://" + testkit.Target + "/cross-domain", "CROSS_DOMAIN_EXPECTED_TARGET": testkit.Target,
	}
}

// result is how a process ended and what it said.
type result struct {
	exit     int
	out, err string
}

func server(t testing.TB, env environ, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], args...) //nolint:gosec // G204: this very binary
	command.Env = env.list()
	command.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), out.String(), errs.String()}
}

// busy is what a selftest says of a machine on which hashing takes longer than a request
// may, as it can under the race detector and beside other suites.
const busy = "sign in at the DAO half: status 503, code dependency_unavailable"

// probed runs a selftest, and again while the machine is too busy to say whether the
// password is right.
func probed(t testing.TB, env environ, stdin string, args ...string) result {
	t.Helper()
	var r result
	for range 20 {
		if r = server(t, env, stdin, args...); !strings.Contains(r.out+r.err, busy) {
			break
		}
	}
	return r
}

// wants demands an exit code and words on both streams.
func (r result) wants(t testing.TB, exit int, out, err string) {
	t.Helper()
	if r.exit != exit || !strings.Contains(r.out, out) || !strings.Contains(r.err, err) {
		t.Errorf("exit %d, out %q, err %q; want %d, %q, %q", r.exit, r.out, r.err, exit, out, err)
	}
}

// running is "server serve".
type running struct {
	command  *exec.Cmd
	dao, fos string // host:port
	log      *bytes.Buffer
	read     chan struct{} // closed when all of the log was read
}

// serve starts the server and waits until both halves listen.
func serving(t testing.TB, env environ) *running {
	t.Helper()
	r := &running{command: exec.Command(os.Args[0], "serve"), log: &bytes.Buffer{}, read: make(chan struct{})} //nolint:gosec,noctx // G204: this very binary; it is told to leave
	r.command.Env = env.list()
	stderr, err := r.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.command.Process.Kill() })
	lines := bufio.NewScanner(io.TeeReader(stderr, r.log))
	for (r.dao == "" || r.fos == "") && lines.Scan() {
		var line struct{ Msg, Half, Addr string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
			switch line.Half {
			case "dao":
				r.dao = line.Addr
			case "fos":
				r.fos = line.Addr
			}
		}
	}
	if r.dao == "" || r.fos == "" {
		t.Fatalf("it does not listen: %s", r.log)
	}
	go func() {
		for lines.Scan() {
		}
		close(r.read)
	}()
	return r
}

// terminate sends SIGTERM and returns the exit code.
func (r *running) terminate(t testing.TB) int {
	t.Helper()
	if err := r.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-r.read
	_ = r.command.Wait()
	return r.command.ProcessState.ExitCode()
}
