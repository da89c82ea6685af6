package user_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/user"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// world is a FOS database with people in it.
type world struct {
	t  testing.TB
	db *pgxpool.Pool
}

func (w world) exec(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.db.Exec(context.Background(), sql, args...); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) count(sql string, args ...any) int {
	w.t.Helper()
	var n int
	if err := w.db.QueryRow(context.Background(), "SELECT count(*) FROM "+sql, args...).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// account is a user that stands in the database before the arrival.
type account struct {
	email    string
	unproven bool
	role     user.Role
	status   user.Status
}

// has puts the account there, by default a proven, active member called Old Name.
func (w world) has(a account) uuid.UUID {
	w.t.Helper()
	id := uuid.New()
	if a.role == "" {
		a.role = user.Member
	}
	if a.status == "" {
		a.status = user.Active
	}
	w.exec(`INSERT INTO users (id, email, email_canonical, email_verified, display_name, role, status, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'Old Name', $5, $6, $7, $7)`,
		id, a.email, email(w.t, a.email).Canonical(), !a.unproven, string(a.role), string(a.status), noon.Add(-time.Hour))
	return id
}

func (w world) linked(id, subject uuid.UUID) {
	w.t.Helper()
	w.exec(`INSERT INTO identity_link VALUES ('dao', $1, $2, $3)`, subject.String(), id, noon)
}

func (w world) principal(id uuid.UUID, principal string) {
	w.t.Helper()
	w.exec(`INSERT INTO ic_identity_link VALUES ($1, $2, $3)`, principal, id, noon)
}

// dump is everything that the database holds of users, to see that nothing
// changed.
func (w world) dump() string {
	w.t.Helper()
	var all strings.Builder
	for _, table := range []string{
		"users", "identity_link", "ic_identity_link", "oauth_credential", "api_token", "password_reset", "email_verification", "sessions",
	} {
		rows, err := w.db.Query(context.Background(), "SELECT t::text FROM "+table+" t ORDER BY 1")
		if err != nil {
			w.t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			w.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n%s\n", table, strings.Join(lines, "\n"))
	}
	return all.String()
}

// resolve is one try in a transaction of its own.
func (w world) resolve(a user.Arrival) (user.Resolution, error) {
	var r user.Resolution
	err := pgx.BeginFunc(context.Background(), w.db, func(tx pgx.Tx) (err error) {
		r, err = user.Resolve(context.Background(), tx, a, user.Moment{Now: noon, NewID: uuid.New()})
		return err
	})
	return r, err
}

// arrive tries again while others come first, as a use case does.
func (w world) arrive(a user.Arrival) (user.Resolution, error) {
	for range 20 {
		r, err := w.resolve(a)
		if !errors.Is(err, user.ErrRaced) {
			return r, err
		}
	}
	return user.Resolution{}, user.ErrRaced
}

func (w world) arrives(a user.Arrival) user.Resolution {
	w.t.Helper()
	r, err := w.arrive(a)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func email(t testing.TB, text string) privacy.Email {
	t.Helper()
	e, err := privacy.ParseEmail(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func ptr[T any](v T) *T { return &v }

// ada arrives with a proven address and nothing else.
func ada(t testing.TB) user.Arrival {
	t.Helper()
	return user.Arrival{
		Subject: uuid.New(), Email: email(t, "Ada@Example.org"), EmailVerified: true, DisplayName: ptr("Ada"),
	}
}
