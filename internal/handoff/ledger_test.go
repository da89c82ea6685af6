package handoff_test

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// ledger is a DAO database with one member, signed in.
type ledger struct {
	*handoff.DAOStore
	db      *pgxpool.Pool
	ada     uuid.UUID
	cookie  member.Cookie
	session member.Session
}

func newLedger(t testing.TB) ledger {
	t.Helper()
	l := ledger{db: testkit.Database(t, datastore.DAO)}
	l.DAOStore = handoff.NewDAOStore(l.db)
	seeded, err := seed.New(l.db, l.db.Config().ConnConfig.Database, noon).Member(context.Background(), member.Account{Member: member.Member{
		Email: testkit.Email(t, "ada@example.org"), EmailVerified: true, Roles: []string{"member"}, Status: member.Active,
	}})
	if err != nil {
		t.Fatal(err)
	}
	l.ada, l.cookie, l.session = seeded.ID, cookieOf(t), member.NewSession(uuid.Must(uuid.NewV7()), seeded.ID, noon)
	sessions := signin.NewDAOStore(l.db)
	account, err := sessions.FindAccount(context.Background(), testkit.Email(t, "ada@example.org"))
	if err != nil {
		t.Fatal(err)
	}
	if err := sessions.Begin(context.Background(), account, l.session, l.cookie, audit.Origin{RequestID: "testkit"}); err != nil {
		t.Fatal(err)
	}
	return l
}

// another is the same ledger, with another member who is signed in.
func (l ledger) another(t testing.TB, email string) ledger {
	t.Helper()
	id := uuid.New()
	l.change(t, `INSERT INTO members (id, email, email_canonical, email_verified, membership_status, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'active', $3, $3)`, id, email, noon)
	l.ada, l.cookie, l.session = id, cookieOf(t), member.NewSession(uuid.Must(uuid.NewV7()), id, noon)
	l.change(t, `INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at)
		VALUES ($1, $2, $3, $4, '{pwd}', $4, $5, $5)`, l.session.ID, id, l.cookie.Digest(), noon, noon.Add(time.Hour))
	return l
}

func cookieOf(t testing.TB) member.Cookie {
	t.Helper()
	cookie, err := member.NewCookie(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}

func tokenOf(t testing.TB) token.Token {
	t.Helper()
	tok, err := token.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// row is what mint writes for tok at noon.
func (l ledger) row(tok token.Token) handoff.MintRow {
	return handoff.MintRow{
		HandoffID: uuid.Must(uuid.NewV7()), Digest: tok.Digest(), Cookie: l.cookie, SessionID: l.session.ID,
		EntryProduct: "think-tank", Target: testkit.Target, MintedAt: noon, ExpiresAt: noon.Add(token.TTL),
	}
}

// minted is a token in the ledger.
func (l ledger) minted(t testing.TB) (token.Token, uuid.UUID) {
	t.Helper()
	tok := tokenOf(t)
	row := l.row(tok)
	if _, _, err := l.Mint(context.Background(), row); err != nil {
		t.Fatal(err)
	}
	return tok, row.HandoffID
}

// redemption is an attempt at tok, at noon, under a key of the caller's.
func redemption(t testing.TB, tok token.Token, key string) handoff.Redemption {
	t.Helper()
	attempt, err := token.NewAttempt(key, tok.Digest(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return handoff.Redemption{Digest: tok.Digest(), Attempt: attempt, At: noon.Add(time.Second), CallerKey: "0a1b2c3d"}
}

// inTime is a context with the deadline that a redemption needs.
func inTime(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (l ledger) change(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := l.db.Exec(context.Background(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (l ledger) redeemed(t testing.TB) int {
	t.Helper()
	return testkit.Count(t, l.db, `SELECT count(*) FROM handoffs WHERE redeemed_at IS NOT NULL`)
}
