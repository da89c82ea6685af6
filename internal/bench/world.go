package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// world is what both programs work on, seen from outside, and what requests are made
// with: the same keys that the programs were given.
type world struct {
	config   *config.Config
	dao, fos *pgxpool.Pool
	redis    redis.UniversalClient
	sealer   *token.Sealer
	csrf     *member.CSRF
	signer   *session.Signer
	// people are members with a DAO session who have arrived before; strangers have not.
	people    []person
	used      int // of people, round and round
	strangers int // so far
	sent      int // requests so far
	crowd     crowd
	// password is everybody's.
	password string
}

// openWorld migrates both databases and opens all stores.
func openWorld(ctx context.Context, environ []string) (w *world, err error) {
	c, err := config.Load(environ)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	w = &world{config: c, password: random(12)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	for half, databaseURL := range map[datastore.Half]privacy.Secret{datastore.DAO: c.DAO.DatabaseURL, datastore.FOS: c.FOS.DatabaseURL} {
		if err := migrate(ctx, half, databaseURL); err != nil {
			return w, err
		}
	}
	if w.dao, err = datastore.OpenPostgres(ctx, c.DAO.DatabaseURL); err != nil {
		return w, err
	}
	if w.fos, err = datastore.OpenPostgres(ctx, c.FOS.DatabaseURL); err != nil {
		return w, err
	}
	if w.redis, err = datastore.OpenRedis(c.DAO.RedisURL, nil); err != nil {
		return w, err
	}
	return w, w.takeKeys()
}

// takeKeys makes what the requests are made with.
func (w *world) takeKeys() (err error) {
	if w.sealer, err = token.NewSealer(w.config.DAO.SealingKeys, rand.Reader); err != nil {
		return err
	}
	if w.csrf, err = member.NewCSRF(w.config.DAO.SealingKeys, rand.Reader); err != nil {
		return err
	}
	jwt := w.config.FOS.JWT
	w.signer, err = session.NewSigner(session.Config{
		Key: jwt.Key, Issuer: jwt.Issuer, Audience: jwt.Audience, AccessTTL: jwt.AccessTTL, RefreshTTL: jwt.RefreshTTL,
		Now: now, Random: rand.Reader,
	})
	return err
}

// now is the service's clock.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func migrate(ctx context.Context, half datastore.Half, databaseURL privacy.Secret) error {
	migrator, err := datastore.NewMigrator(half, databaseURL)
	if err != nil {
		return err
	}
	_, err = migrator.Up(ctx)
	return errors.Join(err, migrator.Close())
}

func (w *world) close() error {
	for _, pool := range []*pgxpool.Pool{w.dao, w.fos} {
		if pool != nil {
			pool.Close()
		}
	}
	if w.redis == nil {
		return nil
	}
	return w.redis.Close()
}

// takeStock tells the planners what there is.
func (w *world) takeStock(ctx context.Context) error {
	for _, pool := range []*pgxpool.Pool{w.dao, w.fos} {
		if _, err := pool.Exec(ctx, "ANALYSE"); err != nil {
			return fmt.Errorf("bench: %w", err)
		}
	}
	return nil
}

// request is one as a browser behind our proxy sends it, each from an address of its own.
func (w *world) request(method, path, body string, headers ...string) []byte {
	w.sent++
	address := netip.AddrFrom4([4]byte{10, byte(w.sent >> 16), byte(w.sent >> 8), byte(w.sent)}) //nolint:gosec // its low bytes
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: bench.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"+
		"Accept: application/json\r\nX-Forwarded-For: %s\r\nX-Forwarded-Proto: https\r\n", method, path, address)
	for _, header := range headers {
		b.WriteString(header + "\r\n")
	}
	if method != "GET" {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	return []byte(b.String() + "\r\n" + body)
}
