package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// restarted are the stores with Postgres' settings changed.
func (s *stores) restarted(ctx context.Context, dir string, o SizeOptions) (*stores, error) {
	conn, err := pgx.Connect(ctx, s.stack.PostgresURL)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("bench: %w", err), s.stack.Stop())
	}
	for _, setting := range o.Settings {
		name, value, _ := strings.Cut(setting, "=")
		_, err = conn.Exec(ctx, "ALTER SYSTEM SET "+pgx.Identifier{name}.Sanitize()+" = '"+strings.ReplaceAll(value, "'", "''")+"'")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("bench: %s: %w", setting, err), conn.Close(ctx), s.stack.Stop())
		}
	}
	if err := errors.Join(conn.Close(ctx), s.stack.Stop()); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return startStores(ctx, dir, o.Log)
}

// warm reads into Postgres' memory what it would have there after a day: all but the audit
// log, of which nothing is read.
func (w *world) warm(ctx context.Context) error {
	for _, pool := range []*pgxpool.Pool{w.dao, w.fos} {
		for _, sql := range []string{`CREATE EXTENSION IF NOT EXISTS pg_prewarm`, `
			SELECT sum(pg_prewarm(c.oid)) FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
			WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i') AND coalesce(i.indrelid, c.oid) <> 'public.audit_log'::regclass`} {
			if _, err := pool.Exec(ctx, sql); err != nil {
				return fmt.Errorf("bench: %w", err)
			}
		}
	}
	return nil
}
