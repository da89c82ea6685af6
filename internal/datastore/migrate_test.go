package datastore_test

import (
	"context"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/migrations"
)

var halves = map[datastore.Half]fs.FS{datastore.DAO: migrations.DAO, datastore.FOS: migrations.FOS}

// numberOf counts a half's migrations.
func numberOf(t testing.TB, half datastore.Half) int64 {
	t.Helper()
	files, err := fs.Glob(halves[half], string(half)+"/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(len(files), err)
	}
	return int64(len(files))
}

func migratorOf(t testing.TB, half datastore.Half, databaseURL privacy.Secret) *datastore.Migrator {
	t.Helper()
	m, err := datastore.NewMigrator(half, databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func wantVersion(t testing.TB, pool *pgxpool.Pool, half datastore.Half, want int64) {
	t.Helper()
	applied, known, err := datastore.Versions(context.Background(), pool, half)
	if err != nil || applied != want || known != numberOf(t, half) {
		t.Errorf("%s: at %d of %d (%v), want %d of %d", half, applied, known, err, want, numberOf(t, half))
	}
}

// schema is everything a migration makes, as text: columns, constraints, indexes,
// triggers and functions.
func schema(t testing.TB, pool *pgxpool.Pool) string {
	t.Helper()
	var text string
	err := pool.QueryRow(context.Background(), `SELECT string_agg(line, chr(10) ORDER BY line) FROM (
		SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '') AS line
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version'
		UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
			FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'goose_db_version'
		UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'goose_db_version'
		UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
		UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
		UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
	) AS lines`).Scan(pgText{&text})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// pgText takes NULL as "".
type pgText struct{ text *string }

func (p pgText) Scan(value any) error {
	*p.text, _ = value.(string)
	return nil
}

// Up, all the way down, and up again: the way back is whole, step by step, and
// leads to the same place.
func TestMigrate_upDownUp(t *testing.T) {
	t.Parallel()
	for half := range halves {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			databaseURL := testkit.EmptyDatabaseURL(t)
			pool, m, newest := testkit.Pool(t, databaseURL), migratorOf(t, half, databaseURL), numberOf(t, half)
			wantVersion(t, pool, half, 0)

			if n, err := m.Up(t.Context()); err != nil || int64(n) != newest {
				t.Fatalf("up: %d, %v", n, err)
			}
			wantVersion(t, pool, half, newest)
			first := schema(t, pool)
			if !strings.Contains(first, "audit_log_append_only") {
				t.Fatalf("the comparison sees too little:\n%s", first)
			}
			if n, err := m.Up(t.Context()); err != nil || n != 0 {
				t.Errorf("up once more: %d, %v", n, err)
			}

			for version := newest; version > 0; version-- {
				if n, err := m.Down(t.Context()); err != nil || n != version {
					t.Fatalf("down from %d: %d, %v", version, n, err)
				}
				wantVersion(t, pool, half, version-1)
			}
			if n, err := m.Down(t.Context()); err != nil || n != 0 {
				t.Errorf("down from nothing: %d, %v", n, err)
			}
			if left := schema(t, pool); left != "" {
				t.Errorf("down leaves\n%s", left)
			}

			if n, err := m.Up(t.Context()); err != nil || int64(n) != newest {
				t.Fatalf("up again: %d, %v", n, err)
			}
			wantVersion(t, pool, half, newest)
			if again := schema(t, pool); again != first {
				t.Errorf("the second way up leads elsewhere:\n%s\nnot\n%s", again, first)
			}
		})
	}
}

// Six replicas start at once on an empty database: one migrates, the others find
// nothing left to do, and none fails.
func TestMigrate_sixReplicasAtOnce(t *testing.T) {
	t.Parallel()
	for half := range halves {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			databaseURL := testkit.EmptyDatabaseURL(t)
			var applied atomic.Int64
			var wg sync.WaitGroup
			for range 6 {
				m := migratorOf(t, half, databaseURL)
				wg.Go(func() {
					n, err := m.Up(t.Context())
					if err != nil {
						t.Error(err)
					}
					applied.Add(int64(n))
				})
			}
			wg.Wait()
			if applied.Load() != numberOf(t, half) {
				t.Errorf("%d migrations were applied, of %d", applied.Load(), numberOf(t, half))
			}
			wantVersion(t, testkit.Pool(t, databaseURL), half, numberOf(t, half))
		})
	}
}

// A newer replica has migrated; this older program goes on. Then the newer one is
// taken back, which some tools write down as a row of its own.
func TestVersions_aNewerDatabaseIsTold(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t, datastore.DAO)
	testkit.Exec(t, pool, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	wantVersion(t, pool, datastore.DAO, 99)
	testkit.Exec(t, pool, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, false)`)
	wantVersion(t, pool, datastore.DAO, numberOf(t, datastore.DAO))
}

// I14: a half's migrations make nothing of the other's. Both keep an audit log, and
// both have sessions of their own kind; these are two tables in two databases, of
// which no statement sees both.
func TestI14_aHalfsTablesAreItsOwn(t *testing.T) {
	t.Parallel()
	for half, want := range map[datastore.Half]string{
		datastore.DAO: "audit_log goose_db_version handoff_endings handoffs members service_token_use sessions",
		datastore.FOS: "api_token audit_log email_verification goose_db_version handoff_endings handoffs_ended ic_identity_link identity_link oauth_credential password_reset service_token_use sessions users",
	} {
		var tables string
		err := testkit.Database(t, half).QueryRow(t.Context(),
			`SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.Fields(want), strings.Fields(tables)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", half, diff)
		}
	}
}
