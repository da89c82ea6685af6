package audit_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// rows are the audit log's rows without their numbers, NULL written as -.
func rows(t *testing.T, db *pgxpool.Pool) []string {
	t.Helper()
	result, err := db.Query(context.Background(), `SELECT concat_ws(' ', to_char(at AT TIME ZONE 'UTC', 'HH24:MI:SS'), event, outcome,
		COALESCE(reason, '-'), COALESCE(actor_id::text, '-'), COALESCE(handoff_id::text, '-'), COALESCE(entry_product, '-'),
		COALESCE(target_domain, '-'), COALESCE(origin, '-'), COALESCE(origin_key, '-'), COALESCE(request_id, '-'))
		FROM audit_log ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(result, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestAppend_writesEveryFieldAndNothingForWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, half := range []datastore.Half{datastore.DAO, datastore.FOS} {
		db := testkit.Database(t, half)
		actor, journey := uuid.New(), uuid.New()
		origin := audit.Origin{Address: privacy.Pseudonym{Value: "5e0f", KeyID: "0a1b"}, RequestID: "r-1"}
		for _, record := range []audit.Record{
			{
				At: noon, Event: audit.HandoffReplayed, Outcome: audit.Failure, Reason: audit.TokenUsed, Actor: actor,
				HandoffID: journey, EntryProduct: "think-tank", Target: "founderyos.test", Origin: origin,
			},
			{At: noon, Event: audit.LoginFailed, Outcome: audit.Failure},
		} {
			if err := errors.Join(audit.Append(t.Context(), db, record), audit.NewLog(db).Append(t.Context(), record)); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{
			fmt.Sprintf("12:00:00 handoff.replayed failure token_used %s %s think-tank founderyos.test 5e0f 0a1b r-1", actor, journey),
			"12:00:00 login.failed failure - - - - - - - -",
		}
		want = []string{want[0], want[0], want[1], want[1]} // each by Append, and by a Log's
		if got := rows(t, db); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: rows\n%s\nwant\n%s", half, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// I4: the row of a larger statement is written for each row of its FROM, and for
// none when there is none.
func TestI4_aChangesRowIsWrittenIfTheChangeIs(t *testing.T) {
	t.Parallel()
	db := testkit.Database(t, datastore.DAO)
	actor := uuid.New()
	args := audit.Args(noon, audit.Origin{RequestID: "r-2"})
	args["actor"] = actor
	for _, from := range []string{"(SELECT @actor::uuid AS who) AS changed", "(SELECT @actor::uuid AS who) AS changed WHERE false"} {
		sql := audit.Insert{
			Event: audit.SessionEnded, Outcome: audit.Success, From: from, Reason: "'" + string(audit.ByLogout) + "'", Actor: "who",
		}.SQL()
		if _, err := db.Exec(t.Context(), sql, args); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{fmt.Sprintf("12:00:00 session.ended success logout %s - - - - - r-2", actor)}
	if got := rows(t, db); !reflect.DeepEqual(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

// I4: whatever keeps the row from being written, the caller hears of an outage,
// which is a 503 at the edge.
func TestI4_aRowThatCannotBeWrittenIsAnOutage(t *testing.T) {
	t.Parallel()
	for name, sabotage := range map[string]string{
		"a check refuses it":   `ALTER TABLE audit_log ADD CONSTRAINT no CHECK (false) NOT VALID`,
		"a trigger refuses it": `CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$no$$; END'; CREATE TRIGGER no BEFORE INSERT ON audit_log EXECUTE FUNCTION no()`,
		"the table is gone":    `ALTER TABLE audit_log RENAME TO gone`,
		"the connection ends":  `SELECT pg_terminate_backend(pg_backend_pid())`,
	} {
		db := onOneConnection(t)
		if _, err := db.Exec(t.Context(), sabotage); err != nil && !strings.Contains(err.Error(), "57P01") {
			t.Fatal(name, err)
		}
		err := audit.Append(t.Context(), db, audit.Record{At: noon, Event: audit.LoginFailed, Outcome: audit.Failure})
		var down *outage.Error
		if !errors.As(err, &down) || down.Dependency != "postgres" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := audit.Unrecorded(nil); err != nil {
		t.Errorf("nothing became %v", err)
	}
}

// onOneConnection is a connection to a database of its own, with no pool to replace
// it.
func onOneConnection(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), testkit.DatabaseURL(t, datastore.DAO).Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// I6: a record has no field that takes anything. Who adds one has to change this
// list, and is then asked what will one day be written into it.
func TestI6_aRecordHasClosedFieldsOnly(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"At": "time.Time", "Event": "audit.Event", "Outcome": "audit.Outcome", "Reason": "audit.Reason",
		"Actor": "uuid.UUID", "HandoffID": "uuid.UUID", "Origin": "audit.Origin",
		// From the configured lists, checked before they come here.
		"EntryProduct": "string", "Target": "string",
	}
	got := map[string]string{}
	for field := range reflect.TypeFor[audit.Record]().Fields() {
		got[field.Name] = field.Type.String()
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("fields %v, want %v", got, want)
	}
}
