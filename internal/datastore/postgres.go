package datastore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Postgres is a pool of connections to one database.
type Postgres = pgxpool.Pool

// poolSize bounds the connections of one half of one replica (invariant I13):
// 16 measured better than 4 and than 64 on two cores, and two replicas of two
// halves stay below Postgres' default of 100.
const poolSize = 16

// OpenPostgres returns a pool for the URL. It does not wait for the server: a
// replica that starts while Postgres is away must come up, say so in its
// readiness, and recover by itself.
func OpenPostgres(ctx context.Context, databaseURL privacy.Secret) (*Postgres, error) {
	config, err := pgxpool.ParseConfig(databaseURL.Reveal())
	if err != nil {
		// pgx quotes the connection string in its error, password included.
		return nil, errors.New("datastore: the database URL cannot be parsed")
	}
	if !urlSets(databaseURL.Reveal(), "pool_max_conns") {
		config.MaxConns = poolSize
	}
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.MaxConnIdleTime = 10 * time.Minute
	config.ConnConfig.ConnectTimeout = 2 * time.Second
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "handoff"
	}
	var pool *pgxpool.Pool
	config.ShouldPing = func(ctx context.Context, rested pgxpool.ShouldPingParams) bool {
		if rested.IdleDuration < restsWell || answers(ctx, rested.Conn) {
			return false
		}
		if ctx.Err() == nil {
			pool.Reset()
		}
		return true // pgx finds that it is dead, and takes another one
	}
	pool, err = pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("datastore: open postgres pool: %w", err)
	}
	return pool, nil
}

const (
	// restsWell is how long a connection may rest and be believed to be alive.
	restsWell = time.Second
	// answersWithin is how long one that rested may take to say so.
	answersWithin = 500 * time.Millisecond
)

// answers asks a connection that has rested whether it is alive. Behind a failover or a
// gateway that forgot them, connections are dead without a word, all at once: one
// request could find one after the other, until its time is over. So who finds one
// dead gives up all that rest.
func answers(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, answersWithin)
	defer cancel()
	return conn.Ping(ctx) == nil
}

func urlSets(databaseURL, parameter string) bool {
	parsed, err := url.Parse(databaseURL)
	return err == nil && parsed.Query().Has(parameter)
}
