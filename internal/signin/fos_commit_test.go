package signin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// stayed gives somebody n sessions that are live.
func (d *desk) stayed(t testing.TB, who user.User, n int) {
	t.Helper()
	testkit.Exec(t, d.db, `INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		SELECT gen_random_uuid(), $1, 'password', 1, true, $2, '{}', $2, $2, $3 FROM generate_series(1, $4::int)`,
		who.ID, d.clock.Now().Add(-time.Hour), d.clock.Now().Add(time.Hour), n)
}

// I4: a login whose statement or transaction fails at its end, when all of it has passed,
// gives no credential and leaves no row, neither the session's nor the log's. With few
// sessions it is a statement, with many a transaction.
func TestI4_aLoginWhoseCommitIsRefusedIsNone(t *testing.T) {
	t.Parallel()
	for name, sessions := range map[string]int{"with few sessions": 0, "with many": 50} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			d.stayed(t, d.account(t, "ada@example.org", "right"), sessions)
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
		})
	}
}

// I13: below fifty sessions a login is one statement, and what it leaves is what the
// transaction leaves, which is there for whoever has more.
func TestALoginInOneStatementIsTheSame(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t, datastore.FOS)
	pool, sent := trippers(t, url)
	d := newDesk(t, func(c *signin.FOSConfig) { c.Store = signin.NewFOSStore(pool) })
	d.db = testkit.Pool(t, url)
	d.s.FOS = d.db
	var rows []string
	var begun []session.Session
	for _, c := range []struct {
		email    string
		sessions int
		sent     []string
	}{
		{"few@example.org", 49, []string{"batch", "query"}},
		{"many@example.org", 50, []string{"batch", "query", "query", "query", "query", "query", "query", "query"}},
	} {
		who := d.account(t, c.email, "right")
		d.stayed(t, who, c.sessions)
		var in signin.Entered
		sent.want(t, c.email, func() (err error) {
			in, err = d.login(t, c.email, "right")
			return err
		}, nil, c.sent...)
		var row string
		err := d.db.QueryRow(t.Context(), `SELECT (to_jsonb(s) - 'id' - 'user_id')::text || (to_jsonb(a) - 'id' - 'actor_id')::text
			FROM sessions s JOIN audit_log a ON a.actor_id = s.user_id WHERE s.id = $1 AND s.user_id = $2`, in.Session.ID, who.ID).Scan(&row)
		if err != nil {
			t.Fatal(err)
		}
		in.Session.ID, in.Session.UserID = uuid.Nil, uuid.Nil
		rows, begun = append(rows, row), append(begun, in.Session)
	}
	if diff := cmp.Diff(rows[0], rows[1]) + cmp.Diff(begun[0], begun[1]); diff != "" {
		t.Errorf("(-in one statement +in turn):\n%s", diff)
	}
}
