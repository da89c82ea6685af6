package seed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Seeder seeds one database.
type Seeder struct {
	pool   *pgxpool.Pool
	expect string
	now    time.Time
}

// New seeds the database behind pool, if it calls itself expect.
func New(pool *pgxpool.Pool, expect string, now time.Time) *Seeder {
	return &Seeder{pool: pool, expect: expect, now: now}
}

// ErrWrongDatabase says that the database is not the expected one.
var ErrWrongDatabase = errors.New("this is not the expected database")

// Seeded is an account that is as it was wanted.
type Seeded struct {
	ID      uuid.UUID
	Created bool // else it was there and was updated
}

// Member creates or updates a member of the DAO half.
func (s *Seeder) Member(ctx context.Context, account member.Account) (Seeded, error) {
	var seeded Seeded
	err := s.in(ctx, func(tx pgx.Tx, newID uuid.UUID) (err error) {
		seeded.ID, seeded.Created, err = member.Seed(ctx, tx, account, newID, s.now)
		if err != nil {
			return err
		}
		return s.record(ctx, tx, seeded.ID)
	})
	return seeded, err
}

// Account creates or updates a user of the FOS half: active, its email verified.
func (s *Seeder) Account(ctx context.Context, account user.Account) (Seeded, error) {
	var seeded Seeded
	err := s.in(ctx, func(tx pgx.Tx, newID uuid.UUID) error {
		who, created, err := user.Seed(ctx, tx, account, user.Moment{Now: s.now, NewID: newID})
		if err != nil {
			return err
		}
		seeded = Seeded{ID: who.ID, Created: created}
		return s.record(ctx, tx, who.ID)
	})
	return seeded, err
}

// Regression are the accounts that the platform's regression tests sign in with.
func Regression(passwordHash privacy.Secret) ([]user.Account, error) {
	var accounts []user.Account
	for _, role := range []user.Role{user.Founder, user.Admin, user.Member} {
		email, err := privacy.ParseEmail("regression-" + string(role) + "@founderyos.dev")
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, user.Account{
			Email: email, DisplayName: "Regression " + string(role), Role: role, PasswordHash: passwordHash,
		})
	}
	return accounts, nil
}

func (s *Seeder) in(ctx context.Context, do func(tx pgx.Tx, newID uuid.UUID) error) error {
	newID, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("seed: new id: %w", err)
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var name string
		if err := tx.QueryRow(ctx, "SELECT current_database()").Scan(&name); err != nil {
			return outage.Postgres(err)
		}
		if name != s.expect {
			return fmt.Errorf("%w: it is %q, expected %q; nothing was written", ErrWrongDatabase, name, s.expect)
		}
		return do(tx, newID)
	})
}

func (s *Seeder) record(ctx context.Context, tx pgx.Tx, id uuid.UUID) error {
	return audit.Append(ctx, tx, audit.Record{At: s.now, Event: audit.AccountSeeded, Outcome: audit.Success, Actor: id})
}
