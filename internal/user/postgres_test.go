package user_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

func TestI9_aStrangerBecomesAMemberAndIsKnownTheNextTime(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	a := ada(t)
	a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai")

	first := w.arrives(a)
	u := first.User
	if first.Action != user.Created || !first.PrincipalAdded {
		t.Errorf("the first arrival is %+v", first)
	}
	if u.Email.Reveal() != "Ada@Example.org" || !u.EmailVerified || *u.DisplayName != "Ada" ||
		u.Role != user.Member || u.Status != user.Active || !u.CreatedAt.Equal(noon) || u.CreatedAt.Location() != noon.Location() {
		t.Errorf("the new user is %+v", u)
	}
	if w.count("users WHERE password_hash IS NULL AND email_canonical = 'ada@example.org'") != 1 {
		t.Error("the new user has a password, or no canonical email")
	}

	// On the DAO side the address and the name change, and a second principal comes.
	a.Email, a.DisplayName, a.Principal = email(t, "countess@example.org"), ptr("Countess"), ptr("bbbbb-bb")
	second := w.arrives(a)
	if second.Action != user.Entered || !second.PrincipalAdded || second.User.ID != u.ID {
		t.Errorf("the second arrival is %+v", second)
	}
	if second.User.Email.Reveal() != "Ada@Example.org" || *second.User.DisplayName != "Ada" {
		t.Errorf("an arrival overwrote what the user has: %+v", second.User)
	}

	// Without a principal nothing is removed.
	a.Principal = nil
	if third := w.arrives(a); third.Action != user.Entered || third.PrincipalAdded {
		t.Errorf("the third arrival is %+v", third)
	}
	if w.count("users") != 1 || w.count("identity_link") != 1 || w.count("ic_identity_link") != 2 {
		t.Errorf("the database holds\n%s", w.dump())
	}
}

func TestI9_anExistingUserIsLinkedAndStaysWhoTheyAre(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		has     account
		prepare func(w world, id uuid.UUID, a *user.Arrival)
		added   bool // the principal
	}{
		"by principal": {
			account{email: "old@example.org", role: user.Admin},
			func(w world, id uuid.UUID, a *user.Arrival) {
				a.Principal, a.EmailVerified = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai"), false
				w.principal(id, "rrkah-fqaaa-aaaaa-aaaaq-cai")
			}, false,
		},
		"by email, in another case": {
			account{email: "aDA@example.ORG"},
			func(_ world, _ uuid.UUID, a *user.Arrival) { a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai") }, true,
		},
		"by email, a founder who is signed in": {
			account{email: "ada@example.org", role: user.Founder},
			func(_ world, id uuid.UUID, a *user.Arrival) { a.SignedInAs = id }, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{t, testkit.Database(t, datastore.FOS)}
			id, a := w.has(tc.has), ada(t)
			tc.prepare(w, id, &a)

			r := w.arrives(a)
			if r.Action != user.Linked || r.User.ID != id || r.PrincipalAdded != tc.added {
				t.Errorf("the arrival is %+v", r)
			}
			if w.count(`users WHERE email = $1 AND role = $2 AND display_name = 'Old Name' AND email_verified`,
				tc.has.email, string(r.User.Role)) != 1 || (tc.has.role != "" && r.User.Role != tc.has.role) {
				t.Errorf("linking changed the user:\n%s", w.dump())
			}
			if again := w.arrives(a); again.Action != user.Entered || again.User.ID != id {
				t.Errorf("the next arrival is %+v", again)
			}
		})
	}
}

// Each kind of refusal, once, on the real database: nothing changes.
func TestI9_aRefusedArrivalChangesNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		want    error
		has     account
		prepare func(w world, id uuid.UUID, a *user.Arrival)
	}{
		"suspended": {
			user.ErrInactive, account{email: "ada@example.org", status: user.Suspended, unproven: true}, nil,
		},
		"linked and pending": {
			user.ErrInactive, account{email: "ada@example.org", status: user.Pending},
			func(w world, id uuid.UUID, a *user.Arrival) { w.linked(id, a.Subject) },
		},
		"linked, with the principal of a suspended user": {
			user.ErrInactive, account{email: "old@example.org", status: user.Suspended},
			func(w world, id uuid.UUID, a *user.Arrival) {
				a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai")
				w.principal(id, "rrkah-fqaaa-aaaaa-aaaaq-cai")
				w.linked(w.has(account{email: "ada@example.org"}), a.Subject)
			},
		},
		"linked, with the principal of another user": {
			user.ErrConflict, account{email: "old@example.org"},
			func(w world, id uuid.UUID, a *user.Arrival) {
				a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai")
				w.principal(id, "rrkah-fqaaa-aaaaa-aaaaq-cai")
				w.linked(w.has(account{email: "ada@example.org"}), a.Subject)
			},
		},
		"the principal's user is linked to another subject": {
			user.ErrConflict, account{email: "old@example.org"},
			func(w world, id uuid.UUID, a *user.Arrival) {
				a.Principal = ptr("rrkah-fqaaa-aaaaa-aaaaq-cai")
				w.principal(id, "rrkah-fqaaa-aaaaa-aaaaq-cai")
				w.linked(id, uuid.New())
			},
		},
		"the address' user is linked to another subject": {
			user.ErrConflict, account{email: "ada@example.org", unproven: true},
			func(w world, id uuid.UUID, _ *user.Arrival) { w.linked(id, uuid.New()) },
		},
		"an address that the DAO half has not verified": {
			user.ErrConflict, account{email: "ada@example.org", unproven: true},
			func(_ world, _ uuid.UUID, a *user.Arrival) { a.EmailVerified = false },
		},
		"an admin's address, signed in as somebody else": {
			user.ErrConflict, account{email: "ada@example.org", role: user.Admin, unproven: true},
			func(w world, _ uuid.UUID, a *user.Arrival) { a.SignedInAs = w.has(account{email: "old@example.org"}) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{t, testkit.Database(t, datastore.FOS)}
			id, a := w.has(tc.has), ada(t)
			if tc.prepare != nil {
				tc.prepare(w, id, &a)
			}
			before := w.dump()
			_, err := w.arrive(a)
			var refused *user.Refused
			if !errors.Is(err, tc.want) || !errors.As(err, &refused) || refused.UserID == uuid.Nil {
				t.Errorf("the arrival ends in %v, want %v", err, tc.want)
			}
			if after := w.dump(); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
		})
	}
}

// KELVIN SIGN folds to k in Unicode: the taker of this address is not its owner.
func TestI9_anAddressThatUnicodeWouldFoldIsAnother(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	kim := w.has(account{email: "kim@example.org"})
	a := ada(t)
	a.Email = email(t, "\u212Aim@example.org")
	if r := w.arrives(a); r.Action != user.Created || r.User.ID == kim {
		t.Errorf("the arrival is %+v", r)
	}
}

// An arrival without subject or address would be everybody's who has none.
func TestI9_anArrivalWithoutSubjectOrAddressIsNobody(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	for _, a := range []user.Arrival{
		{Email: email(t, "ada@example.org"), EmailVerified: true},
		{Subject: uuid.New(), EmailVerified: true},
	} {
		if _, err := w.resolve(a); !errors.Is(err, user.ErrArrival) {
			t.Errorf("Resolve(%+v) = %v", a, err)
		}
	}
}

func TestADatabaseThatIsAwayIsAnOutage(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	tx, err := w.db.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Conn().Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, err = user.Resolve(context.Background(), tx, ada(t), user.Moment{Now: noon, NewID: uuid.New()})
	if down := (*outage.Error)(nil); !errors.As(err, &down) {
		t.Errorf("Resolve on a closed connection = %v", err)
	}
	// The connection is gone; this only gives its place in the pool back.
	if err := tx.Rollback(context.Background()); err == nil {
		t.Error("a closed connection rolled back")
	}
}
