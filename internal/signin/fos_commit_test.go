package signin_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I4: a login whose transaction fails at its end, when all its statements have passed,
// gives no credential and leaves no row, neither the session's nor the log's.
func TestI4_aLoginWhoseCommitIsRefusedIsNone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	before := testkit.Dump(t, d.db)
	testkit.Exec(t, d.db, `
		CREATE FUNCTION no_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no commit' USING ERRCODE = 'disk_full'; END $$;
		CREATE CONSTRAINT TRIGGER no_commit AFTER INSERT ON sessions DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW EXECUTE FUNCTION no_commit()`)
	var down *outage.Error
	entered, err := d.login(t, "ada@example.org", "right")
	if !errors.As(err, &down) || entered.Pair.Access.Reveal() != "" || entered.Pair.Refresh.Reveal() != "" {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, testkit.Dump(t, d.db)); diff != "" {
		t.Errorf("something is left:\n%s", diff)
	}
	testkit.Exec(t, d.db, `DROP TRIGGER no_commit ON sessions`)
	d.enters(t, "ada@example.org")
}
