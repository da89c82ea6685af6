package handoff

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// FOSStore holds the transaction on the FOS database that spans user, link,
// session and audit.
type FOSStore struct{ pool *pgxpool.Pool }

// NewFOSStore uses pool, which must be on the primary.
func NewFOSStore(pool *pgxpool.Pool) *FOSStore { return &FOSStore{pool} }

// Append records a refusal.
func (f *FOSStore) Append(ctx context.Context, r audit.Record) error {
	return audit.Append(ctx, f.pool, r)
}

// maxRaces bounds how often one arrival starts over because another came first.
// Each loss means that somebody else has won, so that few suffice; beyond, the
// request's deadline would be near.
const maxRaces = 10

// Arrive commits user, link, session and audit rows together, or nothing. When
// another arrival of the same person came first, it starts over and finds what
// that one wrote.
func (f *FOSStore) Arrive(ctx context.Context, a Arrival) (Arrived, error) {
	for range maxRaces {
		arrived, err := f.arrive(ctx, a)
		if !errors.Is(err, user.ErrRaced) {
			return arrived, err
		}
	}
	return Arrived{}, outage.New("postgres", user.ErrRaced)
}

func (f *FOSStore) arrive(ctx context.Context, a Arrival) (Arrived, error) {
	var arrived Arrived
	err := pgx.BeginFunc(ctx, f.pool, func(tx pgx.Tx) error {
		who, err := user.Resolve(ctx, tx, a.Person, user.Moment{Now: a.Now, NewID: a.NewUserID})
		if err != nil {
			return err
		}
		fresh := a.Session
		fresh.UserID = who.User.ID
		begun, inserted, err := session.Insert(ctx, tx, fresh)
		if err != nil {
			return err
		}
		arrived = Arrived{User: who.User, Session: begun}
		if !inserted {
			return nil // a repeat of this arrival: everything is recorded already
		}
		return record(ctx, tx, a, who)
	})
	if err != nil && !understood(err) {
		err = outage.Postgres(err)
	}
	return arrived, err
}

// understood are the errors that already say what they mean.
func understood(err error) bool {
	return errors.Is(err, user.ErrRaced) || errors.Is(err, user.ErrInactive) || errors.Is(err, user.ErrConflict) ||
		errors.Is(err, user.ErrArrival) || errors.Is(err, session.ErrHandoffUsed)
}

// record writes one row for each thing that happened.
func record(ctx context.Context, tx pgx.Tx, a Arrival, who user.Resolution) error {
	row := audit.Record{
		At: a.Now, Outcome: audit.Success, Actor: who.User.ID, HandoffID: a.Claims.HandoffID,
		EntryProduct: a.Claims.EntryProduct, Target: a.Claims.Target, Origin: a.Origin,
	}
	events := []audit.Event{}
	switch who.Action {
	case user.Created:
		events = append(events, audit.UserCreated)
	case user.Reclaimed:
		events = append(events, audit.UserReclaimed)
	case user.Linked:
		events = append(events, audit.UserLinked)
	case user.Entered:
		if who.PrincipalAdded {
			events = append(events, audit.UserLinked)
		}
	}
	for _, event := range append(events, audit.SessionCreated) {
		row.Event, row.Reason = event, audit.NoReason
		if event == audit.SessionCreated {
			row.Reason = audit.ByHandoff
		}
		if err := audit.Append(ctx, tx, row); err != nil {
			return err
		}
	}
	return nil
}
