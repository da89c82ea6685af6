package rollout_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I1, I4: a DAO half whose database is of an hour ago has forgotten who left, which tokens
// were used, and which sessions came of it. The document's steps see to it that nobody is
// signed in because of that.
func TestI1_I4_ARestoredDAOHalfHonoursNothingThatHadEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t, environ{"HANDOFF_UNBOUND": "confirm"})
	asked := s.SignIn(t, s.Member(t, "asked@example.org"))
	gone, held, lost := s.SignIn(t, s.Member(t, "gone@example.org")), s.SignIn(t, s.Member(t, "held@example.org")), s.SignIn(t, s.Member(t, "lost@example.org"))
	token, peer := held.MintToken(), s.Browser(t)
	s.backUp(t, "dao")

	cookie := gone.Cookie(s.DAOURL, daoSession) // and somebody has a copy of it
	s.leavesDAO(t, gone)
	wantStatus(t, "the token's first use", peer.Exchange(token), http.StatusOK)
	wantStatus(t, "an arrival", says(lost, yesTo(lost.Arrive(lost.MintToken()))), http.StatusOK)
	question := yesTo(asked.Arrive(asked.MintToken()))
	local := s.SignInAtFOS(t, s.User(t, "local@example.org"))

	putBack := s.keep(t)
	t.Run("the attack", func(t *testing.T) {
		dao := s.half["dao"]
		s.stop(t, dao)
		s.restore(t, dao)
		s.start(t, dao)
		s.wantDAO(t, "a copy of a cookie whose owner had left", s.withCookie(t, cookie), true)
		wantStatus(t, "a token that was used", s.Browser(t).Exchange(token), http.StatusOK)
		s.leavesDAO(t, lost)
		s.untilTold(t, "dao")
		wantStatus(t, "FOS session of who has just left", lost.Me(), http.StatusOK)
	})
	putBack()

	before := countEnded(t, s.FOS)
	s.followRestore(t, "### When the DAO half's Postgres was lost")
	s.wantDAO(t, "a copy of a cookie whose owner had left", s.withCookie(t, cookie), false)
	if again := s.Browser(t).Exchange(token); again.Status != http.StatusBadRequest {
		t.Errorf("a token that was used: %d %s", again.Status, again.Raw)
	}
	s.wantDAO(t, "who was signed in then", held, false)
	wantStatus(t, "a FOS session that no sign-out would reach", lost.Me(), http.StatusUnauthorized)
	wantStatus(t, "a question that was open", says(asked, question), http.StatusUnauthorized)
	wantStatus(t, "who signed in at the FOS half", local.Me(), http.StatusOK)

	wantRows(t, s.DAO, "database.restored", "", 1)
	wantRows(t, s.DAO, "session.ended", "restored", 4)
	if n := countEnded(t, s.FOS); n != before+1 {
		t.Errorf("%d FOS sessions ended for it, not 1", n-before)
	}
	wantRows(t, s.FOS, "session.ended", "restored", 1)
	s.wantAtWork(t)
}

// leavesDAO signs out of the DAO half.
func (s *site) leavesDAO(t testing.TB, b *testkit.Browser) {
	t.Helper()
	left := b.Post(s.DAOURL+"/api/auth/logout", nil, testkit.Header{Name: "X-CSRF-Token", Value: b.CSRF})
	wantStatus(t, "signing out", left, http.StatusOK)
}

// withCookie is a browser with a copy of a DAO session's cookie.
func (s *site) withCookie(t testing.TB, cookie string) *testkit.Browser {
	t.Helper()
	thief := s.Browser(t)
	thief.SetCookie(s.DAOURL, daoSession, cookie)
	return thief
}

func (s *site) wantDAO(t testing.TB, who string, b *testkit.Browser, signedIn bool) {
	t.Helper()
	if answer := b.Get(s.DAOURL + "/api/auth/session"); answer.Body["authenticated"] != signedIn {
		t.Errorf("%s: %d %s, want signed in: %v", who, answer.Status, answer.Raw, signedIn)
	}
}

func wantStatus(t testing.TB, what string, answer testkit.Answer, status int) {
	t.Helper()
	if answer.Status != status {
		t.Errorf("%s: %d %s, want %d", what, answer.Status, answer.Raw, status)
	}
}

// yesTo is the answer yes to the question that an arrival has come to.
func yesTo(asked testkit.Answer) map[string]any {
	return map[string]any{"handoff_id": asked.Text("handoff_id")}
}

func says(b *testkit.Browser, yes map[string]any) testkit.Answer {
	return b.FOSPost("cross-domain/confirm", yes)
}

func wantRows(t testing.TB, pool *pgxpool.Pool, event, reason string, want int) {
	t.Helper()
	n := testkit.Count(t, pool, `SELECT count(*) FROM audit_log WHERE event = $1 AND coalesce(reason, '') = $2 AND outcome = 'success'`, event, reason)
	if n != want {
		t.Errorf("%d rows %s %s, not %d", n, event, reason, want)
	}
}

func countEnded(t testing.TB, pool *pgxpool.Pool) int {
	t.Helper()
	return testkit.Count(t, pool, `SELECT count(*) FROM sessions WHERE ended_at IS NOT NULL`)
}

// wantAtWork demands that people hand off as ever, and that what has ended was told.
func (s *site) wantAtWork(t testing.TB) {
	t.Helper()
	fresh := s.SignIn(t, s.Member(t, uuid.NewString()+"@example.org"))
	wantStatus(t, "a hand-off afterwards", says(fresh, yesTo(fresh.Arrive(fresh.MintToken()))), http.StatusOK)
	wantStatus(t, "who has arrived", fresh.Me(), http.StatusOK)
	s.leavesDAO(t, fresh)
	s.untilTold(t, "dao")
	s.untilTold(t, "fos")
	wantStatus(t, "who has left", fresh.Me(), http.StatusUnauthorized)
}
