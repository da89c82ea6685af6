package fosapi_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// refuseCommit lets every statement on sessions pass and their transaction fail at its
// end, as a full disk or a server that is shut down would.
const refuseCommit = `
	CREATE FUNCTION no_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no commit' USING ERRCODE = 'disk_full'; END $$;
	CREATE CONSTRAINT TRIGGER no_commit AFTER INSERT OR UPDATE ON sessions DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION no_commit()`

// I4: no credential leaves before its row is committed, and nothing is recorded that
// did not happen, by whichever statements somebody arrives. The token is good for the same
// browser once Postgres commits again.
func TestI4_anArrivalWhoseCommitIsRefusedIsNone(t *testing.T) {
	t.Parallel()
	for name, past := range map[string]func(*testkit.Service, *testkit.Browser){
		"somebody new": func(*testkit.Service, *testkit.Browser) {},
		"somebody known": func(s *testkit.Service, ada *testkit.Browser) {
			arrived(t, s.Browser(t).Arrive(ada.Mint(nil).Text("token")))
		},
		"whoever reclaims an account": func(s *testkit.Service, _ *testkit.Browser) {
			s.User(t, "ada@example.org", func(u *user.User) { u.EmailVerified = false })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			ada, b := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
			past(s, ada)
			minted := ada.Mint(nil)
			before := testkit.Dump(t, s.FOS)
			testkit.Exec(t, s.FOS, refuseCommit)
			wantProblem(t, b.Arrive(minted.Text("token"), key(firstKey)), 503, "dependency_unavailable")
			if diff := cmp.Diff(before, testkit.Dump(t, s.FOS)); diff != "" {
				t.Errorf("something is left:\n%s", diff)
			}
			testkit.Exec(t, s.FOS, `DROP TRIGGER no_commit ON sessions`)
			arrived(t, b.Arrive(minted.Text("token"), key(firstKey)))
		})
	}
}
