//go:build faults

package crash_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// wantBooks asks everything that must hold whatever broke (I1, I4): the calls are a
// history that can happen, and the databases hold what callers were told, each with its
// row in the audit log, and nothing else but what some caller never heard of.
func (s *site) wantBooks(t *testing.T) {
	t.Helper()
	s.history.Check(t)
	faulttest.Balance(t, s.stores, s.told)
}

// redeemed reports whether the ledger says that the hand-off was redeemed.
func (s *site) redeemed(t *testing.T, handoff uuid.UUID) bool {
	t.Helper()
	return testkit.Count(t, s.stores.DAO,
		`SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND redeemed_as = 'exchanged'`, handoff) == 1
}
