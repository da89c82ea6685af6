package fosapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

var goneCookies = []string{
	"access_token=; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax",
	"refresh_token=; Path=/api/v1/auth; Expires=Thu, 01 Jan 1970 00:00:01 GMT; Max-Age=0; HttpOnly; SameSite=Lax",
}

// wantGone demands 204 without a body, and both cookies cleared.
func wantGone(t testing.TB, answer testkit.Answer) {
	t.Helper()
	if answer.Status != http.StatusNoContent || answer.Raw != "" {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
	wantSetCookies(t, answer, goneCookies...)
}

// Somebody comes back after days and wants out. The access token has ended, and says
// which session this is all the same; alone, for its path keeps the other at home.
func TestAnAccessTokenThatHasEndedStillLeaves(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	s.Clock.Advance(6 * 24 * time.Hour)
	ada := tokensOf(t, answer)
	wantProblem(t, meAt(t, s, ada.access), http.StatusUnauthorized, "session_required")
	wantGone(t, s.Browser(t).FOSPost("logout", nil, sending(accessToken(ada.access))))
	wantProblem(t, refreshSending(t, s, refreshToken(ada.refresh)), http.StatusUnauthorized, "session_revoked")
}

// A session that is over needs no end, and gets no row that says so.
func TestLeavingASessionThatIsOverRecordsNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	ada := tokensOf(t, answer)
	s.Clock.Advance(7 * 24 * time.Hour)
	before := testkit.Dump(t, s.FOS)
	wantGone(t, s.Browser(t).FOSPost("logout", nil, sending(accessToken(ada.access), refreshToken(ada.refresh))))
	if diff := cmp.Diff(before, testkit.Dump(t, s.FOS)); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
}

// A token that names a session and not its user ends nothing: the session has become
// somebody else's, and is theirs to leave.
func TestLeavingEndsOnesOwnSessionOnly(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	_, claims := read(t, s, b.Cookie(s.FOSURL, "access_token"))
	eve := s.User(t, "eve@example.org")
	wantGone(t, s.Browser(t).FOSPost("logout", nil, sending(accessToken(resign(t, claims, "sub", eve.ID.String())))))
	if me := b.Me(); me.Status != http.StatusOK {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
}

// Everywhere: on the laptop, on the phone and wherever they forgot to leave; and
// nobody else.
func TestLeavingEverywhere(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	left, leftAnswer := arrives(t, s, dao)
	wantGone(t, left.FOSPost("logout", nil))
	_, overAnswer := arrives(t, s, dao)
	over := sessionID(overAnswer)
	testkit.Exec(t, s.FOS, `UPDATE sessions SET expires_at = $2 WHERE id = $1`, over, s.Clock.Now())
	laptop, laptopAnswer := arrives(t, s, dao)
	_, phoneAnswer := arrives(t, s, dao)
	eve, _ := arrives(t, s, s.SignIn(t, s.Member(t, "eve@example.org")))
	s.Clock.Advance(time.Minute)

	events := len(testkit.Events(t, s.FOS))
	wantGone(t, laptop.FOSPost("logout-all", `{}`))
	for _, answer := range []testkit.Answer{laptopAnswer, phoneAnswer} {
		ended := tokensOf(t, answer)
		wantProblem(t, meAt(t, s, ended.access), http.StatusUnauthorized, "session_revoked")
		wantProblem(t, refreshSending(t, s, refreshToken(ended.refresh)), http.StatusUnauthorized, "session_revoked")
	}
	if me := eve.Me(); me.Status != http.StatusOK {
		t.Errorf("Eve: %d %s", me.Status, me.Raw)
	}
	wantProblem(t, laptop.FOSPost("logout-all", nil), http.StatusUnauthorized, "session_required")

	// I4: one row for each session that ended, which names its journey; what had ended
	// before keeps its own reason.
	if got := testkit.Events(t, s.FOS)[events:]; cmp.Diff([]string{"session.ended success logout_all", "session.ended success logout_all"}, got) != "" {
		t.Errorf("recorded %q", got)
	}
	for _, answer := range []testkit.Answer{laptopAnswer, phoneAnswer} {
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE reason = 'logout_all' AND handoff_id = $1 AND actor_id = $2
			AND entry_product = 'think-tank' AND at = $3`, answer.Text("handoff_id"), userID(answer), s.Clock.Now()); n != 1 {
			t.Errorf("%d rows record the end of %s", n, sessionID(answer))
		}
	}
	for id, ended := range map[string]string{sessionID(leftAnswer): "logout", over: ""} {
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE id = $1 AND coalesce(ended_as, '') = $2`, id, ended); n != 1 {
			t.Errorf("session %s is not %q any more", id, ended)
		}
	}
}

// It takes more than to leave: to sign out every browser of somebody is a nuisance that
// a token of days ago should not be good for.
func TestLeavingEverywhereTakesAGoodAccessToken(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	ada := tokensOf(t, answer)
	s.Clock.Advance(31 * time.Minute)
	for name, sent := range map[string]testkit.Header{
		"nothing":                       sending("other=1"),
		"a refresh token":               sending(refreshToken(ada.refresh)),
		"an access token that is over":  sending(accessToken(ada.access), refreshToken(ada.refresh)),
		"a refresh token as the access": sending(accessToken(ada.refresh)),
	} {
		wantProblem(t, s.Browser(t).FOSPost("logout-all", nil, sent), http.StatusUnauthorized, "session_required")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	fresh := tokensOf(t, refreshSending(t, s, refreshToken(ada.refresh)))
	for _, body := range []string{`{"everywhere":true}`, `[]`, `null`} {
		wantProblem(t, s.Browser(t).FOSPost("logout-all", body, sending(accessToken(fresh.access))), http.StatusBadRequest, "invalid_request")
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 1 {
		t.Errorf("%d sessions live on", n)
	}
	wantGone(t, s.Browser(t).FOSPost("logout-all", nil, sending(accessToken(fresh.access))))
}

// I4: an end that cannot be recorded is none, whichever way it was asked for.
func TestI4_anEndThatCannotBeRecordedIsNone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	me := b.Me()
	for name, audit := range auditBroken {
		testkit.Exec(t, s.FOS, audit[0])
		wantProblem(t, b.FOSPost("logout-all", nil), http.StatusServiceUnavailable, "dependency_unavailable")
		wantProblem(t, endSession(b, s, sessionID(me)), http.StatusServiceUnavailable, "dependency_unavailable")
		wantProblem(t, b.FOSPost("refresh", nil), http.StatusServiceUnavailable, "dependency_unavailable")
		testkit.Exec(t, s.FOS, audit[1])
		if after := b.Me(); after.Status != http.StatusOK {
			t.Errorf("%s: %d %s", name, after.Status, after.Raw)
		}
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE generation = 1 AND ended_at IS NULL`); n != 1 {
		t.Error("the session was refreshed, or ended")
	}
	if g := generationOf(t, s, wantRefreshed(t, b.FOSPost("refresh", nil))); g != 2 {
		t.Errorf("once it can be recorded: generation %d", g)
	}
}
