package session_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I8: what opens a hand-off's session and what ends the hand-off wait for each other;
// else each could miss what the other is about to write.
func TestI8_aHandoffIsHeldByOneAtATime(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.FOS)
	one, other := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	hold := func(tx pgx.Tx, id uuid.UUID) error {
		return session.HoldHandoff(t.Context(), tx, id, session.Arrival{})
	}
	first := testkit.Hold(t, db, "")
	if err := hold(first.Tx, one); err != nil {
		t.Fatal(err)
	}
	hasty := func(id uuid.UUID) error {
		return pgx.BeginFunc(t.Context(), db, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SET LOCAL lock_timeout = '50ms'`); err != nil {
				return err
			}
			return hold(tx, id)
		})
	}
	if hasty(one) == nil {
		t.Error("two held one hand-off")
	}
	if err := hasty(other); err != nil {
		t.Errorf("another one: %v", err)
	}
	first.Release()
	if err := hasty(one); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
