package datastore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A replica that starts while a store is away must come up and say so, not wait.
func TestOpen_doesNotWaitForTheServer(t *testing.T) {
	t.Parallel()
	link := testkit.NewLink(t, "127.0.0.1:1")
	link.Cut()
	pool, err := datastore.OpenPostgres(t.Context(), privacy.NewSecret("postgres://nobody@"+link.Addr()+"/nothing"))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	client, err := datastore.OpenRedis(privacy.NewSecret("redis://"+link.Addr()), nil)
	if err != nil {
		t.Fatal(err)
	}
	if pool.Ping(t.Context()) == nil || client.Ping(t.Context()).Err() == nil {
		t.Error("a ping through a cut line came back")
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

// Two options are for safety, in each of the three forms: a command that consumes
// must not run twice unasked, and deadlines must be kept.
func TestOpenRedis_neverRetriesAndKeepsDeadlines(t *testing.T) {
	t.Parallel()
	for form, redisURL := range map[string]string{
		"plain":    "redis://127.0.0.1:1/3",
		"retrying": "redis://127.0.0.1:1?max_retries=7&read_timeout=1h",
		"sentinel": "redis://127.0.0.1:1?master_name=primary&addr=127.0.0.1:2",
		"cluster":  "redis://127.0.0.1:1?addr=127.0.0.1:2&addr=127.0.0.1:3",
	} {
		client, err := datastore.OpenRedis(privacy.NewSecret(redisURL), nil)
		if err != nil {
			t.Fatal(form, err)
		}
		var retries int
		var keepsDeadlines bool
		var dial, read, write time.Duration
		switch client := client.(type) {
		case *redis.Client:
			o := client.Options()
			retries, keepsDeadlines, dial, read, write = o.MaxRetries, o.ContextTimeoutEnabled, o.DialTimeout, o.ReadTimeout, o.WriteTimeout
		case *redis.ClusterClient:
			o := client.Options()
			retries, keepsDeadlines, dial, read, write = o.MaxRedirects, o.ContextTimeoutEnabled, o.DialTimeout, o.ReadTimeout, o.WriteTimeout
			retries = min(retries, o.MaxRetries)
		}
		if retries > 0 || !keepsDeadlines || max(dial, read, write) > time.Second {
			t.Errorf("%s: retries %d, keeps deadlines %v, timeouts %v %v %v", form, retries, keepsDeadlines, dial, read, write)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

// I6: drivers quote the URL in their errors, password included.
func TestI6_aBadURLIsNotQuoted(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"postgres", "redis"} {
		for _, rest := range []string{
			"://user:hunter2@host:notaport/db", "://user:hunter2@[::1", "://user:hunter2@host:1/db?master_name=x&addr=%zz",
			"://user:hunter2@host/notanumber?sslmode=nonsense",
		} {
			secret := privacy.NewSecret(scheme + rest)
			var err error
			if scheme == "postgres" {
				pool, openErr := datastore.OpenPostgres(t.Context(), secret)
				if err = openErr; pool != nil {
					pool.Close()
				}
			} else {
				client, openErr := datastore.OpenRedis(secret, nil)
				if err = openErr; client != nil {
					_ = client.Close()
				}
			}
			if err == nil {
				t.Errorf("%s opens", secret.Reveal())
			} else if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("quotes the password: %v", err)
			}
		}
	}
}

func TestI6_aMigrationThatCannotConnectDoesNotQuoteItsURL(t *testing.T) {
	t.Parallel()
	for _, databaseURL := range []string{
		"postgres://user:hunter2@host:notaport/db", "postgres://user:hunter2@[::1", "postgres://user:hunter2@127.0.0.1:1/db",
		"host=127.0.0.1 port=1 user=u password=hunter2 dbname=d", "user=u password='hunter2",
	} {
		m, err := datastore.NewMigrator(datastore.DAO, privacy.NewSecret(databaseURL))
		if err == nil {
			_, err = m.Up(t.Context())
			if closed := m.Close(); closed != nil {
				t.Error(closed)
			}
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", databaseURL, err)
		}
	}
}

// I13: a pool is bounded, and an operator may choose the bound.
func TestI13_thePoolIsBounded(t *testing.T) {
	t.Parallel()
	for suffix, want := range map[string]int32{"": 16, "?pool_max_conns=3": 3} {
		pool, err := datastore.OpenPostgres(context.Background(), privacy.NewSecret("postgres://nobody@127.0.0.1:1/nothing"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if got := pool.Config().MaxConns; got != want {
			t.Errorf("%q: %d connections, want %d", suffix, got, want)
		}
		if got := pool.Config().ConnConfig.ConnectTimeout; got != 2*time.Second {
			t.Errorf("connecting may take %v", got)
		}
		pool.Close()
	}
}
