package datastore_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// days fills the audit log with a row for each, so many days old, in this order.
func days(t *testing.T, db *pgxpool.Pool, ages ...int) {
	t.Helper()
	for _, age := range ages {
		testkit.Exec(t, db, `INSERT INTO audit_log (at, event, outcome) VALUES (now() - $1 * interval '1 day', 'x', 'success')`, age)
	}
}

// call prunes under a role, outside of any transaction.
func call(t *testing.T, db *pgxpool.Pool, role, sql string) error {
	t.Helper()
	conn, err := db.Acquire(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(context.Background(), "SET ROLE "+role); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = conn.Exec(context.Background(), "RESET ROLE") }()
	_, err = conn.Exec(context.Background(), sql)
	return err
}

func retention(t *testing.T, db *pgxpool.Pool) {
	t.Helper()
	makeRole(t, db, "audit_retention")
	testkit.Exec(t, db, `GRANT SELECT, DELETE ON audit_log TO audit_retention`)
}

// It goes from the oldest row to the first batch that has none, and no further: what it
// reads is what it deletes, and a batch.
func TestPrune_endsWhereNothingIsOld(t *testing.T) {
	t.Parallel()
	for half := range halves {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			db := testkit.Database(t, half)
			retention(t, db)
			days(t, db, 900, 800, 700, 20, 600, 20, 20, 20, 500)
			if err := call(t, db, "audit_retention", `CALL prune('audit_log', '400 days', 2, '0')`); err != nil {
				t.Fatal(err)
			}
			if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log WHERE at > now() - interval '21 days'`); n != 4 {
				t.Errorf("%d of 4 young rows are left", n)
			}
			if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log`); n != 5 { // with the one behind two that are young
				t.Errorf("%d rows are left, not 5", n)
			}
		})
	}
}

// Each batch is committed: what was deleted is not held until the last one is.
func TestPrune_commitsEachBatch(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	retention(t, db)
	days(t, db, 900, 800, 700, 600)
	held := testkit.Hold(t, db, `SELECT FROM audit_log WHERE at < now() - interval '599 days' AND at > now() - interval '601 days' FOR UPDATE`)
	done := make(chan error, 1)
	go func() { done <- call(t, db, "audit_retention", `CALL prune('audit_log', '400 days', 2, '0')`) }()
	for end := time.Now().Add(10 * time.Second); testkit.Count(t, db, `SELECT count(*) FROM audit_log`) != 2; {
		if time.Now().After(end) {
			t.Fatal("the first batch is not committed")
		}
	}
	held.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// minted writes a member with a session and hand-offs that are so many days old, and returns
// the hand-offs' ids. Whatever is written here is a UUIDv7 of its time, as the program's are.
func minted(t *testing.T, db *pgxpool.Pool, ages ...int) []uuid.UUID {
	t.Helper()
	who, session := uuid.New(), uuid.Must(uuid.NewV7())
	testkit.Exec(t, db, `INSERT INTO members (id, email, email_canonical, email_verified, membership_status, created_at, updated_at)
		VALUES ($1::uuid, $1::uuid::text, $1::uuid::text, true, 'active', now(), now())`, who)
	testkit.Exec(t, db, `INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
		VALUES ($1::uuid, $2, sha256($1::uuid::text::bytea), now(), '{pwd}', now(), now(), now() - interval '10 days')`, session, who)
	var ids []uuid.UUID
	for _, age := range ages {
		id := uuid.Must(uuid.NewV7())
		ids = append(ids, id)
		testkit.Exec(t, db, `INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
			SELECT $1::uuid, sha256($1::uuid::text::bytea), $2, $3, 'think-tank', 'x', at - interval '1 minute', at FROM (SELECT now() - $4::int * interval '1 day') a (at)`,
			id, who, session, age)
	}
	return ids
}

// Who holds a hand-off keeps it, and keeps nothing else from going: it waits for nobody, so
// that nobody waits for it in turn.
func TestPrune_passesOverWhatIsHeld(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	ids := minted(t, db, 30, 29, 28, 7)
	testkit.Hold(t, db, `SELECT FROM handoffs WHERE handoff_id = $1 FOR KEY SHARE`, ids[1])
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := db.Exec(ctx, `CALL prune('handoffs', '8 days', 1, '0')`); err != nil {
		t.Fatal(err)
	}
	if n := testkit.Count(t, db, `SELECT count(*) FROM handoffs WHERE handoff_id = ANY($1)`, []uuid.UUID{ids[1], ids[3]}); n != 2 {
		t.Errorf("%d are left of the one that is held and the one that is young", n)
	}
	if n := testkit.Count(t, db, `SELECT count(*) FROM handoffs`); n != 2 {
		t.Errorf("%d hand-offs are left, not 2", n)
	}
}

// Sessions go with their hand-offs; what is over by itself is no news for the other half.
func TestPrune_takesHandoffsWithTheirSessionAndTellsNobody(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	minted(t, db, 12, 11)
	testkit.Exec(t, db, `CALL prune('sessions', '8 days')`)
	if n := testkit.Count(t, db, `SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM handoffs) + (SELECT count(*) FROM handoff_endings)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	house := testkit.Database(t, datastore.FOS)
	testkit.Exec(t, house, `INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ('00000000-0000-7000-8000-000000000001', 'a', 'a', true, 'member', 'ACTIVE', now(), now())`)
	for _, ends := range []string{"-2 days", "-1 hour", "1 hour"} {
		testkit.Exec(t, house, `INSERT INTO sessions (id, user_id, origin, handoff_id, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
			VALUES ($1, '00000000-0000-7000-8000-000000000001', 'handoff', $1, 1, false, now(), '{}', now(), now(), now() + $2::text::interval)`, uuid.Must(uuid.NewV7()), ends)
		testkit.Exec(t, house, `INSERT INTO handoffs_ended (handoff_id, ended_at, ended_as) VALUES ($1, now() + $2::text::interval, 'source_ended')`, uuid.Must(uuid.NewV7()), ends)
	}
	for _, table := range []string{"sessions", "handoffs_ended"} {
		testkit.Exec(t, house, fmt.Sprintf(`CALL prune('%s', '1 day')`, table))
		if n := testkit.Count(t, house, `SELECT count(*) FROM `+table); n != 2 {
			t.Errorf("%d rows of %s are left, not 2", n, table)
		}
	}
	if n := testkit.Count(t, house, `SELECT count(*) FROM handoff_endings`); n != 0 {
		t.Errorf("%d ends are told", n)
	}
}

// I8: a second use is recognised for a day, whatever an operator types.
func TestI8_pruneLeavesTheLastDay(t *testing.T) {
	t.Parallel()
	for half := range halves {
		t.Run(string(half), func(t *testing.T) {
			t.Parallel()
			db := testkit.Database(t, half)
			for sql, says := range map[string]string{
				`CALL prune('audit_log', '23 hours')`:       "last day",
				`CALL prune('audit_log', '-400 days')`:      "last day",
				`CALL prune('audit_log', '400 days', 0)`:    "at least",
				`CALL prune('audit_log', '400 days', NULL)`: "at least", // in one transaction
				`CALL prune('audit_log', NULL)`:             "last day",
				`CALL prune('service_token_use', '2 days')`: "nothing is known",
				`CALL prune('pg_class', '2 days')`:          "nothing is known",
			} {
				if _, err := db.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %v", sql, err)
				}
			}
		})
	}
}

// The attack: what may not delete prunes. The procedure has its caller's rights only.
func TestPrune_hasItsCallersRights(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	days(t, db, 900)
	makeRole(t, db, "audit_test_owner")
	testkit.Exec(t, db, `GRANT ALL ON audit_log TO audit_test_owner`)
	for _, role := range []string{"audit_test_owner", "NONE"} {
		if err := call(t, db, role, `CALL prune('audit_log', '400 days')`); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", role, err)
		}
	}
	if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log`); n != 1 {
		t.Error("the row is gone")
	}
}

// The attack: whoever may create in public has the retention's own call run what they wrote.
// A function of theirs fits the arguments better than the built-in one; an operator too.
func TestPrune_runsNothingOfSomebodyElses(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	retention(t, db)
	makeRole(t, db, "guest")
	testkit.Exec(t, db, `GRANT CREATE ON SCHEMA public TO guest`)
	days(t, db, 900, 800, 700, 1, 1)
	for _, trap := range []string{
		`CREATE FUNCTION public.format(text, text, text, regclass, text, text) RETURNS text LANGUAGE sql AS $$ SELECT 'DELETE FROM public.audit_log WHERE $1 || $2 <> $3::text' $$`,
		`CREATE FUNCTION public.same(regclass, regclass) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DELETE FROM public.audit_log; RETURN true; END $$`,
		`CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = regclass, RIGHTARG = regclass)`,
	} {
		if err := call(t, db, "guest", trap); err != nil {
			t.Fatal(err)
		}
	}
	if err := call(t, db, "audit_retention", `CALL prune('audit_log', '400 days', 2, '0')`); err != nil {
		t.Fatal(err)
	}
	if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log`); n != 2 {
		t.Errorf("%d rows are left of two that are young", n)
	}
}
