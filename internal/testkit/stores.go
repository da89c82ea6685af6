package testkit

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/devstack"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// servers are the Postgres and Redis of this test process.
type servers struct {
	postgresURL, redisURL string
	// stack is nobody's to use, but must be held: the servers end when what holds
	// them is collected.
	stack      *devstack.Stack
	redisIndex atomic.Int64
	databases  atomic.Int64
	templates  map[datastore.Half]func() (string, error)
}

var start = sync.OnceValues(func() (*servers, error) {
	s := &servers{postgresURL: os.Getenv("TEST_DATABASE_URL"), redisURL: os.Getenv("TEST_REDIS_URL")}
	if s.postgresURL == "" || s.redisURL == "" {
		root, err := devstack.ModuleRoot()
		if err != nil {
			return nil, fmt.Errorf("testkit: %w", err)
		}
		stack, err := devstack.Start(context.Background(), devstack.Options{
			Dir: filepath.Join(root, ".dev"), Ephemeral: true,
			Postgres: s.postgresURL == "", Redis: s.redisURL == "",
		})
		if err != nil {
			return nil, fmt.Errorf("testkit: %w", err)
		}
		// Nobody stops the stack: it ends with this process, by the kernel's word.
		s.stack = stack
		if s.postgresURL == "" {
			s.postgresURL = stack.PostgresURL
		}
		if s.redisURL == "" {
			s.redisURL = stack.RedisURL
		}
	}
	s.templates = map[datastore.Half]func() (string, error){}
	for _, half := range []datastore.Half{datastore.DAO, datastore.FOS} {
		s.templates[half] = sync.OnceValues(func() (string, error) { return s.makeTemplate(half) })
	}
	return s, nil
})

func running(t testing.TB) *servers {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// databaseURL is the servers' URL with another database name.
func (s *servers) databaseURL(name string) string {
	parsed, err := url.Parse(s.postgresURL)
	if err != nil {
		panic("testkit: TEST_DATABASE_URL is not a URL")
	}
	parsed.Path = "/" + name
	return parsed.String()
}

func (s *servers) exec(sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.postgresURL)
	if err != nil {
		return fmt.Errorf("testkit: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	if closed := conn.Close(ctx); err == nil {
		err = closed
	}
	return err
}

// unique names a database that no other test process on the same server has.
func (s *servers) unique(kind string) string {
	return fmt.Sprintf("test_%s_%d_%d", kind, os.Getpid(), s.databases.Add(1))
}

func (s *servers) makeTemplate(half datastore.Half) (string, error) {
	name := s.unique(string(half) + "_template")
	if err := s.exec("CREATE DATABASE " + name); err != nil {
		return "", err
	}
	migrator, err := datastore.NewMigrator(half, privacy.NewSecret(s.databaseURL(name)))
	if err != nil {
		return "", err
	}
	_, err = migrator.Up(context.Background())
	if closed := migrator.Close(); err == nil {
		err = closed
	}
	return name, err
}

// DatabaseURL returns the URL of a new, migrated database of one half, dropped
// when the test ends.
func DatabaseURL(t testing.TB, half datastore.Half) privacy.Secret {
	t.Helper()
	s := running(t)
	template, err := s.templates[half]()
	if err != nil {
		t.Fatal(err)
	}
	return s.database(t, string(half), " TEMPLATE "+template)
}

// CopyOf returns the URL of a new database with everything that is in another one, to
// which nobody may be connected meanwhile.
func CopyOf(t testing.TB, databaseURL privacy.Secret) privacy.Secret {
	t.Helper()
	parsed, err := url.Parse(databaseURL.Reveal())
	if err != nil {
		t.Fatal("testkit: what is to be copied is no database's URL")
	}
	return running(t).database(t, "copy", " TEMPLATE "+strings.TrimPrefix(parsed.Path, "/"))
}

// EmptyDatabaseURL returns the URL of a new database without any table.
func EmptyDatabaseURL(t testing.TB) privacy.Secret {
	t.Helper()
	return running(t).database(t, "empty", "")
}

// database makes a database that is dropped when the test ends.
func (s *servers) database(t testing.TB, kind, like string) privacy.Secret {
	t.Helper()
	name := s.unique(kind)
	if err := s.exec("CREATE DATABASE " + name + like); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return privacy.NewSecret(s.databaseURL(name))
}

// Database returns a pool on a new, migrated database of one half.
func Database(t testing.TB, half datastore.Half) *pgxpool.Pool {
	t.Helper()
	return Pool(t, DatabaseURL(t, half))
}

// Pool returns a pool on databaseURL that is closed when the test ends.
func Pool(t testing.TB, databaseURL privacy.Secret) *pgxpool.Pool {
	t.Helper()
	pool, err := datastore.OpenPostgres(context.Background(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// RedisURL returns the URL of an empty Redis database that no other test uses.
func RedisURL(t testing.TB) privacy.Secret {
	t.Helper()
	s := running(t)
	parsed, err := url.Parse(s.redisURL)
	if err != nil {
		t.Fatal("testkit: TEST_REDIS_URL is not a URL")
	}
	base, _ := strconv.Atoi(strings.TrimPrefix(parsed.Path, "/"))
	parsed.Path = "/" + strconv.FormatInt(int64(base)+s.redisIndex.Add(1), 10)
	secret := privacy.NewSecret(parsed.String())
	client := redisClient(t, secret)
	if err := client.FlushDB(context.Background()).Err(); err != nil {
		t.Fatal(err)
	}
	return secret
}

// Redis returns a client on an empty Redis database of its own.
func Redis(t testing.TB) redis.UniversalClient {
	t.Helper()
	return redisClient(t, RedisURL(t))
}

func redisClient(t testing.TB, redisURL privacy.Secret) redis.UniversalClient {
	t.Helper()
	client, err := datastore.OpenRedis(redisURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}
