package handoff

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
)

// minting is what became of a MintRow whose cookie has a session, live or not.
type minting struct {
	session member.Session
	member  member.Member
	// live: the session is, and is the one that the CSRF value was made for.
	live bool
	// wait is how long it is until the session may mint again; nil: it may.
	wait *time.Duration
	// refused is the reason that was recorded; nil: the row was written.
	refused *audit.Reason
}

// mintStatement decides, writes and records in one statement. A member who may not
// hand off leaves a refusal; a session that is not live leaves nothing, being
// nobody's, and one that is over its limit neither. Of two mints of one session in one
// statement, one is taken for the UPDATE (PostgreSQL, "UPDATE", Notes): the other one is
// not answered, and has its turn alone.
var mintStatement = groupcommit.Config[MintRow, minting]{
	Columns: append([]groupcommit.Column[MintRow]{
		{Name: "cookie", Type: "bytea", Of: func(r MintRow) any { return r.Cookie.Digest() }},
		{Name: "csrf_session", Type: "uuid", Of: func(r MintRow) any { return r.SessionID }},
		{Name: "new_handoff", Type: "uuid", Of: func(r MintRow) any { return r.HandoffID }},
		{Name: "new_digest", Type: "bytea", Of: func(r MintRow) any { return r.Digest[:] }},
		{Name: "product", Type: "text", Of: func(r MintRow) any { return r.EntryProduct }},
		{Name: "target", Type: "text", Of: func(r MintRow) any { return r.Target }},
		{Name: "now", Type: "timestamptz", Of: func(r MintRow) any { return r.MintedAt }},
		{Name: "expires", Type: "timestamptz", Of: func(r MintRow) any { return r.ExpiresAt }},
		{Name: "each", Type: "interval", Of: func(r MintRow) any { return r.Interval }},
		{Name: "signed_in_since", Type: "timestamptz", Of: func(r MintRow) any { return r.SignedInSince }},
	}, audit.Columns(func(r MintRow) (time.Time, audit.Origin) { return r.MintedAt, r.Origin })...),
	Body: `who AS MATERIALIZED (
	SELECT asked.*, s.id AS session_id, s.member_id, ` + ratelimit.FullAtSQL("s.mints_full_at") + ` AS full_at, ` + ratelimit.WaitSQL("s.mints_full_at") + ` AS wait,
	       ` + member.LiveSQL + ` AND s.id = @csrf_session AS live, CASE` + mintRefusedSQL() + ` END AS refused
	FROM asked JOIN sessions s ON ` + member.MatchSQL + ` JOIN members m ON m.id = s.member_id
	FOR NO KEY UPDATE OF s` + groupcommit.Locking + ` FOR KEY SHARE OF m` + groupcommit.Locking + `
), counted AS (
	UPDATE sessions s SET mints_full_at = full_at FROM who WHERE s.id = session_id AND live AND wait IS NULL RETURNING who.*
), minted AS (
	INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
	SELECT @new_handoff, @new_digest, member_id, session_id, @product, @target, @now, @expires
	FROM counted WHERE refused IS NULL
), noted AS (
	` + audit.Insert{
		Event: audit.HandoffMinted, Outcome: audit.Success, From: "counted WHERE refused IS NULL",
		Actor: "member_id", HandoffID: "@new_handoff", EntryProduct: "@product", Target: "@target",
	}.SQL() + `
), turned_away AS (
	` + audit.Insert{
		Event: audit.HandoffRefused, Outcome: audit.Failure, From: "counted WHERE refused IS NOT NULL",
		Reason: "refused", Actor: "member_id", HandoffID: "@new_handoff", EntryProduct: "@product", Target: "@target",
	}.SQL() + `
)
SELECT nth, live, wait, refused, ` + member.SessionColumns + `, ` + member.Columns + `
FROM who JOIN sessions s ON s.id = who.session_id JOIN members m ON m.id = who.member_id
WHERE NOT live OR wait IS NOT NULL OR nth IN (SELECT nth FROM counted)`,
	Scan: func(row groupcommit.Scanner) (minting, error) {
		var m minting
		err := row.Scan(append(append([]any{&m.live, &m.wait, &m.refused}, m.session.ScanTargets()...), m.member.ScanTargets()...)...)
		return m, err
	},
}

// mintRefusals are what the rules of [member.NoHandOff] are recorded as.
var mintRefusals = map[audit.Reason]error{
	audit.AccountInactive: member.ErrInactive, audit.EmailUnverified: member.ErrEmailUnverified, audit.SignInTooOld: member.ErrSignInTooOld,
}

// mintRefusedSQL panics when the program starts if a rule has no reason: left out, it would
// let pass whom it is about.
func mintRefusedSQL() string {
	var whens strings.Builder
	for _, rule := range member.NoHandOff {
		reason, recorded := reasonOf(rule.Err)
		if !recorded {
			panic("handoff: no reason is recorded for: " + rule.Err.Error())
		}
		whens.WriteString(" WHEN " + rule.Fits + " THEN '" + string(reason) + "'")
	}
	return whens.String()
}

func reasonOf(refusal error) (audit.Reason, bool) {
	for reason, err := range mintRefusals {
		if errors.Is(refusal, err) {
			return reason, true
		}
	}
	return audit.NoReason, false
}

// Mint implements the ledger's side of [Minter.Mint].
func (d *DAOStore) Mint(ctx context.Context, row MintRow) (member.Session, member.Member, error) {
	m, found, err := d.mints.Do(ctx, row)
	switch {
	case err != nil:
		return m.session, m.member, d.Book.Settle(audit.Unrecorded(err))
	case !found:
		return m.session, m.member, member.ErrNoSession
	case m.live && m.wait != nil:
		return m.session, m.member, &overLimit{*m.wait}
	case m.live && m.refused != nil:
		_ = d.Book.Settle(nil, audit.Record{At: row.MintedAt, Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: *m.refused, HandoffID: row.HandoffID})
		return m.session, m.member, mintRefusals[*m.refused]
	case m.live:
		return m.session, m.member, d.Book.Settle(nil, audit.Record{At: row.MintedAt, Event: audit.HandoffMinted, Outcome: audit.Success, HandoffID: row.HandoffID})
	}
	if err := m.session.Check(row.MintedAt); err != nil {
		return m.session, m.member, err
	}
	return m.session, m.member, member.ErrCSRF // a live session, but not the one that the CSRF value was made for
}
