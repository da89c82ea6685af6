package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// migrate brings the databases that are configured up, or takes one step back, or
// says where they stand.
func migrate(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 || len(args) > 2 || !slices.Contains([]string{"up", "down", "status"}, args[0]) {
		_, _ = io.WriteString(std.err, usage)
		return errUsage
	}
	databases, err := config.LoadDatabases(os.Environ())
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n%w", err)
	}
	urls := map[datastore.Half]privacy.Secret{datastore.DAO: databases.MigrateDAO, datastore.FOS: databases.MigrateFOS}
	halves := []datastore.Half{datastore.DAO, datastore.FOS}
	if len(args) == 2 {
		halves = []datastore.Half{datastore.Half(args[1])}
	}
	done := 0
	for _, half := range halves {
		if urls[half].IsEmpty() {
			continue
		}
		if err := migrateOne(ctx, args[0], half, urls[half], std.out); err != nil {
			return err
		}
		done++
	}
	if done == 0 {
		return fmt.Errorf("no database to migrate: set DAO_DATABASE_URL (dao), DATABASE_URL (fos) or both")
	}
	return nil
}

func migrateOne(ctx context.Context, what string, half datastore.Half, databaseURL privacy.Secret, out io.Writer) error {
	if what == "status" {
		return status(ctx, half, databaseURL, out)
	}
	migrator, err := datastore.NewMigrator(half, databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = migrator.Close() }()
	if what == "down" {
		version, err := migrator.Down(ctx)
		if err == nil {
			_, err = fmt.Fprintf(out, "%s: took back migration %d\n", half, version)
		}
		return err
	}
	count, err := migrator.Up(ctx)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s: applied %d migrations\n", half, count)
	}
	return err
}

func status(ctx context.Context, half datastore.Half, databaseURL privacy.Secret, out io.Writer) error {
	pool, err := datastore.OpenPostgres(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	applied, known, err := datastore.Versions(ctx, pool, half)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: at migration %d of %d\n", half, applied, known)
	return err
}
