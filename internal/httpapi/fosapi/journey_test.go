package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func TestAPersonArrivesStaysAndLeaves(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "Ada@example.org"))
		s.Clock.Advance(time.Minute)
		minted := ada.Mint(map[string]any{"entry_product": "lighthouse", "return_path": "/work?tab=2"})
		s.Clock.Advance(time.Second)

		answer := arrived(t, ada.Arrive(minted.Text("token")))
		now := s.Clock.Now()
		user, _ := answer.Body["user"].(map[string]any)
		session, _ := answer.Body["session"].(map[string]any)
		want := map[string]any{
			"user": map[string]any{
				"id": user["id"], "email": "Ada@example.org", "display_name": "Ada Lovelace", "role": "member",
				"status": "ACTIVE", "email_verified": true, "created_at": millis(now),
			},
			"entry_product": "lighthouse", "return_path": "/work?tab=2", "handoff_id": minted.Text("handoff_id"),
			"session": map[string]any{
				"id":                session["id"],
				"access_expires_at": millis(now.Add(30 * time.Minute)), "refresh_expires_at": millis(now.Add(7 * 24 * time.Hour)),
			},
		}
		if diff := cmp.Diff(want, answer.Body); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
		wantID(t, user["id"])
		wantID(t, session["id"])
		wantPrivateJSON(t, answer)

		me := ada.Me()
		if diff := cmp.Diff(map[string]any{"user": want["user"], "session": want["session"]}, me.Body); diff != "" {
			t.Errorf("me (-want +got):\n%s", diff)
		}
		wantPrivateJSON(t, me)

		access := answer.Cookie("access_token").Value
		left := ada.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"))
		if left.Status != http.StatusNoContent || left.Raw != "" {
			t.Errorf("logout: %d %s", left.Status, left.Raw)
		}
		wantProblem(t, ada.Me(), http.StatusUnauthorized, "session_required")
		wantProblem(t, meAt(t, s, access), http.StatusUnauthorized, "session_revoked")
	})
}

func TestWhatTheDAOHalfDoesNotKnowIsNull(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		bare := s.SignIn(t, s.Member(t, "bare@example.org", nameless))
		answer := arrived(t, bare.Arrive(bare.MintToken()))
		user, _ := answer.Body["user"].(map[string]any)
		for name, value := range map[string]any{"display_name": user["display_name"], "return_path": answer.Body["return_path"]} {
			if value != nil {
				t.Errorf("%s is %v, want null", name, value)
			}
		}
		if diff := cmp.Diff([]string{"entry_product", "handoff_id", "return_path", "session", "user"}, fields(answer.Body)); diff != "" {
			t.Errorf("fields:\n%s", diff)
		}
		if diff := cmp.Diff(
			[]string{"created_at", "display_name", "email", "email_verified", "id", "role", "status"}, fields(user)); diff != "" {
			t.Errorf("fields of user:\n%s", diff)
		}
	})
}

// Two hand-offs of one person are two sessions of one user; leaving one leaves the
// other alone.
func TestTwoArrivalsAreTwoSessions(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		laptop, phone := s.Browser(t), s.Browser(t)
		one, two := arrived(t, laptop.Arrive(ada.MintToken())), arrived(t, phone.Arrive(ada.MintToken()))
		if userID(one) != userID(two) || sessionID(one) == sessionID(two) {
			t.Errorf("users %s and %s, sessions %s and %s", userID(one), userID(two), sessionID(one), sessionID(two))
		}
		laptop.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"))
		if me := phone.Me(); me.Status != http.StatusOK {
			t.Errorf("the other session: %d %s", me.Status, me.Raw)
		}
	})
}

// Somebody whose access token has run out still leaves: the refresh cookie says
// which session.
func TestALateLogoutEndsTheSession(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		arrived(t, ada.Arrive(ada.MintToken()))
		s.Clock.Advance(31 * time.Minute)
		wantProblem(t, ada.Me(), http.StatusUnauthorized, "session_required")
		ada.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"))
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 0 {
			t.Errorf("%d sessions live on", n)
		}
		if got := testkit.Events(t, s.FOS); got[len(got)-1] != "session.ended success logout" {
			t.Errorf("events %q", got)
		}
	})
}

func TestLeavingTwiceOrWithoutASessionIsNoError(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	for _, cookie := range []string{"", "access_token=", "access_token=garbage; refresh_token=x.y.z"} {
		answer := s.Browser(t).Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"), header("Cookie", cookie))
		if answer.Status != http.StatusNoContent {
			t.Errorf("with %q: %d %s", cookie, answer.Status, answer.Raw)
		}
	}
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	both := arrived(t, ada.Arrive(ada.MintToken()))
	for range 2 {
		s.Browser(t).Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"),
			header("Cookie", "access_token="+both.Cookie("access_token").Value))
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.ended'`); n != 1 {
		t.Errorf("%d rows record one end", n)
	}
}

func millis(at time.Time) float64 { return float64(at.UnixMilli()) }

func userID(answer testkit.Answer) string    { return inner(answer, "user") }
func sessionID(answer testkit.Answer) string { return inner(answer, "session") }

// inner is the id of an object in the answer.
func inner(answer testkit.Answer, name string) string {
	object, _ := answer.Body[name].(map[string]any)
	id, _ := object["id"].(string)
	return id
}

func wantID(t testing.TB, value any) {
	t.Helper()
	text, _ := value.(string)
	if id, err := uuid.Parse(text); err != nil || id == uuid.Nil || id.String() != text {
		t.Errorf("%v is no id", value)
	}
}

func wantPrivateJSON(t testing.TB, answer testkit.Answer) {
	t.Helper()
	if answer.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json") {
		t.Errorf("headers %v", answer.Header)
	}
}
