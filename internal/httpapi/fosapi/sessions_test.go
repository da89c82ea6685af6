package fosapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func listOf(b *testkit.Browser, s *testkit.Service, headers ...testkit.Header) testkit.Answer {
	return b.Get(s.FOSURL+"/api/v1/auth/sessions", headers...)
}

func endSession(b *testkit.Browser, s *testkit.Service, id string, headers ...testkit.Header) testkit.Answer {
	return b.Do(http.MethodDelete, s.FOSURL+"/api/v1/auth/sessions/"+id, nil, append([]testkit.Header{with}, headers...)...)
}

// idsOf are the sessions that a list names, in its order.
func idsOf(list testkit.Answer) (ids []string) {
	all, _ := list.Body["sessions"].([]any)
	for _, one := range all {
		members, _ := one.(map[string]any)
		id, _ := members["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

// A person sees where they are signed in, how each session came about and when it was
// used; the last used first, and behind them what was ended lately.
func TestAPersonSeesTheirSessions(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	start := s.Clock.Now()
	ada := s.User(t, "ada@example.org")
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	laptop := s.SignInAtFOS(t, ada)
	s.Clock.Advance(time.Second)
	phone := s.Browser(t)
	minted := dao.Mint(map[string]any{"entry_product": "lighthouse"})
	arrivedAt := s.Clock.Now()
	onPhone := arrived(t, phone.Arrive(minted.Text("token")))
	// Listed by itself: one that was left. Not listed: one that is over, and another person's.
	left, onLeft := arrives(t, s, dao)
	wantGone(t, left.FOSPost("logout", nil))
	_, over := arrives(t, s, dao)
	testkit.Exec(t, s.FOS, `UPDATE sessions SET expires_at = $2 WHERE id = $1`, sessionID(over), s.Clock.Now())
	eve, onEves := arrives(t, s, s.SignIn(t, s.Member(t, "eve@example.org")))

	s.Clock.Advance(time.Second)
	looked := s.Clock.Now()
	onLaptop := sessionID(laptop.Me())
	byPassword := map[string]any{
		"id": onLaptop, "current": true, "origin": "password", "handoff_id": nil, "entry_product": nil,
		"created_at": millis(start), "last_used_at": millis(looked),
	}
	byHandoff := map[string]any{
		"id": sessionID(onPhone), "current": false, "origin": "handoff", "handoff_id": minted.Text("handoff_id"),
		"entry_product": "lighthouse", "created_at": millis(arrivedAt), "last_used_at": millis(arrivedAt),
	}
	byHandoffOver := map[string]any{
		"id": sessionID(onLeft), "current": false, "origin": "handoff", "handoff_id": onLeft.Text("handoff_id"),
		"entry_product": "think-tank", "created_at": millis(arrivedAt), "last_used_at": millis(arrivedAt),
		"ended_at": millis(arrivedAt), "ended_as": "logout",
	}
	answer := listOf(laptop, s)
	if diff := cmp.Diff(map[string]any{"sessions": []any{byPassword, byHandoff}, "ended": []any{byHandoffOver}}, answer.Body); diff != "" {
		t.Errorf("on the laptop (-want +got):\n%s", diff)
	}
	wantPrivateJSON(t, answer)

	s.Clock.Advance(time.Second)
	byPassword["current"], byHandoff["current"], byHandoff["last_used_at"] = false, true, millis(s.Clock.Now())
	if diff := cmp.Diff(map[string]any{"sessions": []any{byHandoff, byPassword}, "ended": []any{byHandoffOver}}, listOf(phone, s).Body); diff != "" {
		t.Errorf("on the phone (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{sessionID(onEves)}, idsOf(listOf(eve, s))); diff != "" {
		t.Errorf("Eve's (-want +got):\n%s", diff)
	}
	wantProblem(t, listOf(s.Browser(t), s), http.StatusUnauthorized, "session_required")
}

// Of sessions that were used at one moment the newer id comes first: a list that is
// read again does not jump.
func TestTheOrderOfTheListIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	var want []string
	var b *testkit.Browser
	for range 4 {
		var answer testkit.Answer
		b, answer = arrives(t, s, dao)
		want = append(want, sessionID(answer))
	}
	slices.Sort(want)
	slices.Reverse(want)
	for range 2 {
		if diff := cmp.Diff(want, idsOf(listOf(b, s))); diff != "" {
			t.Errorf("the list (-want +got):\n%s", diff)
		}
	}
}

// "Last used" is exact to a minute: a write at every request would make each of them
// wait for a commit. The first use of a pair, and a refresh, are noted at once.
func TestLastUsedMovesEveryMinuteAndAtARefresh(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	lastUsed := func() float64 {
		t.Helper()
		list, _ := listOf(b, s).Body["sessions"].([]any)
		if len(list) != 1 {
			t.Fatalf("%d sessions", len(list))
		}
		one, _ := list[0].(map[string]any)
		at, _ := one["last_used_at"].(float64)
		return at
	}
	s.Clock.Advance(10 * time.Second)
	first := millis(s.Clock.Now())
	if got := lastUsed(); got != first {
		t.Errorf("at its first use: %v, want %v", got, first)
	}
	s.Clock.Advance(59 * time.Second)
	if got := lastUsed(); got != first {
		t.Errorf("59 s later: %v, want %v", got, first)
	}
	s.Clock.Advance(time.Second)
	if got, want := lastUsed(), millis(s.Clock.Now()); got != want {
		t.Errorf("a minute later: %v, want %v", got, want)
	}
	s.Clock.Advance(time.Second)
	wantRefreshed(t, b.FOSPost("refresh", nil))
	refreshed := s.Clock.Now()
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE last_used_at = $1`, refreshed); n != 1 {
		t.Error("a refresh is no use")
	}
	s.Clock.Advance(time.Second)
	if got, want := lastUsed(), millis(s.Clock.Now()); got != want {
		t.Errorf("at the first use of the new pair: %v, want %v", got, want)
	}
}

// I13: who arrives once more than anybody needs leaves the session that was not used for
// longest; the list, and the end of all, stay of a size.
func TestI13_anArrivalTooManyDisplacesTheLongestUnused(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	old, first := arrives(t, s, dao)
	testkit.Exec(t, s.FOS, `
		INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		SELECT gen_random_uuid(), user_id, 'password', 1, true, auth_time, amr, created_at, last_used_at + interval '1 second', expires_at
		FROM sessions, generate_series(2, $1)`, session.MaxPerUser)
	b, last := arrives(t, s, dao)
	if ids := idsOf(listOf(b, s)); len(ids) != session.MaxPerUser || !slices.Contains(ids, sessionID(last)) || slices.Contains(ids, sessionID(first)) {
		t.Errorf("%d sessions are listed", len(ids))
	}
	wantProblem(t, old.Me(), http.StatusUnauthorized, "session_revoked")
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND reason = 'displaced' AND handoff_id = $1`,
		first.Text("handoff_id")); n != 1 {
		t.Errorf("I4: %d rows record one end", n)
	}
	wantGone(t, b.FOSPost("logout-all", nil))
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 0 {
		t.Errorf("%d sessions live on", n)
	}
}

// One session is ended from another: at its next request it is told.
func TestAPersonEndsOneOfTheirSessions(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	laptop, _ := arrives(t, s, dao)
	phone, onPhone := arrives(t, s, dao)
	for range 2 {
		answer := endSession(laptop, s, sessionID(onPhone))
		if answer.Status != http.StatusNoContent || answer.Raw != "" || len(answer.Cookies) != 0 {
			t.Errorf("%d %s %v", answer.Status, answer.Raw, answer.Cookies)
		}
	}
	wantProblem(t, phone.Me(), http.StatusUnauthorized, "session_revoked")
	wantProblem(t, phone.FOSPost("refresh", nil), http.StatusUnauthorized, "session_revoked")
	if ids := idsOf(listOf(laptop, s)); len(ids) != 1 {
		t.Errorf("%d sessions are listed", len(ids))
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND reason = 'ended_by_user'
		AND actor_id = $1 AND handoff_id = $2 AND entry_product = 'think-tank'`, userID(onPhone), onPhone.Text("handoff_id")); n != 1 {
		t.Errorf("I4: %d rows record one end", n)
	}
}

// The session that asks is left like any other way of leaving, cookies and all.
func TestEndingTheSessionThatAsksLeaves(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b := signedIn(t, s)
	access := b.Cookie(s.FOSURL, "access_token")
	wantGone(t, endSession(b, s, sessionID(b.Me())))
	wantProblem(t, b.Me(), http.StatusUnauthorized, "session_required")
	wantProblem(t, meAt(t, s, access), http.StatusUnauthorized, "session_revoked")
}

// Somebody else's, one that never was and what is no id are one answer, and nothing
// happens: whose session an id is, nobody finds out.
func TestSomebodyElsesSessionIsNone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := signedIn(t, s)
	dao := s.SignIn(t, s.Member(t, "eve@example.org"))
	eve, onEves := arrives(t, s, dao)
	left, ended := arrives(t, s, dao)
	wantGone(t, left.FOSPost("logout", nil))
	eve.Me()
	own := sessionID(ada.Me())
	before := testkit.Dump(t, s.FOS)
	seen := map[string]bool{}
	for _, id := range []string{
		// One's own in another spelling is none either: one id has one name.
		strings.ToUpper(own), strings.ReplaceAll(own, "-", ""), "urn:uuid:" + own, "%7B" + own + "%7D",
		sessionID(onEves), sessionID(ended), uuid.NewString(), uuid.Nil.String(), "1", "not-an-id", "current", "%00", "%2e%2e",
		sessionID(onEves) + "0", strings.Repeat("f", 2000), onEves.Text("handoff_id"), userID(onEves),
	} {
		answer := endSession(ada, s, id)
		wantProblem(t, answer, http.StatusNotFound, "not_found")
		seen[strings.ReplaceAll(answer.Raw, answer.Text("request_id"), "")] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers: %v", len(seen), seen)
	}
	if diff := cmp.Diff(before, testkit.Dump(t, s.FOS)); diff != "" {
		t.Errorf("something changed:\n%s", diff)
	}
	if me := eve.Me(); me.Status != http.StatusOK {
		t.Errorf("Eve: %d %s", me.Status, me.Raw)
	}
	wantProblem(t, endSession(s.Browser(t), s, sessionID(onEves)), http.StatusUnauthorized, "session_required")
	wantProblem(t, endSession(ada, s, sessionID(ada.Me()), header("Content-Type", "application/json"), header("X-Requested-With", "")),
		http.StatusForbidden, "csrf_failed")
}
