//go:build proof

package proof_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The Python file that backends copy, in the example that runs it, against the service: it
// exchanges once, and tells refusals apart from what passes.
func TestProof_theFastAPIExampleExchanges(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	s.Clock.Advance(time.Since(s.Clock.Now())) // PyJWT goes by the wall clock
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	bridge := testkit.NewLink(t, strings.TrimPrefix(s.DAOURL, "http://"))
	url := fastAPI(t, "http://"+bridge.Addr(), nil)
	b := s.Browser(t)
	arrive := func(token, key string) testkit.Answer {
		return b.Post(url+"/arrive", map[string]any{"token": token}, testkit.Header{Name: "Idempotency-Key", Value: key})
	}
	const first, second = "arrival-0123456789abcdef", "arrival-fedcba9876543210"

	minted := dao.Mint(map[string]any{"return_path": "/projects/7"})
	arrived := arrive(minted.Text("token"), first)
	if arrived.Status != http.StatusOK || arrived.Text("handoff_id") != minted.Text("handoff_id") || arrived.Text("return_path") != "/projects/7" {
		t.Fatalf("arrived: %d %s", arrived.Status, arrived.Raw)
	}
	if again := arrive(minted.Text("token"), first); again.Raw != arrived.Raw {
		t.Errorf("I8: the same arrival again: %d %s", again.Status, again.Raw)
	}
	for reason, token := range map[string]string{
		"token_used": minted.Text("token"), "token_unknown": strings.Repeat("0", 64), "token_malformed": "x",
		"token_wrong_target": dao.Mint(map[string]any{"target_domain": testkit.OtherTarget}).Text("token"),
	} {
		if answer := arrive(token, second); answer.Status != http.StatusUnauthorized || answer.Text("reason") != reason {
			t.Errorf("%s: %d %s", reason, answer.Status, answer.Raw)
		}
	}
	bridge.Cut()
	waiting := dao.MintToken()
	if down := arrive(waiting, first); down.Status != http.StatusServiceUnavailable || down.Header.Get("Retry-After") == "" {
		t.Errorf("the DAO half is gone: %d %s", down.Status, down.Raw)
	}
	bridge.Mend()
	if back := arrive(waiting, first); back.Status != http.StatusOK {
		t.Errorf("the DAO half is back: %d %s", back.Status, back.Raw)
	}
}

// fastAPI runs client/python/example.py until the test ends, and returns its address. more is
// environment beside what it cannot do without.
func fastAPI(t *testing.T, bridge string, more map[string]string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// Handed over open, so that nobody takes the port meanwhile.
	tcp, is := listener.(*net.TCPListener)
	if !is {
		t.Fatalf("a listener of type %T", listener)
	}
	socket, err := tcp.File()
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, pythonWith(t, "fastapi, httpx, jwt, uvicorn", "python3-fastapi python3-httpx python3-jwt python3-uvicorn"),
		"-B", "-m", "uvicorn", "--fd", "3", "--log-level", "warning", "example:app")
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = 5 * time.Second
	command.Dir = "../../client/python"
	command.ExtraFiles = []*os.File{socket}
	var said strings.Builder
	command.Stdout, command.Stderr = &said, &said
	command.Env = append(os.Environ(), "ORACLE_BRIDGE_URL="+bridge, "CROSS_DOMAIN_SERVICE_TOKEN="+testkit.ServiceToken,
		"CROSS_DOMAIN_EXPECTED_TARGET="+testkit.Target, "JWT_SECRET_KEY="+testkit.JWTKey)
	for name, value := range more {
		command.Env = append(command.Env, name+"="+value)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	_ = socket.Close() // the child has its own
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // it was told to end
		if t.Failed() {
			t.Log(said.String())
		}
		if text := said.String(); strings.Contains(text, testkit.ServiceToken) || strings.Contains(text, testkit.JWTKey) {
			t.Error("I6: the example prints a secret")
		}
	})
	return "http://" + listener.Addr().String() // connections wait there until it takes them
}
