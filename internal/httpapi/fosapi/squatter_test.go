package fosapi_test

import (
	"maps"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// An account that is linked to a member of the DAO half has somebody whom it belongs to,
// proven or not: nobody gets it by its address alone (ADR 18).

// talker is a DAO half that is not ours, and says what it is told to.
type talker struct {
	said atomic.Pointer[map[string]any]
}

// says is what is answered from now on: a new hand-off of this member.
func (p *talker) says(change map[string]any) {
	said := map[string]any{"handoff_id": uuid.Must(uuid.NewV7()).String()}
	maps.Copy(said, change)
	p.said.Store(&said)
}

// squat has the stranger arrive with Ada's address from a DAO half that does not verify
// addresses: an unproven account is theirs.
func squat(t testing.TB) (s *testkit.Service, p *talker, stranger *testkit.Browser, account string) {
	t.Helper()
	p = &talker{}
	s = testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: peerThatSays(t, func() map[string]any { return *p.said.Load() })})
	p.says(map[string]any{"user_id": stranger1, "display_name": "Mallory", "email_verified": false})
	stranger = s.Browser(t)
	answer := arrived(t, stranger.Arrive(strings.Repeat("0a", 32)))
	return s, p, stranger, userID(answer)
}

const (
	stranger1 = "11111111-5c35-4f0e-9d0f-1c1a3b5d7e90"
	adaThere  = "22222222-5c35-4f0e-9d0f-1c1a3b5d7e90"
)

// The non-verifying provider is the DAO half itself. Ada arrives, proven, and finds her
// address taken: she gets nothing of the stranger's, nor they of hers, whoever they are.
// That she is kept out is what an operator can mend, in one statement that takes nothing
// from anybody but the address which nobody has proven.
func TestPreHijacking_nonVerifyingIdP_aLinkedAccountIsNotReclaimed(t *testing.T) {
	t.Parallel()
	s, p, stranger, account := squat(t)
	before := testkit.Dump(t, s.FOS, "audit_log")
	for range 2 {
		p.says(map[string]any{"user_id": adaThere})
		wantProblem(t, s.Browser(t).Arrive(strings.Repeat("0b", 32)), http.StatusConflict, "identity_conflict")
	}
	if diff := cmp.Diff(before, testkit.Dump(t, s.FOS, "audit_log")); diff != "" {
		t.Errorf("something has changed:\n%s", diff)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND reason = 'identity_conflict' AND actor_id = $1`, account); n != 2 {
		t.Errorf("%d rows lead to the account that is in the way", n)
	}

	testkit.Exec(t, s.FOS, release(t, account))
	p.says(map[string]any{"user_id": adaThere})
	ada := s.Browser(t)
	answer := arrived(t, ada.Arrive(strings.Repeat("0c", 32)))
	who, _ := answer.Body["user"].(map[string]any)
	if userID(answer) == account || who["email"] != "ada@example.org" || who["email_verified"] != true {
		t.Errorf("she arrived as %v", who)
	}
	me := stranger.Me()
	if who, _ := me.Body["user"].(map[string]any); userID(me) != account || who["email"] != account+"@unproven.invalid" || who["display_name"] != "Mallory" {
		t.Errorf("the stranger is %v", who)
	}
	p.says(map[string]any{"user_id": stranger1, "email_verified": false})
	if again := arrived(t, s.Browser(t).Arrive(strings.Repeat("0d", 32))); userID(again) != account {
		t.Errorf("the stranger arrives as %s, and had %s", userID(again), account)
	}
}

// The statement is for unproven accounts of members. It takes a proven address from
// nobody, and none from a founder.
func TestReleasingAnAddressTakesItFromNobodyWhoProvedIt(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, u := range []user.User{s.User(t, "ada@example.org"), s.User(t, "founder@example.org", unproven, role(user.Founder))} {
		before := testkit.Dump(t, s.FOS)
		testkit.Exec(t, s.FOS, release(t, u.ID.String()))
		if diff := cmp.Diff(before, testkit.Dump(t, s.FOS)); diff != "" {
			t.Errorf("%s:\n%s", u.Role, diff)
		}
	}
}

// release is the statement of docs/operations.md, for one account.
func release(t testing.TB, account string) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "    WITH released AS (")
	statement, _, ended := strings.Cut(rest, ";")
	if !found || !ended || strings.Count(statement, "'…'") != 1 {
		t.Fatal("docs/operations.md has no such statement any more")
	}
	return "WITH released AS (" + strings.Replace(statement, "'…'", "'"+account+"'", 1)
}
