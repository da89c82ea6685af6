package main

import (
	"context"
	"errors"
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
	halves, ok := halvesOf(args)
	if !ok {
		_, _ = io.WriteString(std.err, usage)
		return errUsage
	}
	databases, err := config.LoadDatabases(os.Environ())
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n%w", err)
	}
	if databases.MigrateDAO.Equal(databases.MigrateFOS.Reveal()) {
		// The second half would find the first one's history and take it for its own.
		return errors.New("both halves have the same database; they share none")
	}
	urls := map[datastore.Half]privacy.Secret{datastore.DAO: databases.MigrateDAO, datastore.FOS: databases.MigrateFOS}
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
		return errors.New("no database to migrate: set DAO_DATABASE_URL (dao), DATABASE_URL (fos) or both")
	}
	return nil
}

// halvesOf are the halves that a command line means, and whether it means anything.
func halvesOf(args []string) ([]datastore.Half, bool) {
	both := []datastore.Half{datastore.DAO, datastore.FOS}
	switch {
	case len(args) == 0 || !slices.Contains([]string{"up", "down", "status"}, args[0]):
		return nil, false
	case len(args) == 1:
		return both, true
	case len(args) == 2 && slices.Contains(both, datastore.Half(args[1])):
		return []datastore.Half{datastore.Half(args[1])}, true
	}
	return nil, false
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
		return down(ctx, half, migrator, out)
	}
	count, err := migrator.Up(ctx)
	if err == nil {
		_, err = fmt.Fprintf(out, "%s: applied %d migrations\n", half, count)
	}
	return err
}

func down(ctx context.Context, half datastore.Half, migrator *datastore.Migrator, out io.Writer) error {
	version, err := migrator.Down(ctx)
	switch {
	case err != nil:
		return err
	case version == 0:
		_, err = fmt.Fprintf(out, "%s: nothing to take back\n", half)
	default:
		_, err = fmt.Fprintf(out, "%s: took back migration %d\n", half, version)
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
