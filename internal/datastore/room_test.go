package datastore_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A row that changes stays in its page, where no index has to be told: a redeemed hand-off,
// which is longer by its attempt, a session that mints, and one that is refreshed. (One of
// six: room that is used is free again when nobody sees the old rows any more, which is
// Postgres' to find out.)
func TestRoom_aRowThatChangesStaysInItsPage(t *testing.T) {
	t.Parallel()
	dao, fos := testkit.Database(t, datastore.DAO), testkit.Database(t, datastore.FOS)
	minted(t, dao, make([]int, 200)...)
	testkit.Exec(t, fos, `INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ('00000000-0000-7000-8000-000000000001', 'a', 'a', true, 'member', 'ACTIVE', now(), now())`)
	testkit.Exec(t, dao, `INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
		SELECT gen_random_uuid(), (SELECT min(id::text)::uuid FROM members), sha256(n::text::bytea), now(), '{pwd}', now(), now(), now() FROM generate_series(1, 200) n`)
	for range 200 {
		testkit.Exec(t, fos, `INSERT INTO sessions (id, user_id, origin, handoff_id, entry_product, arrival, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
			VALUES ($1::uuid, '00000000-0000-7000-8000-000000000001', 'handoff', $1::uuid, 'think-tank', sha256($1::uuid::text::bytea), 1, false, now(), '{pwd}', now(), now(), now())`,
			uuid.Must(uuid.NewV7()))
	}
	for _, change := range []struct {
		table, id string
		db        *pgxpool.Pool
		sql       string
	}{
		{"handoffs", "handoff_id", dao, `UPDATE handoffs SET redeemed_at = now(), redeemed_as = 'exchanged', attempt = digest, redeemed_by = '01234567' WHERE handoff_id = $1`},
		{"sessions", "id", dao, `UPDATE sessions SET mints_full_at = now() WHERE id = $1`},
		{"sessions", "id", fos, `UPDATE sessions SET generation = 2, rotated_at = now(), last_used_at = now() WHERE id = $1`},
	} {
		testkit.Exec(t, change.db, `CREATE TABLE was AS SELECT `+change.id+` AS id, (ctid::text::point)[0] AS page FROM `+change.table)
		for i, id := range column(t, change.db, `SELECT id FROM was`) {
			if i%6 == 0 {
				testkit.Exec(t, change.db, change.sql, id)
			}
		}
		moved := testkit.Count(t, change.db, `SELECT count(*) FROM was JOIN `+change.table+` now ON now.`+change.id+` = was.id WHERE (now.ctid::text::point)[0] <> was.page`)
		if moved > 0 {
			t.Errorf("%d of 34 %s have moved", moved, change.table)
		}
		testkit.Exec(t, change.db, `DROP TABLE was`)
	}
}

func column(t *testing.T, db *pgxpool.Pool, sql string) []uuid.UUID {
	t.Helper()
	rows, err := db.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		t.Fatal(err)
	}
	return ids
}
