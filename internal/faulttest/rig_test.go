package faulttest_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func TestMain(m *testing.M) { faulttest.Main(m) }

// The rig itself: one hand-off through a server that is killed and one that comes
// after it.
func TestAHandoffOutlivesItsServer(t *testing.T) {
	t.Parallel()
	stores := faulttest.NewStores(t)
	person := faulttest.People(t, stores.DAO, 1)[0]
	client := faulttest.NewClient(1)
	t.Cleanup(client.Close)

	first := faulttest.Serve(t, stores.Environ(), nil)
	minted := client.Mint(t.Context(), first.DAOURL, person)
	if !minted.OK() || minted.Token == "" {
		t.Fatalf("%v\n%s", minted, first.Log())
	}
	first.Kill()
	if gone := client.Arrive(t.Context(), first.FOSURL, minted.Token, ""); gone.Err == nil {
		t.Errorf("a killed server answers: %v", gone)
	}

	second := faulttest.Serve(t, stores.Environ(), nil)
	arrived := client.Arrive(t.Context(), second.FOSURL, minted.Token, "")
	if !arrived.OK() || arrived.Session == uuid.Nil || arrived.HandoffID != minted.HandoffID {
		t.Errorf("%v\n%s", arrived, second.Log())
	}
	again := client.Arrive(t.Context(), second.FOSURL, minted.Token, "")
	if !again.Refused() || again.Reason != "used" {
		t.Errorf("again: %v", again)
	}
	if n := testkit.Count(t, stores.FOS, `SELECT count(*) FROM sessions`); n != 1 {
		t.Errorf("%d sessions", n)
	}
}
