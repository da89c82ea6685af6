package datastore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

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
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("datastore: open postgres pool: %w", err)
	}
	return pool, nil
}

func urlSets(databaseURL, parameter string) bool {
	parsed, err := url.Parse(databaseURL)
	return err == nil && parsed.Query().Has(parameter)
}
