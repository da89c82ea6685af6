package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/password"
)

// person is a member who is signed in at the DAO half, in one browser.
type person struct {
	member, user  uuid.UUID // user is nobody's for who has not arrived yet
	email, name   string
	principal     *string // most have none here
	session       uuid.UUID
	cookie        member.Cookie
	csrf          string
	authenticated time.Time
	arrived       uuid.UUID // the session at the FOS half, of somebody in a crowd
}

// settle makes people who have arrived before.
func (w *world) settle(ctx context.Context, n int) error {
	people, err := w.newMembers(ctx, n, "person")
	if err != nil {
		return err
	}
	hash, err := password.Hash(w.password)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	var users, links [][]any
	begun := now()
	for i := range people {
		p := &people[i]
		p.user = uuid.Must(uuid.NewV7())
		users = append(users, []any{p.user, p.email, p.email, true, hash, p.name, "member", "ACTIVE", begun, begun})
		links = append(links, []any{"dao", p.member.String(), p.user, begun})
	}
	if err := fill(ctx, w.fos, "users", []string{
		"id", "email", "email_canonical", "email_verified", "password_hash", "display_name", "role", "status", "created_at", "updated_at",
	}, users); err != nil {
		return err
	}
	if err := fill(ctx, w.fos, "identity_link", []string{"provider", "subject", "user_id", "created_at"}, links); err != nil {
		return err
	}
	w.people = people
	if err := w.remember(ctx, begun.Add(-24*time.Hour)); err != nil {
		return err
	}
	return w.takeStock(ctx)
}

// remember gives everybody a hand-off of a day ago and a session. In an empty table a plan
// that reads all of it is the best one, and a prepared statement would keep it.
func (w *world) remember(ctx context.Context, at time.Time) error {
	var rows [][]any
	for _, p := range w.people {
		digest, attempt := make([]byte, 32), make([]byte, 32)
		_, _ = rand.Read(digest) // never fails (crypto/rand)
		_, _ = rand.Read(attempt)
		rows = append(rows, []any{
			uuid.Must(uuid.NewV7()), digest, p.member, p.session, product, target, at, at.Add(token.TTL), at, "exchanged", attempt, floorKeyID,
		})
	}
	if err := fill(ctx, w.dao, "handoffs", []string{
		"handoff_id", "digest", "member_id", "session_id", "entry_product", "target_domain", "minted_at", "expires_at",
		"redeemed_at", "redeemed_as", "attempt", "redeemed_by",
	}, rows); err != nil {
		return err
	}
	_, err := w.open(ctx, w.people)
	return err
}

// next are n people, nobody twice before everybody was once.
func (w *world) next(n int) []person {
	some := make([]person, n)
	for i := range some {
		some[i] = w.people[w.used%len(w.people)]
		w.used++
	}
	return some
}

// arrive are n strangers.
func (w *world) arrive(ctx context.Context, n int) ([]person, error) {
	w.strangers += n
	return w.newMembers(ctx, n, fmt.Sprintf("stranger-%d", w.strangers))
}

// newMembers makes members, each with a session.
func (w *world) newMembers(ctx context.Context, n int, kind string) ([]person, error) {
	people := make([]person, n)
	var members, sessions [][]any
	begun := now()
	for i := range people {
		cookie, err := member.NewCookie(rand.Reader)
		if err != nil {
			return nil, err
		}
		p := person{
			member: uuid.Must(uuid.NewV7()), session: uuid.Must(uuid.NewV7()), cookie: cookie, authenticated: begun,
			email: fmt.Sprintf("%s-%d@example.org", kind, i), name: fmt.Sprintf("Ada Lovelace the %dth", i),
		}
		if p.csrf, err = w.csrf.Make(p.session); err != nil {
			return nil, err
		}
		people[i] = p
		members = append(members, []any{p.member, p.email, p.email, true, p.name, []string{"member"}, "active", begun, begun})
		ends := begun.Add(member.AbsoluteTTL) // they stay awake for as long as this may take
		sessions = append(sessions, []any{p.session, p.member, cookie.Digest(), begun, []string{"pwd"}, begun, ends, ends})
	}
	if err := fill(ctx, w.dao, "members", []string{
		"id", "email", "email_canonical", "email_verified", "display_name", "roles", "membership_status", "created_at", "updated_at",
	}, members); err != nil {
		return nil, err
	}
	return people, fill(ctx, w.dao, "sessions", []string{
		"id", "member_id", "digest", "auth_time", "amr", "created_at", "idle_expires_at", "expires_at",
	}, sessions)
}

// fill writes rows by COPY.
func fill(ctx context.Context, pool *pgxpool.Pool, table string, columns []string, rows [][]any) error {
	_, err := pool.CopyFrom(ctx, pgx.Identifier{"public", table}, columns, pgx.CopyFromRows(rows))
	if err != nil {
		return fmt.Errorf("bench: fill %s: %w", table, err)
	}
	return nil
}
