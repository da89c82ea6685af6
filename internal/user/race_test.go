package user_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// outcome is what one of many arrivals came to.
type outcome struct {
	user.Resolution
	err error
}

// together lets all arrivals go at once and waits for them.
func (w world) together(arrivals []user.Arrival) []outcome {
	outcomes := make([]outcome, len(arrivals))
	gun := make(chan struct{})
	var group sync.WaitGroup
	for i, a := range arrivals {
		group.Go(func() {
			<-gun
			outcomes[i].Resolution, outcomes[i].err = w.arrive(a)
		})
	}
	close(gun)
	group.Wait()
	return outcomes
}

func TestI9_fiftyArrivalsOfOnePersonAreOneUser(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]struct {
		do   func(w world)
		want user.Action
	}{
		"a stranger":          {func(world) {}, user.Created},
		"a proven account":    {func(w world) { w.has(account{email: "ada@example.org"}) }, user.Linked},
		"an unproven account": {func(w world) { w.has(account{email: "ada@example.org", unproven: true}) }, user.Reclaimed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{t, testkit.Database(t, datastore.FOS)}
			prepare.do(w)
			a := ada(t)
			a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai")
			arrivals := make([]user.Arrival, 50)
			for i := range arrivals {
				arrivals[i] = a
			}
			tally, ids, added := map[user.Action]int{}, map[uuid.UUID]bool{}, 0
			for _, o := range w.together(arrivals) {
				if o.err != nil {
					t.Fatal(o.err)
				}
				tally[o.Action]++
				ids[o.User.ID] = true
				if o.PrincipalAdded {
					added++
				}
			}
			if tally[prepare.want] != 1 || tally[user.Entered] != 49 || len(ids) != 1 || added != 1 {
				t.Errorf("actions %v, users %v, %d principals", tally, ids, added)
			}
			if w.count("users") != 1 || w.count("identity_link") != 1 || w.count("ic_identity_link") != 1 {
				t.Errorf("the database holds\n%s", w.dump())
			}
		})
	}
}

// Two DAO accounts show one address: one of them gets the user, and every try of
// the other is a conflict.
func TestI9_twoPersonsWithOneAddressAreNotOneUser(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	one, two := ada(t), ada(t)
	var arrivals []user.Arrival
	for range 10 {
		arrivals = append(arrivals, one, two)
	}
	entered := map[uuid.UUID]int{}
	conflicts, created := 0, 0
	for i, o := range w.together(arrivals) {
		switch {
		case errors.Is(o.err, user.ErrConflict):
			conflicts++
		case o.err != nil:
			t.Fatal(o.err)
		default:
			entered[arrivals[i].Subject]++
			if o.Action == user.Created {
				created++
			}
		}
	}
	if len(entered) != 1 || conflicts != 10 || created != 1 || w.count("users") != 1 {
		t.Errorf("entered %v, %d conflicts, %d created", entered, conflicts, created)
	}
}

// Arrivals that point at the same users from different sides, in every order: all
// of them end, and end in an answer.
func TestI9_crossedArrivalsNeitherHangNorMix(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	subjects := []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
	addresses := []string{"ada@example.org", "bob@example.org", "eve@example.org"}
	principals := []*string{nil, ptr("rrkah-fqaaa-aaaaa-aaaaq-cai"), ptr("bbbbb-bb")}
	w.has(account{email: "bob@example.org", unproven: true})
	w.principal(w.has(account{email: "old@example.org"}), "bbbbb-bb")

	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	arrivals := make([]user.Arrival, 120)
	for i := range arrivals {
		arrivals[i] = user.Arrival{
			Subject: subjects[random.IntN(len(subjects))], Email: email(t, addresses[random.IntN(len(addresses))]),
			EmailVerified: true, Principal: principals[random.IntN(len(principals))],
		}
	}
	is := map[uuid.UUID]uuid.UUID{}
	for i, o := range w.together(arrivals) {
		if errors.Is(o.err, user.ErrConflict) {
			continue
		}
		if o.err != nil {
			t.Fatal(o.err)
		}
		subject := arrivals[i].Subject
		if known, ok := is[subject]; ok && known != o.User.ID {
			t.Errorf("subject %s was user %s and %s", subject, known, o.User.ID)
		}
		is[subject] = o.User.ID
	}
	persons := map[uuid.UUID]bool{}
	for _, id := range is {
		persons[id] = true
	}
	if len(persons) != len(is) {
		t.Errorf("two subjects share a user: %v", is)
	}
}

// interrupted runs between once, before the second query: after the lock, before
// the facts.
type interrupted struct {
	pgx.Tx
	queries *int
	between func()
}

func (i interrupted) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if *i.queries++; *i.queries == 2 {
		i.between()
	}
	return i.Tx.Query(ctx, sql, args...)
}

// Who appears between the lock and the facts is not locked: begin anew rather than
// decide about somebody who may be changing.
func TestI9_aCandidateWhoIsNotLockedIsNotDecidedAbout(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	ctx := context.Background()
	err := pgx.BeginFunc(ctx, w.db, func(tx pgx.Tx) error {
		between := func() { w.has(account{email: "ada@example.org", unproven: true}) }
		_, err := user.Resolve(ctx, interrupted{tx, new(int), between}, ada(t), user.Moment{Now: noon, NewID: uuid.New()})
		return err
	})
	if !errors.Is(err, user.ErrRaced) {
		t.Errorf("Resolve = %v", err)
	}
	if r := w.arrives(ada(t)); r.Action != user.Reclaimed {
		t.Errorf("the next try is %+v", r)
	}
}
