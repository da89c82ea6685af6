package rollout_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I8, I11: a FOS half whose database is of an hour ago takes a copied refresh token for the
// owner's, who is the thief then, and has forgotten who left and which hand-offs are over.
// The document's steps see to it that nobody is signed in because of that.
func TestI8_I11_ARestoredFOSHalfHonoursNothingThatHadEnded(t *testing.T) {
	t.Parallel()
	s := newSite(t, environ{"HANDOFF_UNBOUND": "confirm"})
	gone, robbed := s.atFOS(t, "gone@example.org"), s.atFOS(t, "robbed@example.org")
	asked := s.SignIn(t, s.Member(t, "asked@example.org"))
	question := yesTo(asked.Arrive(asked.MintToken()))
	reset := s.User(t, "reset@example.org")
	testkit.Exec(t, s.FOS, `INSERT INTO password_reset (digest, user_id, expires_at) VALUES (sha256('reset'), $1, $2)`, reset.ID, s.Clock.Now().Add(day))
	testkit.Exec(t, s.FOS, `INSERT INTO email_verification (digest, user_id, email, expires_at) VALUES (sha256('proof'), $1, 'reset@example.org', $2)`, reset.ID, s.Clock.Now().Add(day))
	s.backUp(t, "fos")

	copyOfGone, copyOfRobbed := s.copied(t, gone), s.copied(t, robbed)
	later := map[string]*testkit.Browser{"a copy of a session whose owner had left": s.copied(t, gone), "a copy of a replaced refresh token": s.copied(t, robbed)}
	wantStatus(t, "signing out", gone.FOSPost("logout", nil), http.StatusNoContent)
	for range 2 {
		s.Clock.Advance(day / 2)
		wantStatus(t, "refreshing", robbed.FOSPost("refresh", nil), http.StatusOK)
		wantStatus(t, "who has refreshed", robbed.Me(), http.StatusOK)
	}
	s.Clock.Advance(-day)    // the question is still open
	askedToo := s.Browser(t) // the same page, since the attack answers the question
	askedToo.SetCookie(s.FOSURL, "handoff_pending", asked.Cookie(s.FOSURL, "handoff_pending"))
	s.leavesDAO(t, asked)
	s.untilTold(t, "dao")
	testkit.Exec(t, s.FOS, `DELETE FROM password_reset`) // it was used
	testkit.Exec(t, s.FOS, `DELETE FROM email_verification`)
	later["its owner"] = s.copied(t, robbed)

	putBack := s.keep(t)
	t.Run("the attack", func(t *testing.T) {
		wantStatus(t, "the question before, whose source has ended", says(asked, question), http.StatusUnauthorized)
		fos := s.half["fos"]
		s.stop(t, fos)
		s.restore(t, fos)
		s.start(t, fos)
		wantStatus(t, "a copy of an access token whose owner had left", copyOfGone.Me(), http.StatusOK)
		wantStatus(t, "a copy of a session whose owner had left", copyOfGone.FOSPost("refresh", nil), http.StatusOK)
		wantStatus(t, "a copy of a refresh token that had been replaced", copyOfRobbed.FOSPost("refresh", nil), http.StatusOK)
		wantStatus(t, "its owner", robbed.FOSPost("refresh", nil), http.StatusUnauthorized)
		wantStatus(t, "a question whose source has ended", says(asked, question), http.StatusOK)
		if n := s.resets(t); n != 2 {
			t.Errorf("%d links that were used are back, not 2", n)
		}
	})
	putBack()

	s.followRestore(t, "### When the FOS half's Postgres was lost")
	for what, b := range later {
		wantStatus(t, what, b.Me(), http.StatusUnauthorized)
		wantStatus(t, what, b.FOSPost("refresh", nil), http.StatusUnauthorized)
	}
	wantStatus(t, "a question whose source has ended", says(askedToo, question), http.StatusUnauthorized)
	if n := s.resets(t); n != 0 {
		t.Errorf("%d links that were used are back", n)
	}
	wantRows(t, s.FOS, "database.restored", "", 1)
	wantRows(t, s.FOS, "session.ended", "restored", 2)
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.reuse_detected'`); n != 0 {
		t.Error("an owner was taken for a thief")
	}
	s.wantAtWork(t)
}

// atFOS signs a new user in at the FOS half by password, with both cookies.
func (s *site) atFOS(t testing.TB, email string) *testkit.Browser {
	t.Helper()
	s.UserWithPassword(t, email)
	b := s.Browser(t)
	wantStatus(t, "signing in", b.FOSLogin(email, testkit.Password, testkit.Header{Name: "Idempotency-Key", Value: uuid.NewString()}), http.StatusOK)
	return b
}

// copied is a browser with the FOS cookies that b has now.
func (s *site) copied(t testing.TB, b *testkit.Browser) *testkit.Browser {
	t.Helper()
	thief, url := s.Browser(t), s.FOSURL+"/api/v1/auth/refresh"
	for name, path := range map[string]string{"access_token": "/", "refresh_token": "/api/v1/auth"} {
		thief.Plant(url, &http.Cookie{Name: name, Value: b.Cookie(url, name), Path: path})
	}
	return thief
}

// resets are the links that somebody could follow.
func (s *site) resets(t testing.TB) int {
	t.Helper()
	return testkit.Count(t, s.FOS, `SELECT (SELECT count(*) FROM password_reset) + (SELECT count(*) FROM email_verification)`)
}
