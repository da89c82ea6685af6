package fosapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// What changes at the DAO half after somebody has been here: their address, their
// principal, and who has their id.

// An address changes hands over there. Whoever is linked stays who they are, under the
// address that they have here; and who has it now does not get their account with it,
// whether or not it was ever proven here (an account that an older DAO half's answers
// made was not).
func TestEmailChange_aLinkedUserKeepsAddressAndAccount(t *testing.T) {
	t.Parallel()
	for name, proven := range map[string]bool{"a proven account": true, "one that was never proven": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			ada := s.Member(t, "ada@example.org")
			dao := s.SignIn(t, ada)
			_, first := arrives(t, s, dao)
			testkit.Exec(t, s.FOS, `UPDATE users SET email_verified = $1`, proven)

			testkit.Exec(t, s.DAO, `UPDATE members SET email = 'countess@example.org', email_canonical = 'countess@example.org' WHERE id = $1`, ada.ID)
			b, again := arrives(t, s, dao)
			who, _ := again.Body["user"].(map[string]any)
			if userID(again) != userID(first) || who["email"] != "ada@example.org" {
				t.Errorf("she arrives as %v", who)
			}

			before := testkit.Dump(t, s.FOS, "audit_log")
			successor := s.SignIn(t, s.Member(t, "ada@example.org"))
			wantProblem(t, s.Browser(t).Arrive(successor.MintToken()), http.StatusConflict, "identity_conflict")
			if diff := cmp.Diff(before, testkit.Dump(t, s.FOS, "audit_log")); diff != "" {
				t.Errorf("something has changed:\n%s", diff)
			}
			if me := b.Me(); userID(me) != userID(first) {
				t.Errorf("she is %d %s", me.Status, me.Raw)
			}
		})
	}
}

// Her new address over there is somebody else's here: her link says who she is, and
// nobody's account is touched for it.
func TestEmailChange_toAnAddressThatIsSomebodyElsesHere(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.Member(t, "ada@example.org")
	dao := s.SignIn(t, ada)
	_, first := arrives(t, s, dao)
	s.User(t, "bob@example.org", role(user.Founder))
	testkit.Exec(t, s.DAO, `UPDATE members SET email = 'bob@example.org', email_canonical = 'bob@example.org' WHERE id = $1`, ada.ID)
	if _, again := arrives(t, s, dao); userID(again) != userID(first) {
		t.Errorf("she arrives as %s", userID(again))
	}
}

// A member is deleted, and somebody else signs up under the address: they have another
// id, and that is what counts. What the one before had in hand is good for nothing.
func TestSubjectReuse_aDeletedMembersSuccessorIsSomebodyElse(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.Member(t, "ada@example.org")
	dao := s.SignIn(t, ada)
	arrives(t, s, dao)
	unused := dao.MintToken()
	testkit.Exec(t, s.DAO, `DELETE FROM members WHERE id = $1`, ada.ID)
	if answer := s.Browser(t).Arrive(unused); answer.Code() != "handoff_invalid" {
		t.Errorf("a token of a member who is gone: %d %s", answer.Status, answer.Raw)
	}
	successor := s.Member(t, "ada@example.org")
	if successor.ID == ada.ID {
		t.Fatal("the DAO half has given an id again")
	}
	wantProblem(t, s.Browser(t).Arrive(s.SignIn(t, successor).MintToken()), http.StatusConflict, "identity_conflict")
}

// A DAO half that does give an id again hands the account over with it: by the link they
// are the same. What holds is what does not hang on the id: the password stays the one
// before's, a founder's powers wait for it (I10), the address and the name here are not
// theirs to change, and a principal that is somebody else's gives them away.
func TestSubjectReuse_whatHoldsWhenAnIDIsGivenAgain(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	bobs := "bobs-principal"
	arrives(t, s, s.SignIn(t, s.Member(t, "bob@example.org", func(a *member.Account) { a.Principal = &bobs })))
	ada := s.Member(t, "ada@example.org")
	founder := s.UserWithPassword(t, "ada@example.org", role(user.Founder))
	house{t, s, ada}.linkMember(founder)
	testkit.Exec(t, s.DAO, `UPDATE members SET email = 'mallory@example.org', email_canonical = 'mallory@example.org', display_name = 'Mallory' WHERE id = $1`, ada.ID)

	mallory := s.SignIn(t, ada)
	b, answer := arrives(t, s, mallory)
	who, _ := answer.Body["user"].(map[string]any)
	if userID(answer) != founder.ID.String() || who["email"] != "ada@example.org" || who["display_name"] != "Ada Lovelace" {
		t.Errorf("arrived as %v", who)
	}
	wantActing(t, s, b, "by the id", "member")
	wantProblem(t, stepUp(b, tooLong), http.StatusUnauthorized, "invalid_credentials")
	wantActing(t, s, b, "without the password", "member")

	testkit.Exec(t, s.DAO, `UPDATE members SET ic_principal = NULL`)
	testkit.Exec(t, s.DAO, `UPDATE members SET ic_principal = $2 WHERE id = $1`, ada.ID, bobs)
	wantProblem(t, s.Browser(t).Arrive(mallory.MintToken()), http.StatusConflict, "identity_conflict")
}

// Principals are added, and never taken from anybody: one that is another user's is a
// conflict, whoever was first, and having none any more removes none.
func TestPrincipalConflict_aPrincipalStaysWithWhomItIs(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	says := func(who member.Member, principal any) {
		testkit.Exec(t, s.DAO, `UPDATE members SET ic_principal = $2 WHERE id = $1`, who.ID, principal)
	}
	ada, bob := s.Member(t, "ada@example.org"), s.Member(t, "bob@example.org")
	adaThere, bobThere := s.SignIn(t, ada), s.SignIn(t, bob)
	says(ada, "adas-first")
	_, asAda := arrives(t, s, adaThere)
	says(ada, "adas-second")
	arrives(t, s, adaThere)
	says(ada, nil)
	arrives(t, s, adaThere)
	_, asBob := arrives(t, s, bobThere)

	before := testkit.Dump(t, s.FOS, "audit_log")
	for _, hers := range []string{"adas-first", "adas-second"} {
		says(bob, hers)
		wantProblem(t, s.Browser(t).Arrive(bobThere.MintToken()), http.StatusConflict, "identity_conflict")
	}
	if diff := cmp.Diff(before, testkit.Dump(t, s.FOS, "audit_log")); diff != "" {
		t.Errorf("something has changed:\n%s", diff)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM ic_identity_link WHERE user_id = $1`, userID(asAda)); n != 2 {
		t.Errorf("she has %d principals", n)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE reason = 'identity_conflict' AND actor_id = $1`, userID(asBob)); n != 2 {
		t.Errorf("%d rows record it", n)
	}
	// Somebody new who brings hers is her, as far as anybody can tell (row 2), and she is
	// linked already.
	eve := s.Member(t, "eve@example.org")
	says(bob, nil)
	says(eve, "adas-first")
	wantProblem(t, s.Browser(t).Arrive(s.SignIn(t, eve).MintToken()), http.StatusConflict, "identity_conflict")
	if strings.Contains(testkit.Dump(t, s.FOS, "audit_log"), "eve@example.org") {
		t.Error("she is somebody here now")
	}
}
