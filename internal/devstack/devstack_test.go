package devstack

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"
)

func ask(t *testing.T, postgresURL, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), postgresURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := conn.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	var answer string
	if err := conn.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return answer
}

func tell(t *testing.T, postgresURL, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), postgresURL)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), sql)
	if err := errors.Join(err, conn.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func redisClient(t *testing.T, redisURL string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.DialerRetries = -1, 1
	client := redis.NewClient(options)
	t.Cleanup(func() {
		if err := client.Close(); err != nil && !errors.Is(err, redis.ErrClosed) {
			t.Error(err)
		}
	})
	return client
}

func isListening(t *testing.T, address string) bool {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(t.Context(), "tcp4", parsed.Host)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestAStackServesAndLeavesNothingWhenStopped(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := startFor(t, Options{Ephemeral: true, Postgres: true, Redis: true})
	if got := ask(t, s.PostgresURL, "SELECT current_user || '@' || current_database()"); got != "postgres@postgres" {
		t.Errorf("PostgresURL leads to %s", got)
	}
	if got := ask(t, s.PostgresURL, "SHOW fsync"); got != "off" {
		t.Errorf("fsync is %s in a stack for tests", got)
	}
	client := redisClient(t, s.RedisURL)
	if got := client.ConfigGet(t.Context(), "maxmemory-policy").Val()["maxmemory-policy"]; got != "noeviction" {
		t.Errorf("maxmemory-policy is %q: tokens could vanish before their time", got)
	}
	if got := client.ConfigGet(t.Context(), "databases").Val()["databases"]; got != "1024" {
		t.Errorf("Redis has %q databases", got)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	left := tracesOf(s)
	begun := time.Now()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Stop took %v", took)
	}
	if !isGone(left.Postgres) || !isGone(left.Redis) {
		t.Error("a server still runs")
	}
	if isListening(t, left.PostgresURL) || isListening(t, left.RedisURL) {
		t.Error("a port is still open")
	}
	if _, err := os.Stat(left.Home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the ephemeral folder: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

func TestAStackLivesUntilItIsStoppedAndNotOnlyUntilItIsForgotten(t *testing.T) {
	redisServer := func() *process { // as a caller does who keeps only the URLs
		s, err := Start(t.Context(), Options{Dir: sharedDir, Ephemeral: true, Redis: true, Log: t.Logf})
		if err != nil {
			t.Fatal(err)
		}
		return s.redis
	}()
	collected := make(chan struct{})
	runtime.AddCleanup(new([64]byte), func(done chan struct{}) { close(done) }, collected)
	for range 2 { // what has a finalizer goes in the second round
		runtime.GC()
	}
	<-collected
	select {
	case <-redisServer.ended:
		t.Error("the collection of garbage ended the server")
	case <-time.After(500 * time.Millisecond):
	}
	running.Range(func(stack, _ any) bool {
		s, ok := stack.(*Stack)
		if !ok || s.redis != redisServer {
			return true
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		return false
	})
}

func TestOnlyTheWantedServerIsStarted(t *testing.T) {
	s := startFor(t, Options{Ephemeral: true, Redis: true})
	if s.postgres != nil || s.PostgresURL != "" {
		t.Error("Postgres was not wanted")
	}
	if err := redisClient(t, s.RedisURL).Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	if _, err := s.CreateDatabase(t.Context(), "handoff"); err == nil {
		t.Error("a database without a Postgres")
	}
}

func TestDatabasesAreMadeOnceByAnyNumberOfCallers(t *testing.T) {
	s := startFor(t, Options{Ephemeral: true, Postgres: true})
	const name = `hand"off; DROP`
	var group errgroup.Group
	for range 4 {
		group.Go(func() error {
			address, err := s.CreateDatabase(t.Context(), name)
			if err == nil {
				if got := ask(t, address, "SELECT current_database()"); got != name {
					t.Errorf("the URL leads to %q", got)
				}
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateDatabase(t.Context(), name); err != nil {
		t.Errorf("once more, later: %v", err)
	}
	for _, bad := range []string{"", strings.Repeat("x", 64)} {
		if _, err := s.CreateDatabase(t.Context(), bad); err == nil {
			t.Errorf("a database called %q", bad)
		}
	}
}

func TestOtherAccountsOfTheMachineAreKeptOut(t *testing.T) {
	s := startFor(t, Options{Ephemeral: true, Postgres: true, Redis: true})
	without := func(address string) string {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		parsed.User = url.UserPassword(parsed.User.Username(), "guess")
		return parsed.String()
	}
	if conn, err := pgx.Connect(t.Context(), without(s.PostgresURL)); err == nil {
		_ = conn.Close(t.Context())
		t.Error("Postgres takes a wrong password: any account here could run programs as its owner")
	}
	if err := redisClient(t, without(s.RedisURL)).Ping(t.Context()).Err(); err == nil {
		t.Error("Redis takes a wrong password")
	}
}

func TestKeptDataSurvivesARestart(t *testing.T) {
	o := Options{Dir: privateDir(t), Postgres: true, Redis: true}
	first := startFor(t, o)
	if got := ask(t, first.PostgresURL, "SHOW fsync"); got != "on" {
		t.Errorf("fsync is %s where data is kept", got)
	}
	address, err := first.CreateDatabase(t.Context(), "members")
	if err != nil {
		t.Fatal(err)
	}
	tell(t, address, "CREATE TABLE member AS SELECT 'Ada' AS name")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := startFor(t, o)
	if address, err = second.CreateDatabase(t.Context(), "members"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, address, "SELECT name FROM member"); got != "Ada" {
		t.Errorf("after the restart the member is %q", got)
	}
}

func TestASecondRunOnKeptDataIsRefusedAndSaysWhoHasIt(t *testing.T) {
	o := Options{Dir: privateDir(t), Redis: true}
	startFor(t, o)
	second, err := Start(t.Context(), o)
	if !errors.Is(err, ErrBusy) {
		if err == nil {
			_ = second.Stop()
		}
		t.Fatalf("the second run got %v", err)
	}
	if !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), "DATABASE_URL") {
		t.Errorf("the message names neither holder nor way out: %v", err)
	}
}

func TestAStalePidFileDoesNotKeepPostgresFromStarting(t *testing.T) {
	o := Options{Dir: privateDir(t), Postgres: true}
	s := startFor(t, o)
	pidPath := filepath.Join(s.postgres.cmd.Dir, pidFile)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []struct {
		name string
		pid  int
	}{{"a process that is not Postgres", os.Getpid()}, {"nobody", 1 << 22}} {
		lines := []string{strconv.Itoa(owner.pid), filepath.Dir(pidPath), "1", "5432", "", "127.0.0.1", "1 1", "ready"}
		if err := os.WriteFile(pidPath, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Start(t.Context(), o)
		if err != nil {
			t.Fatalf("the pid file names %s: %v", owner.name, err)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKilledServersAreReportedAndRecoverOnTheNextStart(t *testing.T) {
	o := Options{Dir: privateDir(t), Postgres: true}
	s := startFor(t, o)
	if _, err := s.CreateDatabase(t.Context(), "members"); err != nil {
		t.Fatal(err)
	}
	killGroup(s.postgres.pid())
	<-s.postgres.ended
	if err := s.Stop(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Stop says %v about a server that was killed", err)
	}
	again := startFor(t, o)
	address, err := again.CreateDatabase(t.Context(), "members")
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(t, address, "SELECT current_database()"); got != "members" {
		t.Error(got)
	}
}
