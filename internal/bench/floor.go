package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// bare is the floor: handlers that do what an operation cannot do without, and nothing else.
// Pools are as large as the service's, statements are prepared once for each connection
// (pgx's default), Redis has its client's defaults.
type bare struct {
	dao, fos *pgxpool.Pool
	redis    *redis.Client
	bearer   string
	key      []byte
	hashing  chan struct{}
}

// floorPool is how many connections each of its pools has, as the service's.
const floorPool = 16

func startFloor(ctx context.Context, c *config.Config) (*program, error) {
	b := &bare{bearer: "Bearer " + c.ServiceTokens[0].Reveal(), key: []byte(c.FOS.JWT.Key.Reveal()), hashing: make(chan struct{}, runtime.GOMAXPROCS(0))}
	for databaseURL, pool := range map[privacy.Secret]**pgxpool.Pool{c.DAO.DatabaseURL: &b.dao, c.FOS.DatabaseURL: &b.fos} {
		options, err := pgxpool.ParseConfig(databaseURL.Reveal())
		if err != nil {
			return nil, errors.New("bench: a database URL cannot be parsed")
		}
		options.MaxConns = floorPool
		if *pool, err = pgxpool.NewWithConfig(ctx, options); err != nil {
			return nil, fmt.Errorf("bench: %w", err)
		}
	}
	options, err := redis.ParseURL(c.DAO.RedisURL.Reveal())
	if err != nil {
		return nil, errors.New("bench: the redis URL cannot be parsed")
	}
	b.redis = redis.NewClient(options)
	return b.listen(ctx)
}

func (b *bare) listen(ctx context.Context) (*program, error) {
	e := echo.New()
	e.POST(mintPath, b.mint)
	e.POST(exchangePath, b.exchange)
	e.POST(loginPath, b.login)
	e.POST(gated.prefix+loginPath, b.loginGated)
	e.POST(refreshPath, b.refresh)
	e.GET(checkPath, b.check)
	e.POST(signInPath, b.password)

	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	server := &http.Server{Handler: e, ReadHeaderTimeout: patience}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(socket) }()
	address := socket.Addr().String()
	return &program{at: born{DAO: address, FOS: address}, leave: func() error {
		left := errors.Join(server.Close(), b.redis.Close())
		b.dao.Close()
		b.fos.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return errors.Join(left, err)
		}
		return left
	}}, nil
}

// What an audit row says of where it came from, in the lengths that the service writes.
const (
	floorOrigin = "Q2hhcmxlcyBCYWJiYWdl"
	floorKeyID  = "9c1e7a3f"
	floorID     = "0198c0de-0000-7000-8000-000000000000"
)

// epoch is a time as answers say it.
func epoch(t time.Time) int64 { return t.UnixMilli() }
