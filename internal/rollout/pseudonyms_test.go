package rollout_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	secondPseudonymKey      = "72f4c1d8a93e605b8e1f27c4d6903ab5f8e2104c7b9d36a5e0f1c8b2947d6e3a"
	otherSecondPseudonymKey = "c35e8a06f17b492d8034e5f6a1b9c7d20e4f83a6b5917c2d0f8e6a4b3c1d9f72"
)

// I6: nothing verifies a pseudonym, so that nobody can notice; but the rows must say
// under which key theirs was made, or the old key could never be destroyed.
func TestI6_RotationOfThePseudonymKeyShowsInTheAuditRowsAlone(t *testing.T) {
	t.Parallel()
	f, dao, fos := apart(t)
	l := f.begin(t, newTally(), f.people(t, crowd))
	for _, half := range []struct {
		name       string
		of         *deployment
		rows       *pgxpool.Pool
		old, fresh string
	}{
		{"DAO", dao, f.DAO, testkit.PseudonymKey, secondPseudonymKey},
		{"FOS", fos, f.FOS, testkit.OtherPseudonymKey, otherSecondPseudonymKey},
	} {
		used := [][]string{{half.old}, {half.old, half.fresh}, {half.fresh}}
		for i, s := range stepsOf(t, "AUDIT_PSEUDONYM_KEYS") {
			before := newestRow(t, half.rows)
			rollOut(t, l, half.of, half.name+" half: "+s.line, s.with(half.old, half.fresh))
			wantKeyIDs(t, half.rows, before, used[i]...)
		}
	}
}

func newestRow(t testing.TB, pool *pgxpool.Pool) int {
	t.Helper()
	return testkit.Count(t, pool, `SELECT max(id) FROM audit_log`)
}

// wantKeyIDs compares the key ids of all rows of requests that were written since.
func wantKeyIDs(t testing.TB, pool *pgxpool.Pool, since int, keys ...string) {
	t.Helper()
	rows, err := pool.Query(context.Background(), `
		SELECT DISTINCT coalesce(origin_key, 'none') FROM audit_log WHERE id > $1 AND coalesce(request_id, 'testkit') <> 'testkit'`, since)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]bool{}, map[string]bool{}
	for _, key := range keys {
		want[testkit.Key(t, key).KeyID()] = true
	}
	for _, id := range ids {
		got[id] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("key ids of the audit rows (-want +got):\n%s", diff)
	}
}
