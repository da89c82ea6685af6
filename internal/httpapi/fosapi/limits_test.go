package fosapi_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// limited is a service with these limits a minute, which believes what a test says of
// the client's address. Budgets go by the clock of Redis: a story must not take as long
// as the numbers it uses need to come back.
func limited(t testing.TB, limits map[string]string) *testkit.Service {
	t.Helper()
	env := map[string]string{"TRUSTED_PROXIES": "127.0.0.1"}
	for name, value := range limits {
		env["RATE_LIMIT_"+name+"_PER_MINUTE"] = value
	}
	return testkit.Start(t, testkit.Options{Env: env})
}

// from is a client's address, as a trusted proxy tells it.
func from(last int) testkit.Header {
	return header("X-Forwarded-For", "203.0.113."+strconv.Itoa(last))
}

// wantLimited demands 429 by the budget of that name, of that many a minute, and a
// true waiting time.
func wantLimited(t testing.TB, answer testkit.Answer, budget string, perMinute int) {
	t.Helper()
	wantProblem(t, answer, http.StatusTooManyRequests, "rate_limited")
	wait, err := strconv.Atoi(answer.Header.Get("Retry-After"))
	if err != nil || wait < 1 || wait > 60/perMinute+1 {
		t.Errorf("Retry-After %q for %d a minute", answer.Header.Get("Retry-After"), perMinute)
	}
	for name, want := range map[string]string{
		"RateLimit":        fmt.Sprintf("%q;r=0;t=%d", budget, wait),
		"RateLimit-Policy": fmt.Sprintf("%q;q=%d;w=60", budget, perMinute),
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// wantWrong fails to sign in n times, each time for the password.
func wantWrong(t testing.TB, b *testkit.Browser, n int, email string, headers ...testkit.Header) {
	t.Helper()
	for range n {
		wantProblem(t, b.FOSLogin(email, tooLong, headers...), http.StatusUnauthorized, "invalid_credentials")
	}
}

// Five wrong passwords a minute, for one account from one address; whether there is
// such an account makes no difference. The right one is then not looked at either, or
// guessing would go on.
func TestFiveWrongPasswordsAreEnough(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": ""}) // the default
	s.UserWithPassword(t, "ada@example.org")
	s.User(t, "passwordless@example.org")
	seen := map[string]bool{}
	b := s.Browser(t)
	for _, email := range []string{"ada@example.org", "passwordless@example.org", "nobody@example.org", "no address"} {
		wantWrong(t, b, 5, email)
		answer := b.FOSLogin(strings.ToUpper(email), testkit.Password)
		wantLimited(t, answer, "login-failed", 5)
		seen[strings.ReplaceAll(answer.Raw, answer.Text("request_id"), "")] = true
	}
	if len(seen) != 1 {
		t.Errorf("%d different answers: %v", len(seen), seen)
	}
	// Another address has a budget of its own.
	wantWrong(t, b, 1, "ada@example.org", from(9))
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log`); n != 21 {
		t.Errorf("%d rows record 21 failures; what was refused before the password is none", n)
	}
}

// Somebody mistypes and then gets it right: the count begins anew.
func TestTheRightPasswordForgivesTheWrongOnes(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": "3"})
	s.UserWithPassword(t, "ada@example.org")
	wantWrong(t, s.Browser(t), 2, "ada@example.org")
	if answer := s.Browser(t).FOSLogin("ada@example.org", testkit.Password); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	wantWrong(t, s.Browser(t), 3, "ada@example.org")
	wantLimited(t, s.Browser(t).FOSLogin("ada@example.org", tooLong), "login-failed", 3)

	// Who knew it has not guessed, whatever else keeps them out; they are not known for
	// it, for they have not been in.
	s.UserWithPassword(t, "unproven@example.org", unproven)
	wantWrong(t, s.Browser(t), 2, "unproven@example.org")
	wantProblem(t, s.Browser(t).FOSLogin("unproven@example.org", testkit.Password), http.StatusForbidden, "email_unverified")
	wantWrong(t, s.Browser(t), 3, "unproven@example.org")
	wantLimited(t, s.Browser(t).FOSLogin("unproven@example.org", tooLong), "login-failed", 3)
}

// A try that nobody judged is no wrong password: who was told 503, as often as they
// tried, is not told to wait for it.
func TestATryThatNobodyJudgedIsGivenBack(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": "2"}).Linked(t, nil)
	b := s.Browser(t)
	s.FOSPostgres.Cut()
	for range 4 {
		begun := time.Now()
		wantUnavailable(t, b.FOSLogin("ada@example.org", tooLong), begun)
	}
	s.FOSPostgres.Mend()
	for range 40 { // connections that died in the outage cost a try each
		if answer := b.FOSLogin("ada@example.org", tooLong); answer.Status != http.StatusServiceUnavailable {
			break
		}
	}
	wantWrong(t, b, 1, "ada@example.org")
	wantLimited(t, b.FOSLogin("ada@example.org", tooLong), "login-failed", 2)
}

// A stranger guesses from everywhere until the account's own budget is used up. Who
// would sign in from a new browser has to wait; who has signed in before does not
// notice. The attack: to lock somebody out.
func TestAStrangerLocksNobodyOutOfTheirOwnBrowser(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": "3", "LOGIN_ACCOUNT": "4"})
	s.UserWithPassword(t, "ada@example.org")
	s.User(t, "bob@example.org")
	home, stranger := s.Browser(t), s.Browser(t)
	if answer := home.FOSLogin("ada@example.org", testkit.Password, from(1)); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	home.FOSPost("logout", nil)
	for address := range 3 {
		wantWrong(t, stranger, 1, "ada@example.org", from(100+address))
	}
	wantLimited(t, stranger.FOSLogin("ada@example.org", tooLong, from(200)), "login-account", 4)
	wantLimited(t, s.Browser(t).FOSLogin("ada@example.org", testkit.Password, from(1)), "login-account", 4)

	wantWrong(t, home, 2, "ada@example.org", from(1))
	if answer := home.FOSLogin("ada@example.org", testkit.Password, from(1)); answer.Status != http.StatusOK {
		t.Errorf("at home: %d %s", answer.Status, answer.Raw)
	}
	// A known browser may guess no more than an unknown one.
	wantWrong(t, home, 3, "ada@example.org", from(1))
	wantLimited(t, home.FOSLogin("ada@example.org", testkit.Password, from(1)), "login-device", 3)
	// And it is known for that account alone.
	for address := range 4 {
		wantWrong(t, stranger, 1, "bob@example.org", from(100+address))
	}
	wantLimited(t, home.FOSLogin("bob@example.org", tooLong, from(1)), "login-account", 4)
}

// What says that a browser is known is signed: nobody makes it up, and one address
// counts for everybody, known or not.
func TestAMadeUpDeviceIsNone(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN": "2", "LOGIN_ADDRESS": "5"})
	for _, value := range []string{"garbage", strings.Repeat("A", 76)} {
		wantWrong(t, s.Browser(t), 1, "nobody@example.org", sending("fos_device="+value))
	}
	wantLimited(t, s.Browser(t).FOSLogin("nobody@example.org", tooLong, sending("fos_device="+strings.Repeat("A", 76))), "login-failed", 2)
	wantWrong(t, s.Browser(t), 2, "somebody@example.org")
	wantLimited(t, s.Browser(t).FOSLogin("else@example.org", tooLong), "login-address", 5)
}

// The protocol's order: what the guards and the decoder refuse is no try.
func TestWhatIsNoTryIsNotCounted(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"LOGIN_ADDRESS": "2", "ARRIVAL": "2"})
	b := s.Browser(t)
	arrival, login := s.FOSURL+"/api/v1/auth/cross-domain-login", s.FOSURL+"/api/v1/auth/login"
	good := map[string]any{"email": "nobody@example.org", "password": tooLong}
	for range 3 {
		wantProblem(t, b.Post(login, good), http.StatusForbidden, "csrf_failed")
		wantProblem(t, b.Post(login, good, with, header("Origin", "https://evil.test")), http.StatusForbidden, "origin_not_allowed")
		wantProblem(t, b.Post(login, `{}`, with), http.StatusBadRequest, "invalid_request")
		wantProblem(t, b.Post(login, "no JSON", with, header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, "unsupported_media_type")
		wantProblem(t, b.Post(arrival, map[string]any{"token": strings.Repeat("0f", 32)}), http.StatusForbidden, "csrf_failed")
		wantProblem(t, b.Arrive("malformed"), http.StatusBadRequest, "token_malformed")
		wantProblem(t, b.Arrive(strings.Repeat("0f", 32), key("short")), http.StatusBadRequest, "invalid_request")
	}
	wantWrong(t, b, 2, "nobody@example.org")
	wantLimited(t, b.FOSLogin("nobody@example.org", tooLong), "login-address", 2)
	for range 2 {
		wantInvalid(t, b.Arrive(strings.Repeat("0f", 32)), "invalid", "")
	}
	wantLimited(t, b.Arrive(strings.Repeat("0f", 32)), "arrival", 2)
}

// I1: who is told to wait has not lost their hand-off by it.
func TestI1_anArrivalThatHasToWaitKeepsItsToken(t *testing.T) {
	t.Parallel()
	s := limited(t, map[string]string{"ARRIVAL": "2"})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := dao.MintToken()
	b := s.Browser(t)
	for range 2 {
		wantInvalid(t, b.Arrive(strings.Repeat("0f", 32), from(1)), "invalid", "")
	}
	before := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log`)
	for range 3 {
		waiting := b.Arrive(token, from(1))
		wantLimited(t, waiting, "arrival", 2)
		if waiting.Text("stage") != "login" {
			t.Errorf("stage %q", waiting.Text("stage"))
		}
	}
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE redeemed_at IS NOT NULL`); n != 0 {
		t.Error("the token was redeemed")
	}
	if after := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log`); after != before {
		t.Errorf("%d rows record what did not happen", after-before)
	}
	arrived(t, b.Arrive(token, from(2)))
}

// Without Redis nobody's password is looked at: a limit on guessing that opens when
// Redis is slow is an invitation to make it slow. A hand-off guesses nothing, and has
// sixty seconds; and who is in stays in.
func TestWithoutRedisNobodyGuessesAndEverybodyArrives(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	env := map[string]string{"RATE_LIMIT_ARRIVAL_PER_MINUTE": "1"}
	maps.Copy(env, fosOnly(s.DAOURL))
	linked := s.Linked(t, env)
	s.UserWithPassword(t, "eve@example.org")
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	for name, trouble := range map[string]func(){"down": linked.RedisLink.Cut, "hanging": linked.RedisLink.Freeze} {
		trouble()
		events := len(testkit.Events(t, s.FOS))
		begun := time.Now()
		wantUnavailable(t, s.Browser(t).Post(linked.FOSURL+"/api/v1/auth/login",
			map[string]any{"email": "eve@example.org", "password": testkit.Password}, with), begun)
		if after := len(testkit.Events(t, s.FOS)); after != events {
			t.Errorf("%s: a login that was not tried is recorded", name)
		}
		b := s.Browser(t)
		for range 2 {
			begun = time.Now()
			arrived(t, arriveAt(b, linked.FOSURL, dao.MintToken()))
			if took := time.Since(begun); took > patience {
				t.Errorf("%s: an arrival took %v", name, took)
			}
		}
		begun = time.Now()
		wantUnavailable(t, b.Post(linked.FOSURL+"/api/v1/auth/step-up", map[string]any{"password": tooLong}, with), begun)
		for _, path := range []string{"refresh", "logout-all"} {
			if answer := b.Post(linked.FOSURL+"/api/v1/auth/"+path, nil, with); answer.Status >= 300 {
				t.Errorf("%s, %s: %d %s", name, path, answer.Status, answer.Raw)
			}
		}
		linked.RedisLink.Mend()
	}
}
