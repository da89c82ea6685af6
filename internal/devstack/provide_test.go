package devstack

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

var errNoNetwork = errors.New("no network")

// provided is a provider on a machine without servers, where fetching calls fetch.
func provided(t *testing.T, o Options, fetch func(*Servers) error) provider {
	t.Helper()
	if o.Log == nil {
		o.Log = t.Logf
	}
	var there atomic.Pointer[Servers]
	there.Store(&Servers{})
	p := provider{Options: o, lock: filepath.Join(t.TempDir(), "lock"), root: t.TempDir()}
	p.find = func() (Servers, error) { return *there.Load(), nil }
	p.fetch = func(_ context.Context, _ []kind, _ *os.File) error {
		var fetched Servers
		err := fetch(&fetched)
		there.Store(&fetched)
		return err
	}
	return p
}

func TestManyProcessesFetchOnce(t *testing.T) {
	var fetches atomic.Int32
	p := provided(t, Options{Postgres: true, Redis: true}, func(s *Servers) error {
		fetches.Add(1)
		s.Postgres.Bin, s.Redis.Path = "/pg/bin", "/redis-server"
		return nil
	})
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			_, err := p.provide(t.Context())
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if fetches.Load() != 1 {
		t.Errorf("%d fetched", fetches.Load())
	}
}

func TestServersThatAreBeingInstalledAreNotUsedBeforeTheyAreWhole(t *testing.T) {
	p := provided(t, Options{Redis: true}, func(*Servers) error { return nil })
	lock, err := openLock(p.lock)
	if err != nil {
		t.Fatal(err)
	}
	whole := false
	p.find = func() (Servers, error) {
		// The program is there already, its libraries are not.
		return Servers{Redis: RedisServer{Path: "/redis-server"}}, nil
	}
	p.Log = func(string, ...any) { // "waiting for another process": which now is done
		whole = true
		if err := lock.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.provide(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !whole {
		t.Error("it did not wait")
	}
}

func TestAMissingServerIsAFailureThatSaysWhatToInstall(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	for _, test := range []struct{ program, want string }{
		{"", "install Postgres and Redis and put the programs on PATH"},
		{"brew", "brew install postgresql@17 redis"},
		{"dnf", "sudo dnf install postgresql-server valkey"},
		{"apt-get", "sudo apt-get install --no-install-recommends postgresql redis-server"},
	} {
		if test.program != "" {
			if err := os.WriteFile(filepath.Join(bin, test.program), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		p := provided(t, Options{Postgres: true, Redis: true}, func(*Servers) error { return errNoNetwork })
		_, err := p.provide(t.Context())
		var missing *MissingError
		if !errors.As(err, &missing) || !errors.Is(err, errNoNetwork) {
			t.Fatalf("got %v", err)
		}
		for _, want := range []string{test.want, "no Postgres server", "no Redis server", "no network", "DATABASE_URL and REDIS_URL"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in: %v", want, err)
			}
		}
	}
}

func TestTheEmbeddedRedisIsTheLastResortAndSaysSo(t *testing.T) {
	postgresOnly := func(s *Servers) error {
		s.Postgres.Bin = "/pg/bin"
		return errNoNetwork
	}
	var said strings.Builder
	log := func(format string, _ ...any) { said.WriteString(format) }
	allowed := provided(t, Options{Postgres: true, Redis: true, EmbeddedRedis: true, Log: log}, postgresOnly)
	if servers, err := allowed.provide(t.Context()); err != nil || servers.Redis.Path != "" {
		t.Errorf("got %v, %v", servers, err)
	}
	if !strings.Contains(said.String(), "embedded imitation") {
		t.Errorf("it says only %q", said.String())
	}
	forTests := provided(t, Options{Postgres: true, Redis: true}, postgresOnly)
	if _, err := forTests.provide(t.Context()); err == nil {
		t.Error("tests would run against an imitation")
	}
	noPostgres := provided(t, Options{Postgres: true, Redis: true, EmbeddedRedis: true}, func(*Servers) error { return errNoNetwork })
	if _, err := noPostgres.provide(t.Context()); err == nil {
		t.Error("nothing stands in for Postgres")
	}
}

func TestTheEmbeddedRedisAgesItsKeysAndHasAPassword(t *testing.T) {
	a, err := serverAccount()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Dir: sharedDir, Ephemeral: true, Redis: true, EmbeddedRedis: true, Log: t.Logf}
	h, err := openHome(t.Context(), o, a)
	if err != nil {
		t.Fatal(err)
	}
	s := &Stack{home: h}
	if err := s.launch(t.Context(), &launcher{Options: o, account: a, home: h}); err != nil {
		t.Fatal(err)
	}
	if !s.Embedded {
		t.Error("it does not say that it is embedded")
	}
	client := redisClient(t, s.RedisURL)
	if err := client.Set(t.Context(), "token", "claims", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the key has expired", func() bool { return client.Exists(t.Context(), "token").Val() == 0 })
	if err := redisClient(t, "redis://"+s.imitation.server.Addr()).Ping(t.Context()).Err(); err == nil {
		t.Error("it takes no password")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if isListening(t, s.RedisURL) {
		t.Error("it still listens")
	}
}
