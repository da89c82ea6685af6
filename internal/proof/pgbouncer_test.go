//go:build proof

package proof_test

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// pgbouncer is where make's check step or the operator has it, and what its environment has
// besides.
func pgbouncer(t *testing.T) (program string, environ []string) {
	t.Helper()
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		return path, nil
	}
	if path := "/usr/sbin/pgbouncer"; exists(path) { // not in everybody's PATH
		return path, nil
	}
	unpacked, err := filepath.Abs("../../.dev/pgbouncer/usr")
	if err != nil {
		t.Fatal(err)
	}
	if program = filepath.Join(unpacked, "sbin/pgbouncer"); !exists(program) {
		t.Fatal("there is no pgbouncer: sh tools/packages.sh finds one")
	}
	libraries, err := filepath.Glob(filepath.Join(unpacked, "lib/*"))
	if err != nil {
		t.Fatal(err)
	}
	return program, []string{"LD_LIBRARY_PATH=" + strings.Join(libraries, ":")}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// bouncer is PgBouncer in transaction mode before the server of a database's URL, with
// fewer connections than the service has, so that each transaction may get another one. It
// returns its address.
func bouncer(t *testing.T, databaseURL string) string {
	t.Helper()
	program, libraries := pgbouncer(t)
	behind, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("no URL")
	}
	password, _ := behind.User.Password()
	socket, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := socket.Addr().String()
	_ = socket.Close()
	_, port, _ := net.SplitHostPort(address)
	file := filepath.Join(t.TempDir(), "pgbouncer.ini")
	settings := fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%s user=%s password='%s'\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\nunix_socket_dir =\n"+
		"auth_type = any\npool_mode = transaction\ndefault_pool_size = 5\nignore_startup_parameters = idle_in_transaction_session_timeout\n",
		behind.Port(), behind.User.Username(), strings.ReplaceAll(password, "'", "''"), port)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	arguments := []string{"-q", file}
	if os.Getuid() == 0 { // which it refuses to be
		arguments = []string{"-q", "-u", "nobody", file}
	}
	command := exec.Command(program, arguments...) //nolint:noctx // ended below, in order
	command.Env = append(os.Environ(), libraries...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	for deadline := time.Now().Add(10 * time.Second); ; {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// through is a database's URL by way of a pooler, with what docs/scaling.md says.
func through(t *testing.T, address, databaseURL string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("no URL")
	}
	u.Host = address
	q := u.Query()
	q.Set("default_query_exec_mode", "cache_describe")
	u.RawQuery = q.Encode()
	return u.String()
}

// Hand-offs through PgBouncer in transaction mode, many at once, each with everything
// around it.
func TestProof_TheServiceWorksBehindATransactionPooler(t *testing.T) {
	const people, each = 16, 10
	s := testkit.Start(t, testkit.Options{})
	address := bouncer(t, s.Environ["DAO_DATABASE_URL"])
	p := s.Process(t, map[string]string{
		"DAO_DATABASE_URL": through(t, address, s.Environ["DAO_DATABASE_URL"]), "DATABASE_URL": through(t, address, s.Environ["DATABASE_URL"]),
	})
	var handing sync.WaitGroup
	for i := range people {
		b := p.SignIn(t, p.Member(t, fmt.Sprintf("p%d@example.org", i)))
		handing.Go(func() {
			for range each {
				token := b.Mint(nil).Text("token")
				arrived := b.Arrive(token)
				if arrived.Status != 200 {
					t.Errorf("arrival: %d %s", arrived.Status, arrived.Raw)
					return
				}
				if again := b.Exchange(token); again.Code() != "token_used" {
					t.Errorf("again: %d %s", again.Status, again.Raw)
				}
				if refreshed := b.FOSPost("refresh", nil); refreshed.Status != 200 {
					t.Errorf("refresh: %d %s", refreshed.Status, refreshed.Raw)
				}
			}
		})
	}
	handing.Wait()
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged' AND outcome = 'success'`); n != people*each {
		t.Errorf("%d rows", n)
	}
}
