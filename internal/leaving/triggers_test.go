package leaving_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The triggers go by the database's clock, and so do these rows. Hand-offs are told apart
// by their entry product, and by the last digits of their ids.
const ledgerRows = `
INSERT INTO members (id, email, email_canonical, email_verified, membership_status, created_at, updated_at)
SELECT id, name || '@example.org', name || '@example.org', true, 'active', now(), now() FROM (VALUES
	('00000000-0000-7000-8000-00000000000a'::uuid, 'ada'), ('00000000-0000-7000-8000-00000000000e', 'eve')) m (id, name);
INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
SELECT id, member, sha256(id::text::bytea), now(), '{pwd}', now(), now(), now() + interval '1 day' FROM (VALUES
	('00000000-0000-7000-8000-0000000000a1'::uuid, '00000000-0000-7000-8000-00000000000a'::uuid),
	('00000000-0000-7000-8000-0000000000a2', '00000000-0000-7000-8000-00000000000a'),
	('00000000-0000-7000-8000-0000000000e1', '00000000-0000-7000-8000-00000000000e')) s (id, member);
INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at,
	redeemed_at, redeemed_as, attempt, redeemed_by, ended_at, ended_as)
SELECT h.id, sha256(h.id::text::bytea), s.member_id, s.id, name, 'founderyos.test', now() - old, now() - old + interval '1 minute',
	CASE WHEN redeemed <> '' THEN now() END, NULLIF(redeemed, ''), CASE WHEN redeemed <> '' THEN sha256('a') END, CASE WHEN redeemed <> '' THEN 'k' END,
	CASE WHEN ended <> '' THEN now() END, NULLIF(ended, '')
FROM (VALUES
	('00000000-0000-7000-8000-000000000b01'::uuid, 'a1', 'open', interval '3 days', 'exchanged', ''),
	('00000000-0000-7000-8000-000000000b02', 'a1', 'fresh', interval '2 minutes', '', ''),
	('00000000-0000-7000-8000-000000000b03', 'a1', 'stale', interval '10 minutes', '', ''),
	('00000000-0000-7000-8000-000000000b04', 'a1', 'burnt', interval '1 minute', 'wrong_target', ''),
	('00000000-0000-7000-8000-000000000b05', 'a1', 'ended', interval '1 hour', 'exchanged', 'target_ended'),
	('00000000-0000-7000-8000-000000000b06', 'a2', 'other', interval '1 hour', 'exchanged', ''),
	('00000000-0000-7000-8000-000000000b07', 'e1', 'eves', interval '1 hour', 'exchanged', '')) h (id, session, name, old, redeemed, ended)
JOIN sessions s ON s.id = ('00000000-0000-7000-8000-0000000000' || session)::uuid`

var names = strings.NewReplacer("b01", "open", "b02", "fresh", "b03", "stale", "b04", "burnt", "b05", "ended", "b06", "other", "b07", "eves")

// queued are the hand-offs in the outbox, by their ids' last digits.
func queued(t testing.TB, pool *pgxpool.Pool) string {
	t.Helper()
	var ids string
	err := pool.QueryRow(t.Context(),
		`SELECT COALESCE(string_agg(right(handoff_id::text, 3), ' ' ORDER BY handoff_id), '') FROM handoff_endings`).Scan(&ids)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// asStranger runs sql under a role that may do that and nothing more: other programs of the
// platform know nothing of the outbox.
func asStranger(t testing.TB, pool *pgxpool.Pool, sql string) {
	t.Helper()
	ctx := context.Background()
	tx, err := pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(ctx) }()
	for _, statement := range []string{
		`GRANT SELECT, UPDATE, DELETE ON members, sessions TO pg_monitor`, `SET LOCAL ROLE pg_monitor`, sql,
	} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
}

// Whatever ends a session or a membership, and whoever does it: the hand-offs of which
// something may live over there are put in, and no others.
func TestDAO_whateverEndsASourceEndsItsHandoffs(t *testing.T) {
	t.Parallel()
	const a1, ada = `'00000000-0000-7000-8000-0000000000a1'`, `'00000000-0000-7000-8000-00000000000a'`
	for name, c := range map[string]struct {
		sql, queued string
		ended       int // sessions, by the trigger
	}{
		"a session ends":       {`UPDATE sessions SET ended_at = now(), ended_as = 'x' WHERE id = ` + a1, "open fresh", 0},
		"and is touched again": {`UPDATE sessions SET ended_at = now(), ended_as = 'x' WHERE id = ` + a1 + `; DELETE FROM sessions WHERE id = ` + a1, "open fresh", 0},
		"a session is deleted": {`DELETE FROM sessions WHERE id = ` + a1, "open fresh", 0},
		"one that is over is swept out": {
			`UPDATE sessions SET expires_at = now() - interval '1 second' WHERE id = ` + a1 + `; DELETE FROM sessions WHERE id = ` + a1, "", 0,
		},
		"a session is refreshed":       {`UPDATE sessions SET idle_expires_at = now() WHERE id = ` + a1, "", 0},
		"a member is suspended":        {`UPDATE members SET membership_status = 'suspended' WHERE id = ` + ada, "open fresh other", 2},
		"a membership ends":            {`UPDATE members SET membership_status = 'ended' WHERE id = ` + ada, "open fresh other", 2},
		"a membership is pending":      {`UPDATE members SET membership_status = 'pending' WHERE id = ` + ada, "open fresh other", 0},
		"a member changes their name":  {`UPDATE members SET display_name = 'Countess' WHERE id = ` + ada, "", 0},
		"a member is deleted":          {`DELETE FROM members WHERE id = ` + ada, "open fresh other", 0},
		"everybody is shut out":        {`UPDATE members SET membership_status = 'suspended'`, "open fresh other eves", 3},
		"a session ends, then ada too": {`UPDATE sessions SET ended_at = now(), ended_as = 'x' WHERE id = ` + a1 + `; UPDATE members SET membership_status = 'ended' WHERE id = ` + ada, "open fresh other", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t, datastore.DAO)
			testkit.Exec(t, pool, ledgerRows)
			asStranger(t, pool, c.sql)
			if diff := cmp.Diff(c.queued, names.Replace(queued(t, pool))); diff != "" {
				t.Errorf("queued (-want +got):\n%s", diff)
			}
			if n := testkit.Count(t, pool, `SELECT count(*) FROM sessions WHERE ended_as = 'account_inactive'`); n != c.ended {
				t.Errorf("%d sessions have ended, want %d", n, c.ended)
			}
			// I4: one row for each of them.
			if n := testkit.Count(t, pool, `SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND reason = 'account_inactive' AND outcome = 'success'
				AND actor_id IN (SELECT id FROM members WHERE membership_status <> 'active')`); n != c.ended {
				t.Errorf("%d rows record it, want %d", n, c.ended)
			}
		})
	}
}

const stayRows = `
INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-00000000000a', 'ada@example.org', 'ada@example.org', true, 'member', 'ACTIVE', now(), now());
INSERT INTO sessions (id, user_id, origin, handoff_id, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
SELECT gen_random_uuid(), '00000000-0000-7000-8000-00000000000a', CASE WHEN handoff IS NULL THEN 'password' ELSE 'handoff' END, handoff, 1, false,
       now(), '{pwd}', now(), now(), now() + life
FROM (VALUES ('00000000-0000-7000-8000-000000000b01'::uuid, interval '1 day'), (NULL, interval '1 day'), ('00000000-0000-7000-8000-000000000b03', interval '0')) s (handoff, life)`

// The same on this half, where what was heard from the other is not said back.
func TestFOS_whateverEndsASessionEndsItsHandoff(t *testing.T) {
	t.Parallel()
	const live = ` WHERE expires_at > now()`
	for name, c := range map[string]struct{ sql, queued string }{
		"it ends":                 {`UPDATE sessions SET ended_at = now(), ended_as = 'x'` + live, "open"},
		"its source had ended":    {`UPDATE sessions SET ended_at = now(), ended_as = 'source_ended'` + live, ""},
		"it is used":              {`UPDATE sessions SET last_used_at = now()`, ""},
		"it is deleted":           {`DELETE FROM sessions` + live, "open"},
		"it is over, and deleted": {`DELETE FROM sessions WHERE expires_at <= now()`, ""},
		"it ends and is deleted":  {`UPDATE sessions SET ended_at = now(), ended_as = 'source_ended'; DELETE FROM sessions`, ""},
		"its user is deleted":     {`DELETE FROM users`, "open"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := testkit.Database(t, datastore.FOS)
			testkit.Exec(t, pool, stayRows)
			testkit.Exec(t, pool, c.sql)
			if diff := cmp.Diff(c.queued, names.Replace(queued(t, pool))); diff != "" {
				t.Errorf("queued (-want +got):\n%s", diff)
			}
		})
	}
}

// The attack: to put a function that acts with its owner's rights on a table of one's own.
func TestNobodyMayBorrowTheTriggersRights(t *testing.T) {
	t.Parallel()
	for _, half := range []datastore.Half{datastore.DAO, datastore.FOS} {
		pool := testkit.Pool(t, testkit.DatabaseURL(t, half))
		if n := testkit.Count(t, pool, `SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace`); n == 0 {
			t.Errorf("%s: there is no such function", half)
		}
		if n := testkit.Count(t, pool, `SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			AND prosecdef AND has_function_privilege('public', oid, 'EXECUTE')`); n != 0 {
			t.Errorf("%s: %d functions with their owner's rights are anybody's to use", half, n)
		}
	}
}
