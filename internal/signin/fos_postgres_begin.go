package signin

import (
	"context"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// beginning is a session to be begun by who knows the account's password.
type beginning struct {
	account user.Credentials
	fresh   session.New
	origin  audit.Origin
}

// usualBegin begins a session by password with the row that records it, in one statement, for
// who has room for it: then none has to be ended. Of others, and of an account that somebody
// is changing, it writes nothing.
var usualBegin = groupcommit.Config[beginning, session.Session]{
	Columns: append([]groupcommit.Column[beginning]{
		{Name: "session", Type: "uuid", Of: func(b beginning) any { return b.fresh.ID }},
		{Name: "of_user", Type: "uuid", Of: func(b beginning) any { return b.account.ID }},
		{Name: "hash", Type: "text", Of: func(b beginning) any { return b.account.PasswordHash.Reveal() }},
		{Name: "auth_time", Type: "timestamptz", Of: func(b beginning) any { return b.fresh.AuthTime }},
		{Name: "amr", Type: "jsonb", Of: func(b beginning) any { return b.fresh.Methods() }},
		{Name: "now", Type: "timestamptz", Of: func(b beginning) any { return b.fresh.Now }},
		{Name: "expires", Type: "timestamptz", Of: func(b beginning) any { return b.fresh.ExpiresAt }},
	}, audit.Columns(func(b beginning) (time.Time, audit.Origin) { return b.fresh.Now, b.origin })...),
	Body: `held AS MATERIALIZED (
	SELECT asked.* FROM asked JOIN public.users u ON ` + user.CheckedSQL + `
	WHERE ` + session.RoomSQL + ` FOR SHARE OF u` + groupcommit.Locking + `
), begun AS (` + session.BeginSQL("held") + `
), noted AS (
	` + audit.Insert{
		Event: audit.SessionCreated, Outcome: audit.Success, From: "held",
		Reason: "'" + string(audit.ByPassword) + "'", Actor: "@of_user",
	}.SQL() + `
)
SELECT nth, ` + session.Columns + ` FROM held JOIN begun s ON s.id = @session`,
	Scan: func(row groupcommit.Scanner) (session.Session, error) {
		var begun session.Session
		err := session.Scan(row, &begun)
		return begun, err
	},
}

// Begin writes a session by password and the row that records it, while the
// account stays as it was when its password was checked.
func (f *FOSStore) Begin(
	ctx context.Context, account user.Credentials, fresh session.New, origin audit.Origin,
) (session.Session, error) {
	if !fresh.Complete() || fresh.Origin != session.Password {
		return f.begin(ctx, account, fresh, origin) // which says why not
	}
	begun, served, err := f.begins.Try(ctx, beginning{account, fresh, origin})
	if err != nil || served {
		return begun, f.Book.Settle(audit.Unrecorded(err), row(audit.SessionCreated, audit.ByPassword))
	}
	return f.begin(ctx, account, fresh, origin)
}
