package member_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func keyOf(t testing.TB, letter string) privacy.Key {
	t.Helper()
	key, err := privacy.NewKey([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func csrfOf(t testing.TB, letters ...string) *member.CSRF {
	t.Helper()
	keys := make([]privacy.Key, 0, len(letters))
	for _, letter := range letters {
		keys = append(keys, keyOf(t, letter))
	}
	csrf, err := member.NewCSRF(keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return csrf
}

func database(t testing.TB) *pgxpool.Pool {
	t.Helper()
	return testkit.Database(t, datastore.DAO)
}

// account is an active, verified member with a name.
func account(t testing.TB, email string) member.Account {
	t.Helper()
	name := "Ada Lovelace"
	return member.Account{
		Member: member.Member{
			Email: testkit.Email(t, email), EmailVerified: true, DisplayName: &name,
			Roles: []string{"member"}, Status: member.Active,
		},
		PasswordHash: privacy.NewSecret("$argon2id$not-checked-here"),
	}
}

func seed(t testing.TB, db *pgxpool.Pool, a member.Account) uuid.UUID {
	t.Helper()
	id, _, err := member.Seed(context.Background(), db, a, uuid.New(), noon)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// write puts a session into the table as it is, whatever its state.
func write(t testing.TB, db *pgxpool.Pool, s member.Session, cookie member.Cookie) {
	t.Helper()
	var endedAs *string
	if s.EndedAt != nil {
		as := "logout"
		endedAs = &as
	}
	_, err := db.Exec(context.Background(), `
		INSERT INTO sessions (id, member_id, digest, auth_time, amr, created_at, idle_expires_at, expires_at, ended_at, ended_as)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		s.ID, s.MemberID, cookie.Digest(), s.AuthTime, s.AMR, s.CreatedAt, s.IdleExpiresAt, s.ExpiresAt, s.EndedAt, endedAs)
	if err != nil {
		t.Fatal(err)
	}
}

func newCookie(t testing.TB) member.Cookie {
	t.Helper()
	cookie, err := member.NewCookie(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}
