//go:build faults

package crash_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// wantBooks asks everything that must hold whatever broke (I1, I4): the calls are a
// history that can happen, every hand-off has its rows, and every session its own.
func (s *site) wantBooks(t *testing.T) {
	t.Helper()
	s.history.Check(t)
	for wrong, sql := range map[string]string{
		"hand-offs that were not recorded exactly once as minted": `SELECT count(*) FROM handoffs h WHERE
			(SELECT count(*) FROM audit_log a WHERE a.handoff_id = h.handoff_id AND a.event = 'handoff.minted') <> 1`,
		"hand-offs whose redemption was not recorded exactly once": `SELECT count(*) FROM handoffs h WHERE
			(SELECT count(*) FROM audit_log a WHERE a.handoff_id = h.handoff_id AND a.event = 'handoff.exchanged')
			<> COALESCE((h.redeemed_as = 'exchanged')::int, 0)`,
		"records of hand-offs that do not exist": `SELECT count(*) FROM audit_log a WHERE a.outcome = 'success'
			AND NOT EXISTS (SELECT 1 FROM handoffs h WHERE h.handoff_id = a.handoff_id)`,
	} {
		if n := testkit.Count(t, s.stores.DAO, sql); n != 0 {
			t.Errorf("%d %s", n, wrong)
		}
	}
	for wrong, sql := range map[string]string{
		"hand-offs with two sessions": `SELECT count(*) FROM (
			SELECT 1 FROM sessions WHERE handoff_id IS NOT NULL GROUP BY handoff_id HAVING count(*) > 1) AS twice`,
		"sessions that were not recorded exactly once": `SELECT count(*) FROM sessions s WHERE
			(SELECT count(*) FROM audit_log a WHERE a.handoff_id = s.handoff_id AND a.event = 'session.created') <> 1`,
		"records of sessions that do not exist": `SELECT count(*) FROM audit_log a WHERE a.event = 'session.created'
			AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.handoff_id = a.handoff_id)`,
	} {
		if n := testkit.Count(t, s.stores.FOS, sql); n != 0 {
			t.Errorf("%d %s", n, wrong)
		}
	}
	s.wantSessionsAsTold(t)
}

// wantSessionsAsTold: a session is of a hand-off that was redeemed, and it is the one
// that the caller was told.
func (s *site) wantSessionsAsTold(t *testing.T) {
	t.Helper()
	redeemed := pairs(t, s.stores.DAO, `SELECT handoff_id, member_id FROM handoffs WHERE redeemed_as = 'exchanged'`)
	sessions := pairs(t, s.stores.FOS, `SELECT handoff_id, id FROM sessions WHERE handoff_id IS NOT NULL`)
	for handoff := range sessions {
		if _, is := redeemed[handoff]; !is {
			t.Errorf("hand-off %v has a session and was not redeemed", handoff)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for handoff, told := range s.told {
		if sessions[handoff] != told {
			t.Errorf("hand-off %v: the caller was told session %v, and the row is %v", handoff, told, sessions[handoff])
		}
	}
}

func pairs(t *testing.T, db *pgxpool.Pool, sql string) map[uuid.UUID]uuid.UUID {
	t.Helper()
	found := map[uuid.UUID]uuid.UUID{}
	rows, err := db.Query(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	var key, value uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&key, &value}, func() error {
		found[key] = value
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// redeemedOnce reports whether the ledger says that the hand-off was redeemed.
func (s *site) redeemed(t *testing.T, handoff uuid.UUID) bool {
	t.Helper()
	return testkit.Count(t, s.stores.DAO,
		`SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND redeemed_as = 'exchanged'`, handoff) == 1
}
