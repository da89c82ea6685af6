package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// wal is how many bytes the server has written ahead so far, for both databases.
func (w *world) wal(ctx context.Context) (bytes int64, err error) {
	if err := w.dao.QueryRow(ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint").Scan(&bytes); err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	return bytes, nil
}

// loggedTurn is a turn that tells what each request had the server write ahead.
func (r *rig) loggedTurn(ctx context.Context, t turnOf) (Turn, error) {
	var before int64
	prepare := t.operation.prepare
	t.operation.prepare = func(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
		requests, err := prepare(ctx, w, by, n)
		if err == nil { // from here on: what was prepared is not of the turn
			before, err = w.wal(ctx)
		}
		return requests, err
	}
	turn, err := r.turn(ctx, t)
	if err != nil {
		return turn, err
	}
	after, err := r.world.wal(ctx)
	turn.WAL = float64(after-before) / float64(max(1, turn.Answers+turn.Failed))
	return turn, err
}

// grow are the tables that hand-offs add to.
var grow = []struct {
	half, table string
	of          func(*world) *pgxpool.Pool
}{
	{"dao", "handoffs", func(w *world) *pgxpool.Pool { return w.dao }},
	{"dao", "audit_log", func(w *world) *pgxpool.Pool { return w.dao }},
	{"fos", "sessions", func(w *world) *pgxpool.Pool { return w.fos }},
	{"fos", "audit_log", func(w *world) *pgxpool.Pool { return w.fos }},
}

// weigh says in Markdown what a row takes of the disk, with its part of the indexes and of
// what was updated in between, and what a live token takes of Redis.
func (w *world) weigh(ctx context.Context) (string, error) {
	var b strings.Builder
	b.WriteString("\n| kept | how many | bytes each |\n| --- | --: | --: |\n")
	for _, g := range grow {
		var rows, size int64
		// The table's name is one of ours.
		if err := g.of(w).QueryRow(ctx, "SELECT count(*), pg_total_relation_size('"+g.table+"') FROM "+g.table).Scan(&rows, &size); err != nil {
			return "", fmt.Errorf("bench: %w", err)
		}
		fmt.Fprintf(&b, "| %s: %s | %d | %d |\n", g.half, g.table, rows, size/max(1, rows))
	}
	tokens, err := w.mint(ctx, service, w.next(1))
	if err != nil {
		return "", err
	}
	digest := tokens[0].Digest()
	size, err := w.redis.MemoryUsage(ctx, carriedUnder(digest)).Result()
	if err != nil {
		return "", fmt.Errorf("bench: %w", err)
	}
	fmt.Fprintf(&b, "| redis: live token | | %d |\n", size)
	return b.String(), nil
}
