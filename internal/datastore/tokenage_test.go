package datastore_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A token from before its age was counted is as old as what is known of it, and the program
// that is being replaced goes on noting uses without knowing of ages.
func TestMigrate_tokensKeepTheirTimesAndHaveAnAge(t *testing.T) {
	t.Parallel()
	for half, files := range halves {
		databaseURL := testkit.EmptyDatabaseURL(t)
		pool, m := testkit.Pool(t, databaseURL), migratorOf(t, half, databaseURL)
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		names, err := fs.Glob(files, string(half)+"/*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for i := len(names) - 1; ; i-- { // to before the ages
			if _, err := m.Down(t.Context()); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(names[i], "service_token_age") {
				break
			}
		}
		const note = `INSERT INTO service_token_use AS u (key_id, last_used_at) VALUES ($1, $2)
			ON CONFLICT (key_id) DO UPDATE SET last_used_at = greatest(u.last_used_at, EXCLUDED.last_used_at)`
		lately := time.Now().Add(-time.Hour).Truncate(time.Millisecond).UTC()
		testkit.Exec(t, pool, note, "old", lately)
		if _, err := m.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		testkit.Exec(t, pool, note, "old", lately.Add(time.Minute))
		testkit.Exec(t, pool, note, "new", lately.Add(time.Minute))
		var first, last, begun time.Time
		err = pool.QueryRow(t.Context(), `SELECT o.first_used_at, o.last_used_at, n.first_used_at FROM service_token_use o, service_token_use n
			WHERE o.key_id = 'old' AND n.key_id = 'new'`).Scan(&first, &last, &begun)
		if err != nil || !first.Equal(lately) || !last.Equal(lately.Add(time.Minute)) || time.Since(begun).Abs() > time.Minute {
			t.Errorf("%s: first %v, last %v, the new one's first %v, %v", half, first, last, begun, err)
		}
	}
}
