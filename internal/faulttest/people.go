package faulttest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Person is a member who is signed in at the DAO half, as their browser knows it.
type Person struct {
	ID     uuid.UUID
	cookie string
	csrf   string
}

// Headers are what the DAO half knows them by.
func (p Person) Headers() map[string]string {
	return map[string]string{"Cookie": "dao_session=" + p.cookie + "; csrf_token=" + p.csrf, "X-CSRF-Token": p.csrf}
}

// With is the person after an answer of the DAO half to them: it may have given their
// session another cookie.
func (p Person) With(a Answer) Person {
	for _, set := range a.Cookies {
		if set.Name == "dao_session" {
			p.cookie = set.Value
		}
	}
	return p
}

// People makes n active, verified members who have just signed in.
func People(t testing.TB, dao *pgxpool.Pool, n int) []Person {
	t.Helper()
	csrf, err := member.NewCSRF([]privacy.Key{testkit.Key(t, testkit.SealingKey)}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	people := make([]Person, 0, n)
	members, sessions := make([][]any, 0, n), make([][]any, 0, n)
	for range n {
		cookie, err := member.NewCookie(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		id := uuid.Must(uuid.NewV7())
		session := member.NewSession(uuid.Must(uuid.NewV7()), id, now)
		value, err := csrf.Make(session.ID)
		if err != nil {
			t.Fatal(err)
		}
		email := id.String() + "@example.org"
		members = append(members, []any{id, email, email, true, "Ada Lovelace", []string{"member"}, "active", now, now})
		sessions = append(sessions, []any{
			session.ID, id, cookie.Digest(), session.AuthTime, session.AMR, session.CreatedAt, session.IdleExpiresAt, session.ExpiresAt,
		})
		people = append(people, Person{ID: id, cookie: cookie.Reveal(), csrf: value})
	}
	copyInto(t, dao, table{"members", []string{
		"id", "email", "email_canonical", "email_verified", "display_name", "roles", "membership_status", "created_at", "updated_at",
	}, members})
	copyInto(t, dao, table{"sessions", []string{
		"id", "member_id", "digest", "auth_time", "amr", "created_at", "idle_expires_at", "expires_at",
	}, sessions})
	return people
}

type table struct {
	name    string
	columns []string
	rows    [][]any
}

func copyInto(t testing.TB, db *pgxpool.Pool, of table) {
	t.Helper()
	if _, err := db.CopyFrom(context.Background(), pgx.Identifier{of.name}, of.columns, pgx.CopyFromRows(of.rows)); err != nil {
		t.Fatal(err)
	}
}
