package handoff

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// usual reports whether nobody has to be asked about the arrival, or signed out for it,
// whoever it is of: that leaves what most arrivals are, of somebody who was here before.
func (a Arrival) usual() bool {
	return a.Person.Complete() && a.Session.Complete() && a.Consent == Consent{} && a.OlderSession == uuid.Nil
}

// arrivalColumns are what each arrival has.
var arrivalColumns = append([]groupcommit.Column[Arrival]{
	{Name: "dao_subject", Type: "text", Of: func(a Arrival) any { return a.Person.Subject.String() }},
	{Name: "ic_principal", Type: "text", Of: func(a Arrival) any { return a.Person.OwnPrincipal() }},
	{Name: "session", Type: "uuid", Of: func(a Arrival) any { return a.Session.ID }},
	{Name: "handoff", Type: "uuid", Of: func(a Arrival) any { return a.Claims.HandoffID }},
	{Name: "entry_product", Type: "text", Of: func(a Arrival) any { return a.Claims.EntryProduct }},
	{Name: "target", Type: "text", Of: func(a Arrival) any { return a.Claims.Target }},
	{Name: "arrival", Type: "bytea", Of: func(a Arrival) any { return a.Session.Arrival.Key.Bytes() }},
	{Name: "nonce", Type: "bytea", Of: func(a Arrival) any { return a.Session.Arrival.Nonce.Bytes() }},
	{Name: "auth_time", Type: "timestamptz", Of: func(a Arrival) any { return a.Session.AuthTime }},
	{Name: "amr", Type: "jsonb", Of: func(a Arrival) any { return a.Session.Methods() }},
	{Name: "now", Type: "timestamptz", Of: func(a Arrival) any { return a.Now }},
	{Name: "expires", Type: "timestamptz", Of: func(a Arrival) any { return a.Session.ExpiresAt }},
}, audit.Columns(func(a Arrival) (time.Time, audit.Origin) { return a.Now, a.Origin })...)

// usualStatement writes an arrival like that in one statement, which it may share with
// others: of somebody who is linked already, whose hand-off nobody else holds and nothing
// has ended, and who has room for a session. Of anybody else it writes nothing.
var usualStatement = groupcommit.Config[Arrival, Arrived]{
	Columns: arrivalColumns,
	Body: `held AS MATERIALIZED (
	SELECT asked.*, ` + session.ClearSQL + ` AS clear FROM asked
), who AS MATERIALIZED (
	SELECT held.*, u.id AS user_id FROM held JOIN ` + user.KnownSQL + `
	WHERE clear AND ` + session.RoomSQL + ` FOR SHARE OF u` + groupcommit.Locking + ` FOR SHARE OF l` + groupcommit.Locking + `
), begun AS (` + session.OpenSQL("who") + `
), noted AS (
	` + audit.Insert{
		Event: audit.SessionCreated, Outcome: audit.Success, From: "who JOIN begun ON begun.id = @session",
		Reason: "'" + string(audit.ByHandoff) + "'", Actor: "who.user_id", HandoffID: "@handoff", EntryProduct: "who.entry_product", Target: "@target",
	}.SQL() + `
)
SELECT nth, ` + session.Columns + `, ` + user.Columns + `
FROM who JOIN begun s ON s.id = @session JOIN public.users u ON u.id = s.user_id`,
	Scan: scanArrived,
}

// newcomerStatement does so for somebody who was never here (section 5, row 4). It goes by a
// queue of its own: a unique key keeps it waiting for whoever is about to create the same
// account, and then no others but newcomers. Those of one statement are made in the order of
// their addresses: two replicas into which the same people arrive take the unique keys in the
// same order, and do not wait for each other.
var newcomerStatement = groupcommit.Config[Arrival, Arrived]{
	Columns: append([]groupcommit.Column[Arrival]{
		{Name: "new_user", Type: "uuid", Of: func(a Arrival) any { return a.NewUserID }},
		{Name: "person_email", Type: "text", Of: func(a Arrival) any { return a.Person.Email.Reveal() }},
		{Name: "person_canonical", Type: "text", Of: func(a Arrival) any { return a.Person.Email.Canonical() }},
		{Name: "person_verified", Type: "boolean", Of: func(a Arrival) any { return a.Person.EmailVerified }},
		{Name: "person_name", Type: "text", Of: func(a Arrival) any { return a.Person.DisplayName }},
	}, arrivalColumns...),
	Body: `held AS MATERIALIZED (
	SELECT asked.*, @new_user AS user_id, ` + session.ClearSQL + ` AS clear FROM asked
), who AS MATERIALIZED (
	SELECT * FROM held WHERE clear AND NOT ` + session.OpenedSQL + ` AND ` + user.StrangerSQL + ` ORDER BY @person_canonical
), ` + user.CreateSQL("who") + `, begun AS (` + session.OpenSQL("who") + `
), noted_user AS (
	` + audit.Insert{
		Event: audit.UserCreated, Outcome: audit.Success, From: "who",
		Actor: "user_id", HandoffID: "@handoff", EntryProduct: "@entry_product", Target: "@target",
	}.SQL() + ` RETURNING handoff_id
), noted AS ( -- behind that: steps that nothing reads are taken in any order
	` + audit.Insert{
		Event: audit.SessionCreated, Outcome: audit.Success, From: "who JOIN noted_user ON noted_user.handoff_id = @handoff",
		Reason: "'" + string(audit.ByHandoff) + "'", Actor: "user_id", HandoffID: "@handoff", EntryProduct: "@entry_product", Target: "@target",
	}.SQL() + `
)
SELECT nth, ` + session.Columns + `, ` + user.Columns + `
FROM who JOIN begun s ON s.id = @session JOIN created u ON u.id = who.user_id`,
	Scan: scanArrived,
}

func scanArrived(row groupcommit.Scanner) (Arrived, error) {
	arrived := Arrived{Began: true}
	err := user.Scan(within(func(ofUser ...any) error {
		return session.Scan(row, &arrived.Session, ofUser...)
	}), &arrived.User)
	return arrived, err
}

// within scans a row that stands behind the columns of another.
type within func(into ...any) error

// Scan implements pgx.Row.
func (scan within) Scan(into ...any) error { return scan(into...) }

// arriveAsUsual reports whether the arrival was one like that, and is written.
func (f *FOSStore) arriveAsUsual(ctx context.Context, a Arrival) (Arrived, bool, error) {
	if !a.usual() {
		return Arrived{}, false, nil
	}
	events := []audit.Event{audit.SessionCreated}
	arrived, served, err := f.arrivals.Try(ctx, a)
	if !served && err == nil {
		events = []audit.Event{audit.UserCreated, audit.SessionCreated}
		arrived, served, err = f.newcomers.Try(ctx, a)
		if outage.UniqueViolation(err) != "" {
			return Arrived{}, false, nil // somebody else has made the account meanwhile
		}
	}
	if err != nil || !served {
		return Arrived{}, false, audit.Unrecorded(err)
	}
	for _, event := range events {
		arrived.rows = append(arrived.rows, arrivalRow(a, arrived.User.ID, event))
	}
	return arrived, true, nil
}
