package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/metrics"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// kept is what a database must keep. Tests, and nobody else, run on one without fsync, where
// only the machine's crash takes back what was acknowledged.
func (a *App) kept() datastore.Kept {
	if a.config.Environment == config.Production {
		return datastore.ThroughTheMachines
	}
	return datastore.ThroughItsOwnCrash
}

// postgresCheck asks a half's database for its readiness.
func (a *App) postgresCheck(pool *datastore.Postgres) health.Check {
	return func(ctx context.Context) error { return a.kept().Ready(ctx, pool) }
}

// openPostgres opens a half's database. One that is up must be migrated and keep what it
// acknowledges; one that is down will say so in readiness.
func (a *App) openPostgres(ctx context.Context, half datastore.Half, databaseURL privacy.Secret, watch datastore.Watch) (*datastore.Postgres, error) {
	pool, err := datastore.OpenWatched(ctx, databaseURL, a.kept(), watch)
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func() error { a.closePool(half, pool); return nil })
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	applied, known, err := datastore.Versions(ctx, pool, half)
	if forgets := (*datastore.ForgetsError)(nil); errors.As(err, &forgets) {
		return nil, fmt.Errorf("the %s database: %w", half, forgets)
	}
	if err != nil {
		a.options.Log.WarnContext(ctx, "postgres does not answer; starting anyway", "half", half, "error", err)
		return pool, nil
	}
	if applied < known {
		return nil, fmt.Errorf("the %s database is at migration %d and this program needs %d: run `server migrate up`",
			half, applied, known)
	}
	return pool, nil
}

// closeTimeout is how long a process that leaves waits for Postgres to take leave.
const closeTimeout = 2 * time.Second

// closePool closes the pool, but not at any price: pgx gives a server that hangs 15
// s to acknowledge that a statement was cancelled, and by then whoever supervises
// this process has lost patience. The end of the process closes what is left.
func (a *App) closePool(half datastore.Half, pool *datastore.Postgres) {
	closed := make(chan struct{})
	go func() { pool.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(closeTimeout):
		a.options.Log.Warn("postgres does not let go; leaving without it", "half", half)
	}
}

// openRedis opens a half's Redis and returns its client with its check.
func (a *App) openRedis(redisURL privacy.Secret, watch datastore.Watch) (client datastore.Redis, check health.Check, err error) {
	client, err = datastore.OpenRedis(redisURL, watch)
	if err != nil {
		return nil, nil, err
	}
	a.closers = append(a.closers, client.Close)
	return client, func(ctx context.Context) error { return client.Ping(ctx).Err() }, nil
}

// details is what a half tells its operators.
func (a *App) details(half datastore.Half, pool *datastore.Postgres, keyIDs map[string][]string) func(context.Context) (httpapi.Details, error) {
	return func(ctx context.Context) (httpapi.Details, error) {
		stat := pool.Stat()
		d := httpapi.Details{
			Version: a.options.Version, UptimeSeconds: int64(time.Since(a.started).Seconds()),
			Pool: httpapi.Pool{
				Max: stat.MaxConns(), Total: stat.TotalConns(), Idle: stat.IdleConns(), InUse: stat.AcquiredConns(),
				Waited: stat.EmptyAcquireCount(), WaitedMS: stat.EmptyAcquireWaitTime().Milliseconds(),
			},
			KeyIDs: keyIDs,
		}
		// Whoever asks because something is down is to be told all the rest.
		ctx, cancel := context.WithTimeout(ctx, health.Timeout)
		defer cancel()
		applied, known, err := datastore.Versions(ctx, pool, half)
		if err != nil {
			a.options.Log.WarnContext(ctx, "the migration cannot be read", "half", half, "error", err)
		}
		d.Migration = httpapi.Migration{Applied: applied, Known: known}
		return d, nil
	}
}

// withTokenUse adds when each service token was first and last accepted, by whichever
// replica. A token that never was is not there.
func (a *App) withTokenUse(
	uses *handoff.TokenUse, details func(context.Context) (httpapi.Details, error),
) func(context.Context) (httpapi.Details, error) {
	return func(ctx context.Context) (httpapi.Details, error) {
		d, err := details(ctx)
		within, cancel := context.WithTimeout(ctx, health.Timeout)
		defer cancel()
		all, useErr := uses.All(within)
		if useErr != nil {
			a.options.Log.WarnContext(ctx, "the other replicas' use of service tokens cannot be read", "error", useErr)
		}
		d.ServiceTokenFirstUsed, d.ServiceTokenLastUsed = map[string]int64{}, map[string]int64{}
		for keyID, use := range all {
			d.ServiceTokenLastUsed[keyID] = use.Last.UnixMilli()
			if !use.First.IsZero() {
				d.ServiceTokenFirstUsed[keyID] = use.First.UnixMilli()
			}
		}
		return d, err
	}
}

// tokenUse remembers when a half first and last accepted each service token.
func (a *App) tokenUse(store handoff.TokenUseStore) *handoff.TokenUse {
	uses := handoff.NewTokenUse(handoff.TokenUseConfig{Store: store, Now: a.options.Now, Log: a.options.Log})
	a.uses = append(a.uses, uses)
	a.wait = append(a.wait, uses.Wait)
	return uses
}

// tokensSeen is what this process knows of each service token that it has accepted, on
// whichever half: since when it is used, and when it was last.
func (a *App) tokensSeen() map[string]metrics.TokenUse {
	all := map[string]metrics.TokenUse{}
	for _, half := range a.uses {
		for keyID, use := range half.Seen() {
			one := all[keyID]
			if one.First.IsZero() || !use.First.IsZero() && use.First.Before(one.First) {
				one.First = use.First
			}
			if use.Last.After(one.Last) {
				one.Last = use.Last
			}
			all[keyID] = one
		}
	}
	return all
}

func keyIDs(keys []privacy.Key) []string {
	ids := []string{}
	for _, key := range keys {
		ids = append(ids, key.KeyID())
	}
	return ids
}

func secretIDs(secrets []privacy.Secret) []string {
	ids := []string{}
	for _, secret := range secrets {
		ids = append(ids, secret.KeyID())
	}
	return ids
}
