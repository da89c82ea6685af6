package fosapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// two are a founder's two browsers; id is the session of the first.
type two struct {
	s          *testkit.Service
	one, other *testkit.Browser
	id         string
}

// ways to end the one session from elsewhere.
var ways = map[string]func(t testing.TB, b two){
	"from the list": func(t testing.TB, b two) {
		t.Helper()
		if answer := endSession(b.other, b.s, b.id); answer.Status != http.StatusNoContent {
			t.Fatalf("%d %s", answer.Status, answer.Raw)
		}
	},
	"everywhere": func(t testing.TB, b two) {
		t.Helper()
		wantGone(t, b.other.FOSPost("logout-all", nil))
	},
	"for theft": func(t testing.TB, b two) {
		t.Helper()
		testkit.Exec(t, b.s.FOS, `UPDATE sessions SET generation = 3, generation_used = true WHERE id = $1`, b.id)
		_, claims := read(t, b.s, b.one.Cookie(b.s.FOSURL, "access_token"))
		claims["type"], claims["gen"] = "refresh", 1
		stolen := resign(t, claims, "aud", "founderyos-refresh")
		wantProblem(t, refreshSending(t, b.s, refreshToken(stolen)), http.StatusUnauthorized, "session_revoked")
	},
}

// Whatever ended it: the access token, good for another half hour by its signature, is
// refused at the next request, wherever it is shown.
func TestARevokedSessionsAccessTokenIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	for name, end := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			_, otherReplica := s.Replica(t)
			founder := s.User(t, "ada@example.org", role(user.Founder))
			b, other := s.SignInAtFOS(t, founder), s.SignInAtFOS(t, founder)
			id := sessionID(b.Me())
			if detailed := b.Get(s.FOSURL + "/health/detailed"); detailed.Status != http.StatusOK {
				t.Fatalf("before: %d %s", detailed.Status, detailed.Raw)
			}
			end(t, two{s, b, other, id})
			for _, fosURL := range []string{s.FOSURL, otherReplica} {
				auth := fosURL + "/api/v1/auth/"
				access := sending(accessToken(b.Cookie(s.FOSURL, "access_token")))
				someone := s.Browser(t)
				for _, answer := range []testkit.Answer{
					someone.Get(auth+"me", access),
					someone.Get(auth+"sessions", access),
					someone.Do(http.MethodDelete, auth+"sessions/"+id, nil, with, access),
					someone.Do(http.MethodDelete, auth+"sessions/"+uuid.NewString(), nil, with, access),
					someone.Post(auth+"logout-all", nil, with, access),
					someone.Post(auth+"step-up", map[string]any{"password": testkit.Password}, with, access),
					someone.Get(fosURL+"/health/detailed", access),
				} {
					wantProblem(t, answer, http.StatusUnauthorized, "session_revoked")
				}
			}
			// Nor is it the founder's browser any more that a hand-off arrives in (I9).
			dao := s.SignIn(t, s.Member(t, "ada@example.org"))
			wantProblem(t, b.Arrive(dao.MintToken()), http.StatusConflict, "identity_conflict")
		})
	}
}

// I10: the same founder, the same browser. By hand-off they act as a member, for as
// long as that session lasts; by password as the founder that they are.
func TestI10_aFounderIsOneByPasswordAndAMemberByHandOff(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.Member(t, "ada@example.org")
	house{t, s, ada}.linkMember(s.UserWithPassword(t, "founder@example.org", role(user.Founder)))
	dao := s.SignIn(t, ada)
	b, answer := arrives(t, s, dao)
	wantActing := func(when, role string, answer testkit.Answer) {
		t.Helper()
		_, claims := read(t, s, tokensOf(t, answer).access)
		_, refresh := read(t, s, tokensOf(t, answer).refresh)
		if claims["role"] != role || refresh["role"] != role || roleOf(b.Me()) != role {
			t.Errorf("%s: the tokens say %v and %v, me says %s; want %s", when, claims["role"], refresh["role"], roleOf(b.Me()), role)
		}
		if said, _ := claims["amr"].([]any); len(said) != 1 || said[0] != "pwd" {
			t.Errorf("%s: amr %v", when, claims["amr"])
		}
		detailed := b.Get(s.FOSURL + "/health/detailed")
		if (detailed.Status == http.StatusOK) != (role == "founder") {
			t.Errorf("%s: detailed: %d %s", when, detailed.Status, detailed.Raw)
		}
	}
	wantActing("by hand-off", "member", answer)
	_, first := read(t, s, tokensOf(t, answer).access)
	for range 2 {
		s.Clock.Advance(time.Hour)
		answer = b.FOSPost("refresh", nil)
		wantActing("by hand-off, refreshed", "member", answer)
		// Assurance does not grow: they signed in over there, and then.
		if _, claims := read(t, s, tokensOf(t, answer).access); claims["auth_time"] != first["auth_time"] {
			t.Errorf("refreshing moved auth_time from %v to %v", first["auth_time"], claims["auth_time"])
		}
	}
	answer = b.FOSLogin("founder@example.org", testkit.Password)
	if roleOf(answer) != "founder" {
		t.Errorf("by password: %d %s", answer.Status, answer.Raw)
	}
	wantActing("by password", "founder", answer)
	s.Clock.Advance(time.Hour)
	wantActing("by password, refreshed", "founder", b.FOSPost("refresh", nil))
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL AND elevated = (origin = 'password')`); n != 2 {
		t.Errorf("%d sessions are as elevated as they should be", n)
	}
}
