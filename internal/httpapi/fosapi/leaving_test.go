package fosapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// soon asks until the news has come: it travels behind the answer of whoever left. Its
// promise of five seconds is for machines that have something left; here it is whether.
func soon(t testing.TB, what string, come func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if come() {
			return
		}
	}
	t.Fatalf("%s: it never came", what)
}

// leave signs out at the DAO half.
func leave(t testing.TB, s *testkit.Service, dao *testkit.Browser) {
	t.Helper()
	answer := dao.Post(s.DAOURL+"/api/auth/logout", nil, header("X-CSRF-Token", dao.CSRF))
	if answer.Status != http.StatusOK {
		t.Fatalf("logout: %d %s", answer.Status, answer.Raw)
	}
}

// forget ends one hand-off at the DAO half.
func forget(s *testkit.Service, dao *testkit.Browser, handoffID string) testkit.Answer {
	return dao.Do(http.MethodDelete, s.DAOURL+"/api/auth/handoffs/"+handoffID, nil, header("X-CSRF-Token", dao.CSRF))
}

// tellFOS is the DAO half's message, under the service token.
func tellFOS(b *testkit.Browser, fosURL string, ids ...string) testkit.Answer {
	return b.Post(fosURL+leaving.EndPath, map[string]any{"handoff_ids": ids}, bearer)
}

var bearer = header("Authorization", "Bearer "+testkit.ServiceToken)

// signedOut waits until a browser's session is over, and demands that nothing of it works.
func signedOut(t testing.TB, s *testkit.Service, what string, b *testkit.Browser, answer testkit.Answer) {
	t.Helper()
	soon(t, what, func() bool { return b.Me().Code() == "session_revoked" })
	held := tokensOf(t, answer)
	wantProblem(t, refreshSending(t, s, refreshToken(held.refresh), accessToken(held.access)), http.StatusUnauthorized, "session_revoked")
}

// whatEnds are the ways in which the source of a hand-off ends.
var whatEnds = map[string]struct {
	end    func(t testing.TB, s *testkit.Service, dao *testkit.Browser, handoffID string)
	ledger string // what the DAO half's row says
}{
	"they sign out": {func(t testing.TB, s *testkit.Service, dao *testkit.Browser, _ string) {
		t.Helper()
		leave(t, s, dao)
	}, "session_ended"},
	"another program revokes the session": {func(t testing.TB, s *testkit.Service, _ *testkit.Browser, id string) {
		t.Helper()
		testkit.Exec(t, s.DAO, `UPDATE sessions SET ended_at = now(), ended_as = 'revoked' WHERE id = (SELECT session_id FROM handoffs WHERE handoff_id = $1)`, id)
	}, "session_ended"},
	"another program shuts the member out": {func(t testing.TB, s *testkit.Service, _ *testkit.Browser, _ string) {
		t.Helper()
		testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended' WHERE email_canonical = 'ada@example.org'`)
	}, "account_inactive"},
	"the membership is pending again": {func(t testing.TB, s *testkit.Service, _ *testkit.Browser, _ string) {
		t.Helper()
		testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'pending' WHERE email_canonical = 'ada@example.org'`)
	}, "account_inactive"},
	"they end this hand-off": {func(t testing.TB, s *testkit.Service, dao *testkit.Browser, id string) {
		t.Helper()
		if answer := forget(s, dao, id); answer.Status != http.StatusNoContent {
			t.Fatalf("%d %s", answer.Status, answer.Raw)
		}
	}, "ended_by_user"},
}

// Who leaves one site has left what came of it on the other: nothing of that session works
// any more, one row says why, and nobody else is signed out.
func TestI4_whoLeavesTheDAOHasLeftHere(t *testing.T) {
	t.Parallel()
	for name, way := range whatEnds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, s *testkit.Service) {
				ada := s.Member(t, "ada@example.org")
				dao := s.SignIn(t, ada)
				laptop, answer := arrives(t, s, dao)
				eve, _ := arrives(t, s, s.SignIn(t, s.Member(t, "eve@example.org")))
				byPassword := s.SignInAtFOS(t, s.User(t, "else@example.org"))
				id := answer.Text("handoff_id")

				way.end(t, s, dao, id)
				signedOut(t, s, "the laptop", laptop, answer)
				want := []string{"user.created success", "session.created success handoff", "session.ended success source_ended"}
				if diff := cmp.Diff(want, eventsOf(t, s, id)); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				for who, b := range map[string]*testkit.Browser{"Eve": eve, "who signed in here": byPassword} {
					if me := b.Me(); me.Status != http.StatusOK {
						t.Errorf("%s: %d %s", who, me.Status, me.Raw)
					}
				}
				soon(t, "the outbox", func() bool { return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`) == 0 })
				// What was heard is not said back.
				if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings`); n != 0 {
					t.Errorf("%d rows are to be told back", n)
				}
				if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND ended_as = $2`, id, way.ledger); n != 1 {
					t.Error("the ledger does not say so")
				}
			})
		})
	}
}

// They ended one journey, and stay signed in at the DAO half; from another one of theirs
// they stay signed in here.
func TestEndingOneHandoffEndsNoOther(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		dao := s.SignIn(t, s.Member(t, "ada@example.org"))
		laptop, onLaptop := arrives(t, s, dao)
		phone, _ := arrives(t, s, dao)
		if answer := forget(s, dao, onLaptop.Text("handoff_id")); answer.Status != http.StatusNoContent {
			t.Fatalf("%d %s", answer.Status, answer.Raw)
		}
		signedOut(t, s, "the laptop", laptop, onLaptop)
		if me := phone.Me(); me.Status != http.StatusOK {
			t.Errorf("the phone: %d %s", me.Status, me.Raw)
		}
		dao.MintToken()
	})
}

// Whatever ends a session here, the member sees it over there, once; and what the DAO half
// hears it does not tell back.
func TestI4_whoLeavesHereIsSeenToHaveLeft(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t testing.TB, s *testkit.Service, b *testkit.Browser, id string){
		"they sign out": func(t testing.TB, _ *testkit.Service, b *testkit.Browser, _ string) {
			t.Helper()
			wantGone(t, b.FOSPost("logout", nil))
		},
		"everywhere": func(t testing.TB, _ *testkit.Service, b *testkit.Browser, _ string) {
			t.Helper()
			wantGone(t, b.FOSPost("logout-all", nil))
		},
		"from the list": func(t testing.TB, s *testkit.Service, b *testkit.Browser, id string) {
			t.Helper()
			wantGone(t, endSession(b, s, id))
		},
		"for another program's reasons": func(t testing.TB, s *testkit.Service, _ *testkit.Browser, id string) {
			t.Helper()
			testkit.Exec(t, s.FOS, `UPDATE sessions SET ended_at = now(), ended_as = 'revoked' WHERE id = $1`, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, s *testkit.Service) {
				dao := s.SignIn(t, s.Member(t, "ada@example.org"))
				b, answer := arrives(t, s, dao)
				end(t, s, b, sessionID(answer))
				id := answer.Text("handoff_id")
				soon(t, "the news", func() bool {
					return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND ended_as = 'target_ended' AND ended_at = $2`, id, s.Clock.Now()) == 1
				})
				if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.ended' AND reason = 'target_ended' AND handoff_id = $1
					AND actor_id = (SELECT member_id FROM handoffs) AND entry_product = 'think-tank' AND target_domain = $2`, id, testkit.Target); n != 1 {
					t.Errorf("%d rows record it", n)
				}
				if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`); n != 0 {
					t.Errorf("%d rows are to be told back", n)
				}
				soon(t, "the outbox", func() bool { return testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings`) == 0 })
			})
		})
	}
}
