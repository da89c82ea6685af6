package fosapi_test

import (
	"net/http"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// later demands that this hand-off, and no other, is to be looked at in so many seconds,
// and lets that time pass.
func later(t testing.TB, s *testkit.Service, id string, seconds int) {
	t.Helper()
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings WHERE handoff_id = $1 AND attempts = 0 AND queued_at = next_try_at
		AND extract(epoch FROM next_try_at - clock_timestamp()) BETWEEN $2::int - 20 AND $2`, id, seconds); n != 1 {
		t.Errorf("the hand-off is not looked at in %d seconds", seconds)
	}
	testkit.Exec(t, s.FOS, `UPDATE handoff_endings SET queued_at = clock_timestamp(), next_try_at = clock_timestamp()`)
}

func over(t testing.TB, s *testkit.Service, id string) bool {
	t.Helper()
	return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND ended_as = 'target_ended'`, id) == 1
}

// A hand-off that was redeemed and opens no session, since nobody says yes, or nobody is
// let in, is over for its member too: nothing piles up that shutting them out would have to
// end.
func TestWhatOpensNoSessionIsOverForItsMember(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		dao := s.SignIn(t, s.Member(t, "ada@example.org"))
		b := s.Browser(t)
		unanswered := asked(t, b.Arrive(dao.MintToken()), "ada@example.org", "")
		later(t, s, unanswered, 180)
		soon(t, "nobody says yes", func() bool { return over(t, s, unanswered) })

		s.User(t, "eve@example.org", role(user.Founder))
		eve := s.SignIn(t, s.Member(t, "eve@example.org"))
		refused := s.Browser(t).Arrive(eve.MintToken())
		wantProblem(t, refused, http.StatusConflict, "identity_conflict")
		later(t, s, refused.Text("handoff_id"), 60)
		soon(t, "nobody is let in", func() bool { return over(t, s, refused.Text("handoff_id")) })
	})
}

// Who says yes is in, and their hand-off goes on; and when they leave, that is told at once
// and does not wait for the look.
func TestWhatOpensASessionLaterIsNotOver(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		dao := s.SignIn(t, s.Member(t, "ada@example.org"))
		b, stays := s.Browser(t), s.Browser(t)
		id := asked(t, b.Arrive(dao.MintToken()), "ada@example.org", "")
		arrived(t, confirms(b, id))
		wantGone(t, b.FOSPost("logout", nil))
		soon(t, "they leave", func() bool { return over(t, s, id) })

		id = asked(t, stays.Arrive(dao.MintToken()), "ada@example.org", "")
		arrived(t, confirms(stays, id))
		later(t, s, id, 180)
		soon(t, "the look", func() bool { return testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings`) == 0 })
		if over(t, s, id) {
			t.Error("a hand-off that lives here is over there")
		}
		leave(t, s, dao)
		soon(t, "they leave over there", func() bool { return stays.Me().Code() == "session_revoked" })
	})
}

// Who is turned away, proves who they are, and shows the token again within its ten
// seconds is asked; the look waits for the answer, and the hand-off stays tied to its source.
func TestALookWaitsForTheLastQuestion(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		boss := s.User(t, "boss@example.org", role(user.Founder))
		dao := s.SignIn(t, s.Member(t, "boss@example.org"))
		token := dao.MintToken()
		wantProblem(t, s.Browser(t).Arrive(token, key(firstKey)), http.StatusConflict, "identity_conflict")
		here := s.SignInAtFOS(t, boss)
		id := asked(t, here.Arrive(token, key(firstKey)), "boss@example.org", "boss@example.org")
		later(t, s, id, 180)
		arrived(t, confirms(here, id))
		soon(t, "the look", func() bool { return testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings`) == 0 })
		leave(t, s, dao)
		soon(t, "they leave over there", func() bool { return here.Me().Code() == "session_revoked" })
	})
}

// A token in two browsers before it opened anything opens nothing.
func TestWhatAReplayBarsIsOverForItsMember(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_UNBOUND": "confirm"}})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := dao.MintToken()
	id := asked(t, s.Browser(t).Arrive(token, key(firstKey)), "ada@example.org", "")
	testkit.Exec(t, s.FOS, `DELETE FROM handoff_endings`)
	wantInvalid(t, s.Browser(t).Arrive(token, key(secondKey)), "used", id)
	later(t, s, id, 60)
	soon(t, "nobody is let in", func() bool { return over(t, s, id) })
}
