package member_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var byText = cmp.Comparer(func(a, b privacy.Email) bool { return a.Reveal() == b.Reveal() })

func TestFindAccount_foldsASCIIOnly(t *testing.T) {
	t.Parallel()
	db := database(t)
	wanted := account(t, "Kim.K@Example.org")
	wanted.ID = seed(t, db, wanted)
	for _, same := range []string{"Kim.K@Example.org", "kim.k@example.org", "KIM.K@EXAMPLE.ORG"} {
		found, err := member.FindAccount(t.Context(), db, testkit.Email(t, same))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wanted.Member, found.Member, byText); diff != "" {
			t.Errorf("%s finds (-want +got):\n%s", same, diff)
		}
		if found.PasswordHash.Reveal() != wanted.PasswordHash.Reveal() {
			t.Error("the password hash is another")
		}
	}
	// Each is k, i or m to some Unicode folding or to the eye: the takeover route.
	for _, other := range []string{"\u212Aim.k@example.org", "k\u0131m.k@example.org", "kim.k@example.or\uff47", "kim.k@example.org."} {
		if _, err := member.FindAccount(t.Context(), db, testkit.Email(t, other)); !errors.Is(err, member.ErrInvalidCredentials) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func TestFindAccount_withoutAPasswordHasAnEmptyHash(t *testing.T) {
	t.Parallel()
	db := database(t)
	a := account(t, "nopassword@example.org")
	seed(t, db, a)
	if _, err := db.Exec(context.Background(), `UPDATE members SET password_hash = NULL, display_name = NULL`); err != nil {
		t.Fatal(err)
	}
	found, err := member.FindAccount(t.Context(), db, a.Email)
	if err != nil || !found.PasswordHash.IsEmpty() || found.DisplayName != nil {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestFindSession_findsItByTheCookieAlone(t *testing.T) {
	t.Parallel()
	db := database(t)
	ada := account(t, "ada@example.org")
	ada.ID = seed(t, db, ada)
	cookie, session := newCookie(t), member.NewSession(uuid.New(), ada.ID, noon)
	ended := noon.Add(time.Minute)
	session.EndedAt = &ended // found also when it is over: the caller says why
	write(t, db, session, cookie)

	found, who, err := member.FindSession(t.Context(), db, cookie, noon)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(session, found); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ada.Member, who, byText); diff != "" {
		t.Errorf("member (-want +got):\n%s", diff)
	}
	if _, _, err := member.FindSession(t.Context(), db, newCookie(t), noon); !errors.Is(err, member.ErrNoSession) {
		t.Errorf("a cookie of nobody's: %v", err)
	}
}

func TestFind_whatPostgresCannotDoIsAnOutage(t *testing.T) {
	t.Parallel()
	db := database(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, accountErr := member.FindAccount(ctx, db, testkit.Email(t, "ada@example.org"))
	_, _, sessionErr := member.FindSession(ctx, db, newCookie(t), noon)
	for name, err := range map[string]error{"account": accountErr, "session": sessionErr} {
		var down *outage.Error
		if !errors.As(err, &down) {
			t.Errorf("%s: %v, which at the edge would sign the person out or be a 500", name, err)
		}
	}
}

func TestSeed_keepsTheIDOfWhoIsThere(t *testing.T) {
	t.Parallel()
	db := database(t)
	first, created, err := member.Seed(t.Context(), db, account(t, "ada@example.org"), uuid.New(), noon)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	again := account(t, "ADA@example.org")
	again.Status = member.Suspended
	second, created, err := member.Seed(t.Context(), db, again, uuid.New(), noon.Add(time.Hour))
	if err != nil || created || second != first {
		t.Errorf("seeded again: %v (first %v), created %v, %v", second, first, created, err)
	}
	found, err := member.FindAccount(t.Context(), db, again.Email)
	if err != nil || found.Status != member.Suspended || found.Email.Reveal() != "ADA@example.org" {
		t.Errorf("%+v, %v", found, err)
	}
	if n := testkit.Count(t, db, `SELECT count(*) FROM members`); n != 1 {
		t.Errorf("%d members", n)
	}
}
