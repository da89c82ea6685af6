package datastore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx", which goose needs
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/migrations"
)

// Half names one half's set of migrations.
type Half string

// The two halves.
const (
	DAO Half = "dao"
	FOS Half = "fos"
)

func (h Half) files() (fs.FS, error) {
	if h == DAO {
		return fs.Sub(migrations.DAO, "dao")
	}
	return fs.Sub(migrations.FOS, "fos")
}

// Migrator applies one half's migrations to one database. Close it.
type Migrator struct {
	db       *sql.DB
	provider *goose.Provider
}

// NewMigrator connects to the database. Several replicas may migrate at once: a
// session-level advisory lock, polled every second for up to five minutes, lets
// one of them work and the others find nothing left to do.
func NewMigrator(half Half, databaseURL privacy.Secret) (*Migrator, error) {
	files, err := half.files()
	if err != nil {
		return nil, fmt.Errorf("datastore: %s migrations: %w", half, err)
	}
	db, err := sql.Open("pgx", databaseURL.Reveal())
	if err != nil {
		return nil, errors.New("datastore: the database URL cannot be parsed")
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("datastore: migration lock: %w", err), db.Close())
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("datastore: %s migrations: %w", half, err), db.Close())
	}
	return &Migrator{db: db, provider: provider}, nil
}

// Up applies what is missing and returns how many migrations that were.
func (m *Migrator) Up(ctx context.Context) (int, error) {
	done, err := m.provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("datastore: migrate up: %w", err)
	}
	return len(done), nil
}

// Down takes back the newest migration and returns its number, 0 if there was
// none. What its tables held is gone.
func (m *Migrator) Down(ctx context.Context) (int64, error) {
	done, err := m.provider.Down(ctx)
	if errors.Is(err, goose.ErrNoNextVersion) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("datastore: migrate down: %w", err)
	}
	return done.Source.Version, nil
}

// Close disconnects.
func (m *Migrator) Close() error { return m.db.Close() }

// Versions returns the number of the newest migration applied to the database, 0
// where there is none, and of the newest that this program knows. A program may
// run against a newer database (the other replica was upgraded first), never
// against an older one.
func Versions(ctx context.Context, pool *pgxpool.Pool, half Half) (applied, known int64, err error) {
	files, err := half.files()
	if err != nil {
		return 0, 0, fmt.Errorf("datastore: %s migrations: %w", half, err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, 0, fmt.Errorf("datastore: %s migrations: %w", half, err)
	}
	for _, name := range names {
		number, err := goose.NumericComponent(name)
		if err != nil {
			return 0, 0, fmt.Errorf("datastore: %s migrations: %w", half, err)
		}
		known = max(known, number)
	}
	// A row per step up and down; the newest row of a version says how it stands.
	err = pool.QueryRow(ctx, `
		SELECT COALESCE(max(version_id), 0) FROM (
			SELECT DISTINCT ON (version_id) version_id, is_applied FROM goose_db_version ORDER BY version_id, id DESC
		) AS newest WHERE is_applied`).Scan(&applied)
	if missing := (*pgconn.PgError)(nil); errors.As(err, &missing) && missing.Code == "42P01" {
		return 0, known, nil // no table: never migrated
	}
	return applied, known, outage.Postgres(err)
}
