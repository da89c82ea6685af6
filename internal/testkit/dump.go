package testkit

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Dump is every row of every table of the database but those left out, as text, in
// an order that does not change.
func Dump(t testing.TB, pool *pgxpool.Pool, leaveOut ...string) string {
	t.Helper()
	ctx := context.Background()
	rows, err := pool.Query(ctx, `
		SELECT table_name::text FROM information_schema.tables
		WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> ALL ($1) ORDER BY 1`,
		// The rows of the outbox are ids, and come and go when a courier likes.
		append([]string{"goose_db_version", "handoff_endings"}, leaveOut...))
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var dump strings.Builder
	for _, table := range tables {
		name := pgx.Identifier{table}.Sanitize()
		rows, err := pool.Query(ctx, `SELECT t::text FROM `+name+` t ORDER BY 1`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range lines {
			dump.WriteString(table + " " + line + "\n")
		}
	}
	return dump.String()
}
