package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// refreshSending refreshes as a browser that sends these cookies and no others.
func refreshSending(t testing.TB, s *testkit.Service, cookies ...string) testkit.Answer {
	t.Helper()
	return s.Browser(t).FOSPost("refresh", nil, sending(cookies...))
}

// I12: nothing but a refresh token of ours refreshes, and whoever shows anything else
// hears that they have to sign in.
func TestI12_whatIsNoRefreshTokenRefreshesNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	ada := tokensOf(t, answer)
	_, claims := read(t, s, ada.refresh)
	parts := strings.Split(ada.refresh, ".")
	before := testkit.Dump(t, s.FOS)
	for name, cookies := range map[string][]string{
		"no cookie":               {"other=1"},
		"the access token alone":  {accessToken(ada.access)},
		"an empty one":            {refreshToken("")},
		"garbage":                 {refreshToken("garbage")},
		"garbage, more than once": {refreshToken("garbage"), refreshToken("x.y.z")},
		"the access token":        {accessToken(ada.access), refreshToken(ada.access)},
		"without a signature":     {refreshToken(parts[0] + "." + parts[1] + ".")},
		"of another generation":   {refreshToken(parts[0] + "." + parts[1][:len(parts[1])-1] + "A." + parts[2])},
		"for another purpose":     {refreshToken(resign(t, claims, "type", "access"))},
		"for another audience":    {refreshToken(resign(t, claims, "aud", "founderyos-api"))},
		"by somebody else":        {refreshToken(resign(t, claims, "iss", "somebody"))},
		"without a generation":    {refreshToken(resign(t, claims, "gen", nil))},
		"that is over":            {refreshToken(resign(t, claims, "exp", seconds(s.Clock.Now())))},
		"of no session":           {refreshToken(resign(t, claims, "sid", journeyID))},
		"of somebody else's":      {refreshToken(resign(t, claims, "sub", journeyID))},
		"under a neighbour's key": {"__Secure-refresh_token=" + ada.refresh},
	} {
		wantProblem(t, refreshSending(t, s, cookies...), http.StatusUnauthorized, "session_required")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if diff := cmp.Diff(before, testkit.Dump(t, s.FOS)); diff != "" {
		t.Errorf("something was left:\n%s", diff)
	}
	// In a body or a header it is none either: only the cookie's attributes guard it.
	for _, h := range []testkit.Header{with, header("Authorization", "Bearer "+ada.refresh)} {
		body := map[string]any{"refresh_token": ada.refresh}
		wantProblem(t, s.Browser(t).FOSPost("refresh", body, h), http.StatusUnauthorized, "session_required")
	}
	wantRefreshed(t, refreshSending(t, s, refreshToken(ada.refresh)))
}

// What a client sends along is not read, and still has to be what it says.
func TestTheBodyOfARefreshIsNoneOrAnyObject(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	for _, body := range []any{nil, `{}`, `{"device_fingerprint":"thumbprint","nested":{"gen":7}}`} {
		wantRefreshed(t, b.FOSPost("refresh", body))
		if me := b.Me(); me.Status != http.StatusOK {
			t.Errorf("%d %s", me.Status, me.Raw)
		}
	}
	for _, body := range []string{`[]`, `null`, `7`, `{`, `{"a":1,"a":2}`, `{} {}`} {
		wantProblem(t, b.FOSPost("refresh", body), http.StatusBadRequest, "invalid_request")
	}
	wantProblem(t, b.FOSPost("refresh", `{}`, header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, "unsupported_media_type")
	wantProblem(t, b.FOSPost("refresh", `{"a":"`+strings.Repeat("x", 8192)+`"}`), http.StatusRequestEntityTooLarge, "body_too_large")
	if n := testkit.Count(t, s.FOS, `SELECT generation FROM sessions`); n != 4 {
		t.Errorf("three refreshes came to generation %d", n)
	}
}

// The end of a session is absolute, however often it is refreshed.
func TestRefreshingDoesNotMoveTheEnd(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	begun := s.Clock.Now()
	b := signedIn(t, s)
	for range 6 {
		s.Clock.Advance(24 * time.Hour)
		wantRefreshed(t, b.FOSPost("refresh", nil))
	}
	s.Clock.Advance(24*time.Hour - time.Minute)
	last := b.FOSPost("refresh", nil)
	wantRefreshed(t, last)
	session, _ := last.Body["session"].(map[string]any)
	end := millis(begun.Add(7 * 24 * time.Hour))
	if session["access_expires_at"] != end || session["refresh_expires_at"] != end {
		t.Errorf("a minute before the end: %v, want %v", session, end)
	}
	s.Clock.Advance(time.Minute)
	wantProblem(t, refreshSending(t, s, refreshToken(tokensOf(t, last).refresh)), http.StatusUnauthorized, "session_required")
	wantProblem(t, meAt(t, s, tokensOf(t, last).access), http.StatusUnauthorized, "session_required")
}

// Somebody is suspended: nothing of theirs is refreshed, and nothing of it is lost
// either, should that be taken back.
func TestASuspendedUserRefreshesNothingAndIsBackAfterwards(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	for _, status := range []user.Status{user.Suspended, user.Deactivated, user.Pending} {
		testkit.Exec(t, s.FOS, `UPDATE users SET status = $1`, string(status))
		before := testkit.Dump(t, s.FOS)
		for range 2 {
			wantProblem(t, b.FOSPost("refresh", nil), http.StatusForbidden, "account_inactive")
		}
		if diff := cmp.Diff(before, testkit.Dump(t, s.FOS)); diff != "" {
			t.Errorf("%s: something changed:\n%s", status, diff)
		}
		s.Clock.Advance(time.Hour)
	}
	testkit.Exec(t, s.FOS, `UPDATE users SET status = 'ACTIVE'`)
	if g := generationOf(t, s, wantRefreshed(t, b.FOSPost("refresh", nil))); g != 2 {
		t.Errorf("generation %d", g)
	}
	if me := b.Me(); me.Status != http.StatusOK {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
}

// I11: a suspended user's copied token is a copy all the same.
func TestI11_aSuspendedUsersStolenTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	stolen := b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	wantRefreshed(t, b.FOSPost("refresh", nil))
	wantRefreshed(t, b.FOSPost("refresh", nil))
	testkit.Exec(t, s.FOS, `UPDATE users SET status = 'SUSPENDED'`)
	wantProblem(t, refreshWith(t, s, s.FOSURL, stolen), http.StatusUnauthorized, "session_revoked")
	testkit.Exec(t, s.FOS, `UPDATE users SET status = 'ACTIVE'`)
	wantProblem(t, b.FOSPost("refresh", nil), http.StatusUnauthorized, "session_revoked")
}
