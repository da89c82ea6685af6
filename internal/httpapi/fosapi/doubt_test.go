package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// I2: the other half's word is not enough. An answer to an exchange of long ago,
// played back, opens nothing; a clock that is a little behind costs nobody.
func TestI2_claimsThatAreLongOverOpenNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		over time.Duration
		want int
	}{
		"20 s over": {20 * time.Second, http.StatusOK}, "31 s over": {31 * time.Second, http.StatusUnauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			end := testkit.NewClock().Now().Add(-tc.over)
			url := peer(t, map[string]any{
				"issued_at": end.Add(-time.Minute).UnixMilli(), "expires_at": end.UnixMilli(), "auth_time": end.Add(-time.Hour).UnixMilli(),
			})
			s := testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: url, Env: fosOnly(url)})
			answer := s.Browser(t).Arrive(strings.Repeat("0e", 32))
			if answer.Status != tc.want {
				t.Fatalf("the arrival is %d %s", answer.Status, answer.Raw)
			}
			if tc.want != http.StatusOK && answer.Text("reason") != "expired" {
				t.Errorf("refused as %q", answer.Text("reason"))
			}
		})
	}
}

// Logging out ends the session of either token. A sibling subdomain can plant a
// refresh token of the attacker's (its cookie has no __Host- prefix): then the
// person's own session must not stay behind.
func TestLogoutEndsTheSessionsOfBothTokens(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	own := arrived(t, ada.Arrive(ada.MintToken()))
	mallory := s.SignIn(t, s.Member(t, "mallory@example.org"))
	planted := arrived(t, mallory.Arrive(mallory.MintToken())).Cookie("refresh_token").Value

	b := s.Browser(t)
	b.SetCookie(s.FOSURL, "access_token", own.Cookie("access_token").Value)
	b.SetCookie(s.FOSURL, "refresh_token", planted)
	if answer := b.Post(s.FOSURL+"/api/v1/auth/logout", nil, with); answer.Status != http.StatusNoContent {
		t.Fatalf("logout is %d %s", answer.Status, answer.Raw)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// An endpoint without fields takes no body, or an empty object.
func TestLogoutTakesNoBody(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := s.SignInAtFOS(t, s.User(t, "ada@example.org"))
	url := s.FOSURL + "/api/v1/auth/logout"
	wantProblem(t, b.Post(url, strings.Repeat("x", 100), with, header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, "unsupported_media_type")
	wantProblem(t, b.Post(url, `{"all":true}`, with), http.StatusBadRequest, "invalid_request")
	if answer := b.Me(); answer.Status != http.StatusOK {
		t.Fatalf("a refused logout has ended the session: %d", answer.Status)
	}
	if answer := b.Post(url, `{}`, with); answer.Status != http.StatusNoContent {
		t.Errorf("logout with {} is %d %s", answer.Status, answer.Raw)
	}
}

// I9: a founder is linked by their address only in a browser in which they have
// proved to be that founder on this half.
func TestI9_aSessionThatProvedNothingHereLinksNoFounder(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	boss := s.User(t, "boss@example.org", func(u *user.User) { u.Role = user.Founder })
	b := s.SignIn(t, s.Member(t, "boss@example.org"))
	here := s.SignInAtFOS(t, boss)
	testkit.Exec(t, s.FOS, `UPDATE sessions SET elevated = false WHERE user_id = $1`, boss.ID)
	wantProblem(t, here.Arrive(b.MintToken()), http.StatusConflict, "identity_conflict")
	testkit.Exec(t, s.FOS, `UPDATE sessions SET elevated = true WHERE user_id = $1`, boss.ID)
	arrived(t, confirms(here, asked(t, here.Arrive(b.MintToken()), "boss@example.org", "boss@example.org")))
}
