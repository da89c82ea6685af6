package daoapi_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const handoffsPath = "/api/auth/handoffs"

func endHandoff(b *testkit.Browser, daoURL, id string) testkit.Answer {
	return b.Do(http.MethodDelete, daoURL+handoffsPath+"/"+id, nil, header("X-CSRF-Token", b.CSRF))
}

func wantNoContent(t testing.TB, answer testkit.Answer) {
	t.Helper()
	if answer.Status != http.StatusNoContent || answer.Raw != "" {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
}

// statesOf are the hand-offs in a list with their states, in its order.
func statesOf(t testing.TB, answer testkit.Answer) (list [][2]string) {
	t.Helper()
	all, _ := wantOK(t, answer).Body["handoffs"].([]any)
	for _, one := range all {
		members, _ := one.(map[string]any)
		list = append(list, [2]string{fmt.Sprint(members["handoff_id"]), fmt.Sprint(members["state"])})
	}
	return list
}

// A member sees where their hand-offs have come to, the newest first, and nobody else's.
func TestHandoffs_aMemberSeesTheirOwn(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.SignIn(t, s.Member(t, "eve@example.org")).MintToken()
	begun := s.Clock.Now()
	next := func() (token, id string) {
		s.Clock.Advance(time.Second)
		minted := wantOK(t, ada.Mint(nil))
		return minted.Text("token"), minted.Text("handoff_id")
	}
	expired := wantOK(t, ada.Mint(nil)).Text("handoff_id")
	s.Clock.Advance(2 * time.Minute)
	token, open := next()
	redeemedAt := s.Clock.Now()
	wantOK(t, present(ada, s.DAOURL, token, nil))
	token, burnt := next()
	present(ada, s.DAOURL, token, map[string]any{"target_domain": testkit.OtherTarget})
	_, ended := next()
	endedAt := s.Clock.Now()
	wantNoContent(t, endHandoff(ada, s.DAOURL, ended))
	_, way := next()

	answer := ada.Get(s.DAOURL + handoffsPath)
	want := [][2]string{{way, "on_its_way"}, {ended, "ended"}, {burnt, "ended"}, {open, "open"}, {expired, "expired"}}
	if diff := cmp.Diff(want, statesOf(t, answer)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	wantMembers(t, answer, "handoffs:list")
	all, _ := answer.Body["handoffs"].([]any)
	ms := func(at time.Time) float64 { return float64(at.UnixMilli()) }
	row := func(id, state string, minted, redeemed, ended any) map[string]any {
		return map[string]any{
			"handoff_id": id, "entry_product": "think-tank", "target_domain": testkit.Target,
			"minted_at": minted, "redeemed_at": redeemed, "ended_at": ended, "state": state,
		}
	}
	for i, want := range map[int]map[string]any{
		1: row(ended, "ended", ms(endedAt), nil, ms(endedAt)),
		2: row(burnt, "ended", ms(redeemedAt.Add(time.Second)), nil, ms(redeemedAt.Add(time.Second))),
		3: row(open, "open", ms(redeemedAt), ms(redeemedAt), nil),
		4: row(expired, "expired", ms(begun), nil, nil),
	} {
		if diff := cmp.Diff(want, all[i]); diff != "" {
			t.Errorf("row %d (-want +got):\n%s", i, diff)
		}
	}

	// After a week they are gone from the list.
	s.Clock.Advance(6*24*time.Hour + 23*time.Hour + 57*time.Minute + 59*time.Second)
	later := s.SignIn(t, s.Member(t, "ada@example.org"))
	if got := statesOf(t, later.Get(s.DAOURL+handoffsPath)); len(got) != 4 || got[3][0] != open {
		t.Errorf("after a week: %v", got)
	}
	wantProblem(t, s.Browser(t).Get(s.DAOURL+handoffsPath), http.StatusUnauthorized, "session_required", "")
	wantOK(t, later.Post(s.DAOURL+logoutPath, nil, header("X-CSRF-Token", later.CSRF)))
	wantProblem(t, later.Get(s.DAOURL+handoffsPath), http.StatusUnauthorized, "session_required", "")
}

// I13: a list of everything that somebody ever minted would have no end.
func TestI13_theListOfHandoffsIsBounded(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	ada.MintToken()
	testkit.Exec(t, s.DAO, `INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
		SELECT gen_random_uuid(), sha256(n::text::bytea), member_id, session_id, entry_product, target_domain, minted_at - n * interval '1 second', expires_at
		FROM handoffs, generate_series(1, 100) n`)
	if got := statesOf(t, ada.Get(s.DAOURL+handoffsPath)); len(got) != 100 || got[0][1] != "on_its_way" {
		t.Errorf("%d are listed", len(got))
	}
}

// I4: a token that its member takes back is dead at once, with one row that says so; to
// take it back again is nothing.
func TestI4_aHandoffThatItsMemberEndedIsDeadAtOnce(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	minted := wantOK(t, ada.Mint(nil))
	id := minted.Text("handoff_id")
	for range 2 {
		wantNoContent(t, endHandoff(ada, s.DAOURL, id))
	}
	wantProblem(t, present(ada, s.DAOURL, minted.Text("token"), nil), http.StatusBadRequest, "token_unknown", "exchange")
	wantEvents(t, s, "handoff.minted success", "handoff.ended success ended_by_user", "handoff.refused failure source_ended")
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.ended' AND handoff_id = $1 AND actor_id = (SELECT member_id FROM handoffs)
		AND entry_product = 'think-tank' AND target_domain = $2 AND at = $3 AND request_id IS NOT NULL AND origin IS NOT NULL`, id, testkit.Target, s.Clock.Now()); n != 1 {
		t.Error("the row is not complete")
	}
}

// Somebody else's, unknown, or no id at all: not found, alike, and nothing changes.
func TestHandoffs_somebodyElsesAreNone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada, eve := s.SignIn(t, s.Member(t, "ada@example.org")), s.SignIn(t, s.Member(t, "eve@example.org"))
	id := wantOK(t, ada.Mint(nil)).Text("handoff_id")
	before := stored(t, s)
	for _, other := range []string{id, uuid.NewString(), uuid.Nil.String(), "1", "urn:uuid:" + id} {
		wantProblem(t, endHandoff(eve, s.DAOURL, other), http.StatusNotFound, "not_found", "")
	}
	// Ada's cookie and Eve's CSRF value; no CSRF value; a session that is over.
	crossed := carry(t, s, ada.Cookie(s.DAOURL, "dao_session"), eve.CSRF)
	wantProblem(t, endHandoff(crossed, s.DAOURL, id), http.StatusForbidden, "csrf_failed", "")
	wantProblem(t, ada.Do(http.MethodDelete, s.DAOURL+handoffsPath+"/"+id, nil), http.StatusForbidden, "csrf_failed", "")
	if stored(t, s) != before {
		t.Error("something changed")
	}
	s.Clock.Advance(30 * time.Minute)
	wantProblem(t, endHandoff(ada, s.DAOURL, id), http.StatusUnauthorized, "session_required", "")
	testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended'`)
	wantProblem(t, endHandoff(ada, s.DAOURL, id), http.StatusUnauthorized, "session_revoked", "")
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.ended'`); n != 0 {
		t.Errorf("%d ends are recorded", n)
	}
}

// I4: an end that cannot be recorded is none, on either way.
func TestI4_aHandoffsEndThatCannotBeRecordedIsNone(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	minted := wantOK(t, ada.Mint(nil))
	id := minted.Text("handoff_id")
	testkit.Exec(t, s.DAO, `ALTER TABLE audit_log RENAME TO away`)
	wantProblem(t, endHandoff(ada, s.DAOURL, id), http.StatusServiceUnavailable, "dependency_unavailable", "")
	wantProblem(t, tellDAO(ada, s.DAOURL, id), http.StatusServiceUnavailable, "dependency_unavailable", "")
	testkit.Exec(t, s.DAO, `ALTER TABLE away RENAME TO audit_log`)
	if n := testkit.Count(t, s.DAO, `SELECT (SELECT count(*) FROM handoffs WHERE ended_at IS NOT NULL) + (SELECT count(*) FROM handoff_endings)`); n != 0 {
		t.Error("it has ended")
	}
	wantOK(t, present(ada, s.DAOURL, minted.Text("token"), nil))
}

// tellDAO is the FOS half's message, under the service token.
func tellDAO(b *testkit.Browser, daoURL string, ids ...string) testkit.Answer {
	return b.Post(daoURL+leaving.EndedPath, map[string]any{"handoff_ids": ids}, bearer)
}

// What the FOS half says is noted once, for hand-offs that are there and have not ended,
// and is not said back.
func TestHandoffs_theFOSHalfSaysWhatHasEnded(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	minted, taken := wantOK(t, ada.Mint(nil)), wantOK(t, ada.Mint(nil)).Text("handoff_id")
	wantOK(t, present(ada, s.DAOURL, minted.Text("token"), nil))
	wantNoContent(t, endHandoff(ada, s.DAOURL, taken))
	id := minted.Text("handoff_id")
	for range 2 {
		wantNoContent(t, tellDAO(ada, s.DAOURL, id, id, taken, uuid.NewString()))
	}
	want := [][2]string{{id, "ended"}, {taken, "ended"}}
	got := statesOf(t, ada.Get(s.DAOURL+handoffsPath))
	if len(got) != 2 || got[0][1] != "ended" || got[1][1] != "ended" {
		t.Errorf("%v, want %v", got, want)
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings WHERE handoff_id = $1`, id); n != 0 {
		t.Error("it is to be said back")
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.ended' AND reason = 'target_ended'`); n != 1 {
		t.Errorf("%d rows record it", n)
	}
	wantProblem(t, ada.Post(s.DAOURL+leaving.EndedPath, map[string]any{"handoff_ids": []string{id}}), http.StatusUnauthorized, "invalid_service_token", "")
}

// A service token that is good for one target ends nothing of another's.
func TestHandoffs_aServiceTokenEndsItsOwnTargetsOnly(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN_TARGETS": testkit.Target}})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	own, other := wantOK(t, ada.Mint(nil)).Text("handoff_id"), wantOK(t, ada.Mint(map[string]any{"target_domain": testkit.OtherTarget})).Text("handoff_id")
	wantNoContent(t, tellDAO(ada, s.DAOURL, own, other))
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE (ended_at IS NOT NULL) = (handoff_id = $1)`, own); n != 2 {
		t.Error("the other target's hand-off has ended, or its own has not")
	}
}
