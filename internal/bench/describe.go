package bench

import (
	"context"
	"fmt"
	"runtime"
	"strings"
)

// settings of Postgres that decide what a commit costs.
var durable = []string{"fsync", "synchronous_commit", "full_page_writes"}

func (r *rig) describe(ctx context.Context, load string) (description, error) {
	d := description{
		When: now().Format("2006-01-02 15:04 UTC"), Go: runtime.Version(),
		Processors: fmt.Sprintf("GOMAXPROCS %d of %s/%s", runtime.GOMAXPROCS(0), runtime.GOOS, runtime.GOARCH),
		Durable:    map[string]string{}, Load: load,
	}
	for _, name := range durable {
		var value string
		if err := r.world.dao.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value); err != nil {
			return d, fmt.Errorf("bench: %w", err)
		}
		d.Durable[name] = value
	}
	var version string
	if err := r.world.dao.QueryRow(ctx, "SELECT 'PostgreSQL ' || current_setting('server_version')").Scan(&version); err != nil {
		return d, fmt.Errorf("bench: %w", err)
	}
	d.Postgres = version
	info, err := r.world.redis.Info(ctx, "server").Result()
	if err != nil {
		return d, fmt.Errorf("bench: %w", err)
	}
	for line := range strings.Lines(info) {
		if text, is := strings.CutPrefix(strings.TrimSpace(line), "redis_version:"); is {
			d.Redis = text
		}
	}
	return d, nil
}
