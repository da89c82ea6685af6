package member

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Querier is a pool, a connection or a transaction.
type Querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Columns are a member's columns under the alias m, in the order that
// [ScanTargets] takes them.
const Columns = `m.id, m.email, m.email_verified, m.display_name, m.ic_principal, m.roles, m.membership_status`

// ScanTargets returns where a row of [Columns] goes.
func (m *Member) ScanTargets() []any {
	return []any{&m.ID, emailColumn{&m.Email}, &m.EmailVerified, &m.DisplayName, &m.Principal, &m.Roles, &m.Status}
}

// emailColumn takes a text column into an unprintable email.
type emailColumn struct{ email *privacy.Email }

func (c emailColumn) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return errors.New("member: email column is not text")
	}
	email, err := privacy.ParseEmail(text)
	*c.email = email
	return err
}

// FindAccount returns the account with this email, or [ErrInvalidCredentials].
func FindAccount(ctx context.Context, db Querier, email privacy.Email) (Account, error) {
	var account Account
	var hash *string
	err := db.QueryRow(ctx, `SELECT `+Columns+`, m.password_hash FROM members m WHERE m.email_canonical = $1`,
		email.Canonical()).Scan(append(account.ScanTargets(), &hash)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return Account{}, ErrInvalidCredentials
	}
	if hash != nil {
		account.PasswordHash = privacy.NewSecret(*hash)
	}
	return account, outage.Postgres(err)
}

// SessionColumns are a session's columns under the alias s, in the order that
// [Session.ScanTargets] takes them.
const SessionColumns = `s.id, s.member_id, s.auth_time, s.amr, s.created_at, s.idle_expires_at, s.expires_at, s.ended_at`

// ScanTargets returns where a row of [SessionColumns] goes.
func (s *Session) ScanTargets() []any {
	return []any{&s.ID, &s.MemberID, &s.AuthTime, &s.AMR, &s.CreatedAt, &s.IdleExpiresAt, &s.ExpiresAt, &s.EndedAt}
}

// FindSession returns the session that the cookie belongs to at now and its
// member, live or not, or [ErrNoSession].
func FindSession(ctx context.Context, db Querier, cookie Cookie, now time.Time) (Session, Member, error) {
	var session Session
	var of Member
	err := db.QueryRow(ctx, `SELECT `+SessionColumns+`, `+Columns+`
		FROM sessions s JOIN members m ON m.id = s.member_id WHERE `+MatchSQL,
		pgx.NamedArgs{"cookie": cookie.Digest(), "now": now}).Scan(append(session.ScanTargets(), of.ScanTargets()...)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return Session{}, Member{}, ErrNoSession
	}
	return session, of, outage.Postgres(err)
}

// Seed creates the account, or brings the one with the same email to this state
// and keeps its id. It returns the id and whether it was created. newID is the
// id of a new account.
func Seed(ctx context.Context, db Querier, a Account, newID uuid.UUID, now time.Time) (uuid.UUID, bool, error) {
	var id uuid.UUID
	var created bool
	err := db.QueryRow(ctx, `
		INSERT INTO members AS m (id, email, email_canonical, email_verified, display_name, ic_principal, roles,
		                          membership_status, password_hash, created_at, updated_at)
		VALUES (@id, @email, @canonical, @verified, @display_name, @principal, @roles, @status, @hash, @now, @now)
		ON CONFLICT (email_canonical) DO UPDATE SET
			email = EXCLUDED.email, email_verified = EXCLUDED.email_verified, display_name = EXCLUDED.display_name,
			ic_principal = EXCLUDED.ic_principal, roles = EXCLUDED.roles,
			membership_status = EXCLUDED.membership_status, password_hash = EXCLUDED.password_hash,
			updated_at = EXCLUDED.updated_at
		RETURNING m.id, m.xmax = 0`,
		pgx.NamedArgs{
			"id": newID, "email": a.Email.Reveal(), "canonical": a.Email.Canonical(), "verified": a.EmailVerified,
			"display_name": a.DisplayName, "principal": a.Principal, "roles": a.Roles, "status": string(a.Status),
			"hash": a.PasswordHash.Reveal(), "now": now,
		}).Scan(&id, &created)
	return id, created, outage.Postgres(err)
}
