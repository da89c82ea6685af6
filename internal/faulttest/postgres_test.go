package faulttest_test

import (
	"context"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The rig's Postgres keeps its word: what it committed is there after SIGKILL, on
// the same address.
func TestPostgres_keepsWhatItCommittedAndNothingElse(t *testing.T) {
	t.Parallel()
	postgres := faulttest.NewPostgres(t)
	stores := postgres.Stores()
	faulttest.People(t, stores.DAO, 3)
	open, err := stores.DAO.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.Exec(t.Context(), `DELETE FROM members`); err != nil {
		t.Fatal(err)
	}

	postgres.Kill(t)
	if err := stores.FOS.Ping(t.Context()); err == nil {
		t.Error("a killed server answers")
	}
	_ = open.Rollback(t.Context()) // gives the dead connection back
	postgres.Restart(t)
	if n := testkit.Count(t, stores.DAO, `SELECT count(*) FROM members`); n != 3 {
		t.Errorf("%d people are left of 3", n)
	}

	postgres.Pause(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*enough)
	defer cancel()
	if err := stores.DAO.Ping(ctx); err == nil {
		t.Error("a stopped server answers")
	}
	postgres.Wake(t)
	if err := stores.DAO.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
