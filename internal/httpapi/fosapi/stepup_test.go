package fosapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// A founder or admin who came by hand-off acts as a member until they have proved their
// password on this half (I10).

// stepUp sends the password of whoever is signed in.
func stepUp(b *testkit.Browser, plain string, headers ...testkit.Header) testkit.Answer {
	return b.FOSPost("step-up", map[string]any{"password": plain}, headers...)
}

// founderByHandoff is a founder with a password, in a browser that they came to by
// hand-off, and the DAO half's browser that they came from.
func founderByHandoff(t testing.TB, s *testkit.Service) (b, dao *testkit.Browser, founder user.User, answer testkit.Answer) {
	t.Helper()
	ada := s.Member(t, "ada@example.org")
	founder = s.UserWithPassword(t, "founder@example.org", role(user.Founder))
	house{t, s, ada}.linkMember(founder)
	dao = s.SignIn(t, ada)
	s.Clock.Advance(10 * time.Minute)
	b, answer = arrives(t, s, dao)
	return b, dao, founder, answer
}

// wantActing demands that the browser acts with a role: by what it is told, by what its
// tokens say, and by what it is let do.
func wantActing(t testing.TB, s *testkit.Service, b *testkit.Browser, when, role string) {
	t.Helper()
	_, access := read(t, s, b.Cookie(s.FOSURL, "access_token"))
	_, refresh := read(t, s, b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token"))
	if me := roleOf(b.Me()); me != role || access["role"] != role || refresh["role"] != role {
		t.Errorf("%s: me says %s, the tokens %v and %v; want %s", when, me, access["role"], refresh["role"], role)
	}
	detailed := b.Get(s.FOSURL + "/health/detailed")
	if role == "founder" && detailed.Status != http.StatusOK {
		t.Errorf("%s: detailed: %d %s", when, detailed.Status, detailed.Raw)
	}
	if role != "founder" {
		wantProblem(t, detailed, http.StatusNotFound, "not_found")
	}
}

// I10, the whole story: a founder arrives and acts as member; steps up, and acts as
// founder, also after a refresh; leaves; and arrives as a member once more.
func TestI10_aFounderArrivesStepsUpLeavesAndIsAMemberAgain(t *testing.T) {
	t.Parallel()
	for mode, arriving := range map[string]string{"step-up": "member", "allow": "founder"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_ELEVATED_ROLES": mode}})
			b, dao, _, _ := founderByHandoff(t, s)
			wantActing(t, s, b, "arrived", arriving)
			if answer := stepUp(b, testkit.Password); answer.Status != http.StatusOK {
				t.Fatalf("step-up: %d %s", answer.Status, answer.Raw)
			}
			wantActing(t, s, b, "stepped up", "founder")
			s.Clock.Advance(15 * time.Minute)
			wantRefreshed(t, b.FOSPost("refresh", nil))
			wantActing(t, s, b, "refreshed", "founder")

			other, _ := arrives(t, s, dao)
			wantActing(t, s, other, "another browser, meanwhile", arriving)
			arrived(t, b.Arrive(dao.MintToken()))
			wantActing(t, s, b, "arrived in the browser that stepped up", arriving)
			wantGone(t, b.FOSPost("logout", nil))
			arrived(t, b.Arrive(dao.MintToken()))
			wantActing(t, s, b, "arrived again", arriving)
			if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM users WHERE role = 'founder'`); n != 1 {
				t.Error("I9: a role has changed")
			}
		})
	}
}

// I10: a session by hand-off, stepped up or not, leads nowhere else. The DAO half has
// sessions by password only, and knows none of this half's tokens, under whatever name.
func TestI10_aSessionByHandOffCannotMintAnother(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b, dao, _, _ := founderByHandoff(t, s)
	for _, when := range []string{"arrived", "stepped up"} {
		minting := b.Mint(nil)
		if minting.Code() != "session_required" || minting.Text("token") != "" {
			t.Errorf("%s: %d %s", when, minting.Status, minting.Raw)
		}
		access := b.Cookie(s.FOSURL, "access_token")
		planted := s.Browser(t).Mint(nil, sending("dao_session="+access, "csrf_token="+dao.CSRF), header("X-CSRF-Token", dao.CSRF))
		if planted.Code() != "session_required" {
			t.Errorf("%s, planted: %d %s", when, planted.Status, planted.Raw)
		}
		if answer := stepUp(b, testkit.Password); answer.Status != http.StatusOK {
			t.Fatalf("step-up: %d %s", answer.Status, answer.Raw)
		}
	}
	// Whoever has a DAO session too mints as what they are there: nothing of this half
	// goes back with them.
	arrival := arrived(t, b.Arrive(dao.MintToken()))
	if _, claims := read(t, s, arrival.Cookie("access_token").Value); claims["auth_time"] != seconds(s.Clock.Now().Add(-10*time.Minute)) {
		t.Errorf("signed in over there at %v", claims["auth_time"])
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM sessions WHERE amr <> '{pwd}'`); n != 0 {
		t.Error("the DAO half has a session that was not signed in to by password")
	}
}

// What comes back is what "me" says from then on, the pair, and the mark of a browser
// that its owner has signed in with. What was proved is the password, here and now.
func TestAStepUpAnswersWhatMeDoes(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b, _, founder, arrival := founderByHandoff(t, s)
	_, before := read(t, s, arrival.Cookie("access_token").Value)
	if before["auth_time"] != seconds(s.Clock.Now().Add(-10*time.Minute)) {
		t.Errorf("I10: signed in at %v", before["auth_time"])
	}
	s.Clock.Advance(time.Minute)
	now := s.Clock.Now()
	answer := stepUp(b, testkit.Password, header("Origin", "https://"+testkit.Target))
	want := map[string]any{
		"user": map[string]any{
			"id": founder.ID.String(), "email": "founder@example.org", "display_name": "Ada Lovelace", "role": "founder",
			"status": "ACTIVE", "email_verified": true, "created_at": millis(founder.CreatedAt),
		},
		"session": map[string]any{
			"id":                sessionID(arrival), // the same session, which the journey's id still leads to
			"access_expires_at": millis(now.Add(30 * time.Minute)), "refresh_expires_at": millis(now.Add(7*24*time.Hour - time.Minute)),
		},
	}
	if diff := cmp.Diff(want, answer.Body); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	wantPrivateJSON(t, answer)
	if diff := cmp.Diff(answer.Body, b.Me().Body); diff != "" {
		t.Errorf("me (-answer +got):\n%s", diff)
	}
	wantSetCookies(t, answer,
		"fos_device=…; Path=/; Expires=Fri, 19 Feb 2027 12:11:00 GMT; HttpOnly; SameSite=Lax",
		"access_token=…; Path=/; Expires=Sat, 28 Nov 2026 12:10:00 GMT; HttpOnly; SameSite=Lax",
		"refresh_token=…; Path=/api/v1/auth; Expires=Sat, 28 Nov 2026 12:10:00 GMT; HttpOnly; SameSite=Lax")
	_, claims := read(t, s, answer.Cookie("access_token").Value)
	if diff := cmp.Diff([]any{"pwd"}, claims["amr"]); diff != "" || claims["auth_time"] != seconds(now) {
		t.Errorf("the token says amr %v at %v", claims["amr"], claims["auth_time"])
	}
	// The access token of before is good until it ends, for what it was good for.
	if me := meAt(t, s, arrival.Cookie("access_token").Value); roleOf(me) != "member" {
		t.Errorf("I10: the token of before acts as %s", roleOf(me))
	}
	if list := listOf(b, s); !strings.Contains(list.Raw, `"origin":"handoff"`) {
		t.Errorf("where it came from is forgotten: %s", list.Raw)
	}
	events := testkit.Events(t, s.FOS)
	if got := events[len(events)-1]; got != "session.elevated success password" {
		t.Errorf("I4: recorded %q", events)
	}
	wantNoneOf(t, "the log", s.Log.String(), testkit.Password)
}

// I10: the person's browser shows its arrival once more, after the step-up: a reload, or
// somebody with the arrival key. That proves an arrival, and no password.
func TestI10_anArrivalRepeatedAfterAStepUpIsAMembers(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.Member(t, "ada@example.org")
	house{t, s, ada}.linkMember(s.UserWithPassword(t, "founder@example.org", role(user.Founder)))
	dao, b := s.SignIn(t, ada), s.Browser(t)
	token := dao.MintToken()
	first := arrived(t, b.Arrive(token, key(firstKey)))
	if answer := stepUp(b, testkit.Password); answer.Status != http.StatusOK {
		t.Fatalf("step-up: %d %s", answer.Status, answer.Raw)
	}
	copied := s.Browser(t)
	again := arrived(t, copied.Arrive(token, key(firstKey)))
	if sessionID(again) != sessionID(first) {
		t.Errorf("session %s, want %s", sessionID(again), sessionID(first))
	}
	wantActing(t, s, copied, "repeated", "member")
	wantActing(t, s, b, "where they stepped up", "founder")
}

// Strict, and told apart from a wrong password: nothing of it is a try.
func TestAStepUpThatIsNotFilledInIsNoTry(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": "1"})
	b := signedIn(t, s)
	before := len(testkit.Events(t, s.FOS))
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `"x"`, `{"password":""}`, `{"password":null}`, `{"password":7}`, `{"Password":"x"}`, `{"password":"x","password":"x"}`,
		`{"password":"x","email":"founder@example.org"}`, `{"password":"x","device_fingerprint":"x"}`, `{"password":"x"}{}`, "{\"password\":\"\xff\"}", `password=x`,
	} {
		answer := b.FOSPost("step-up", body, header("Content-Type", "application/json"))
		wantProblem(t, answer, http.StatusBadRequest, "invalid_request")
		if faults, is := answer.Body["errors"].([]any); !is || len(faults) == 0 {
			t.Errorf("%s: no fault is named: %s", body, answer.Raw)
		}
	}
	wantProblem(t, b.FOSPost("step-up", `{"password":"x"}`, header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, "unsupported_media_type")
	wantProblem(t, stepUp(b, strings.Repeat("x", 8192)), http.StatusRequestEntityTooLarge, "body_too_large")
	if events := testkit.Events(t, s.FOS); len(events) != before {
		t.Errorf("recorded %q", events)
	}
	wantProblem(t, stepUp(b, tooLong), http.StatusUnauthorized, "invalid_credentials")
}

// Who is not signed in has nothing to step up from, and learns nothing of any account.
func TestAStepUpNeedsASessionThatIsLive(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	b, dao, founder, answer := founderByHandoff(t, s)
	have := tokensOf(t, answer)
	for name, cookies := range map[string]testkit.Header{
		"nothing": sending("other=1"), "garbage": sending(accessToken("garbage")), "a refresh token alone": sending(refreshToken(have.refresh)),
		"a refresh token in its place": sending(accessToken(have.refresh)), "a DAO session": sending("dao_session=" + dao.Cookie(s.DAOURL, "dao_session")),
	} {
		if got := stepUp(s.Browser(t), testkit.Password, cookies); got.Code() != "session_required" {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
	}
	testkit.Exec(t, s.FOS, `UPDATE users SET status = 'SUSPENDED' WHERE id = $1`, founder.ID)
	wantProblem(t, stepUp(b, testkit.Password), http.StatusForbidden, "account_inactive")
	testkit.Exec(t, s.FOS, `UPDATE users SET status = 'ACTIVE'`)
	wantGone(t, s.Browser(t).FOSPost("logout", nil, sending(accessToken(have.access))))
	wantProblem(t, stepUp(b, testkit.Password), http.StatusUnauthorized, "session_revoked")
	b.Get(s.FOSURL + "/health")
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event IN ('session.elevated', 'step_up.failed')`); n != 0 {
		t.Errorf("%d rows record what was not tried", n)
	}
}

// The attack: to guess a founder's password through their stolen session, where the
// login's limits do not look. They are the same budgets, also for who comes to both; a
// stranger uses up none but their own and the account's.
func TestAStepUpTakesFromTheLoginsBudgets(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": "4"})
	b, _, _, _ := founderByHandoff(t, s)
	wantWrong(t, s.Browser(t), 2, "Founder@example.org")
	for range 2 {
		wantProblem(t, stepUp(b, tooLong), http.StatusUnauthorized, "invalid_credentials")
	}
	wantLimited(t, stepUp(b, testkit.Password), "login-failed", 4)
	wantLimited(t, b.FOSLogin("founder@example.org", testkit.Password), "login-failed", 4)
	if answer := stepUp(b, testkit.Password, from(9)); answer.Status != http.StatusOK || answer.Cookie("fos_device") == nil {
		t.Fatalf("from elsewhere: %d %s", answer.Status, answer.Raw)
	}
	// From now on this browser is known, and has a budget of its own.
	for range 4 {
		wantProblem(t, stepUp(b, tooLong), http.StatusUnauthorized, "invalid_credentials")
	}
	wantLimited(t, stepUp(b, testkit.Password), "login-device", 4)
	wantActing(t, s, b, "told to wait", "founder") // and still in
}

// I11: tabs that refresh while one steps up, at two replicas: nobody is signed out, there
// is one next generation, and the founder's pair is theirs.
func TestI11_tabsRefreshWhileOneStepsUp(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, other := s.Replica(t)
	b, _, _, _ := founderByHandoff(t, s)
	for round := range 3 {
		cookies := fmt.Sprintf("%s; %s", accessToken(b.Cookie(s.FOSURL, "access_token")), refreshToken(b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")))
		generation := generationOf(t, s, b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token"))
		var answers [10]testkit.Answer
		var stepped testkit.Answer
		var wg sync.WaitGroup
		for tab := range answers {
			wg.Go(func() {
				answers[tab] = s.Browser(t).Post([]string{s.FOSURL, other}[tab%2]+"/api/v1/auth/refresh", nil, with, sending(cookies))
			})
		}
		wg.Go(func() { stepped = stepUp(b, testkit.Password) })
		wg.Wait()
		for _, answer := range append(answers[:], stepped) {
			if g := generationOf(t, s, wantRefreshed(t, answer)); g != generation+1 {
				t.Errorf("round %d: generation %d, want %d", round, g, generation+1)
			}
			if me := meAt(t, s, answer.Cookie("access_token").Value); me.Status != http.StatusOK {
				t.Errorf("round %d: signed out: %d %s", round, me.Status, me.Raw)
			}
		}
		wantActing(t, s, b, "stepped up", "founder")
	}
}
