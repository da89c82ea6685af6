package datastore_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const oneRow = `INSERT INTO audit_log (at, event, outcome) VALUES ('2026-11-21', 'session.ended', 'success')`

// makeRole makes a role of the whole server, which tests at the same time may make
// too.
func makeRole(t *testing.T, pool *pgxpool.Pool, name string) {
	t.Helper()
	_, err := pool.Exec(context.Background(), `CREATE ROLE `+name)
	var there *pgconn.PgError
	if errors.As(err, &there) && (there.Code == "42710" || there.Code == "23505") {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
}

// as runs statements under a role, one after the other, until one fails.
func as(t *testing.T, pool *pgxpool.Pool, role string, statements ...string) error {
	t.Helper()
	return pgx.BeginFunc(context.Background(), pool, func(tx pgx.Tx) error {
		for _, sql := range append([]string{`SET LOCAL ROLE ` + role}, statements...) {
			if _, err := tx.Exec(context.Background(), sql); err != nil {
				return err
			}
		}
		return nil
	})
}

// The attack: somebody with the service's own rights, even with those of the
// table's owner, hides what they did.
func TestAuditLog_refusesToForget(t *testing.T) {
	t.Parallel()
	for half := range halves {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t, half)
			makeRole(t, pool, "audit_test_owner")
			for _, sql := range []string{
				`GRANT CREATE ON SCHEMA public TO audit_test_owner`, `ALTER TABLE audit_log OWNER TO audit_test_owner`, oneRow,
			} {
				testkit.Exec(t, pool, sql)
			}
			for _, role := range []string{"audit_test_owner", pool.Config().ConnConfig.User} {
				for _, sql := range []string{
					`UPDATE audit_log SET outcome = 'failure'`,
					`UPDATE audit_log SET outcome = 'failure' WHERE false`,
					`DELETE FROM audit_log`,
					`DELETE FROM audit_log WHERE id = 1`,
					`TRUNCATE audit_log`,
					`TRUNCATE audit_log CASCADE`,
					`WITH gone AS (DELETE FROM audit_log RETURNING id) SELECT count(*) FROM gone`,
					`MERGE INTO audit_log USING (SELECT 1) AS s ON true WHEN MATCHED THEN DELETE`,
					`INSERT INTO audit_log (id, at, event, outcome) OVERRIDING SYSTEM VALUE VALUES (1, now(), 'x', 'success')
						ON CONFLICT (id) DO UPDATE SET outcome = 'failure'`,
				} {
					err := as(t, pool, role, sql)
					if err == nil || !strings.Contains(err.Error(), "append-only") {
						t.Errorf("%s: %s: %v", role, sql, err)
					}
				}
				if err := as(t, pool, role, oneRow); err != nil {
					t.Errorf("%s cannot append: %v", role, err)
				}
			}
			if n := testkit.Count(t, pool, `SELECT count(*) FROM audit_log WHERE outcome = 'success'`); n != 3 {
				t.Errorf("%d rows stand as they were written, of 3", n)
			}
		})
	}
}

// Retention is a role of its own, which may delete and nothing else.
func TestAuditLog_retentionMayDeleteAndNoMore(t *testing.T) {
	t.Parallel()
	for half := range halves {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t, half)
			makeRole(t, pool, "audit_retention")
			testkit.Exec(t, pool, `GRANT ALL ON audit_log TO audit_retention`)
			testkit.Exec(t, pool, oneRow)
			testkit.Exec(t, pool, strings.Replace(oneRow, "2026", "2020", 1))
			for _, sql := range []string{`UPDATE audit_log SET outcome = 'failure'`, `TRUNCATE audit_log`} {
				if err := as(t, pool, "audit_retention", sql); err == nil || !strings.Contains(err.Error(), "append-only") {
					t.Errorf("%s: %v", sql, err)
				}
			}
			if err := as(t, pool, "audit_retention", `DELETE FROM audit_log WHERE at < '2026-01-01'`); err != nil {
				t.Fatal(err)
			}
			if n := testkit.Count(t, pool, `SELECT count(*) FROM audit_log`); n != 1 {
				t.Errorf("%d rows are left, of which one is old", n)
			}
		})
	}
}

// Numbers that nobody chose: who could, would write into the past.
func TestAuditLog_numbersItsRowsItself(t *testing.T) {
	t.Parallel()
	pool := testkit.Database(t, datastore.DAO)
	_, err := pool.Exec(t.Context(), `INSERT INTO audit_log (id, at, event, outcome) VALUES (7, now(), 'x', 'success')`)
	if err == nil {
		t.Error("a row with a number of its writer's")
	}
	_, err = pool.Exec(t.Context(), `INSERT INTO audit_log (at, event, outcome) VALUES (now(), 'x', 'perhaps')`)
	if err == nil {
		t.Error("an outcome that is neither success nor failure")
	}
}
