package daoapi_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// tooLong is a wrong password that costs no hashing, for no account: no password
// has as many characters. To the limits it is a try like any other.
var tooLong = strings.Repeat("x", 4097)

// guess tries to sign in with a wrong password.
func guess(b *testkit.Browser, s *testkit.Service, email string, headers ...testkit.Header) testkit.Answer {
	return b.Post(s.DAOURL+loginPath, map[string]any{"email": email, "password": tooLong}, headers...)
}

// door is where a test signs in.
type door struct {
	t testing.TB
	s *testkit.Service
}

// wantGuesses tries n times, each of which must come to the password.
func (d door) wantGuesses(n int, b *testkit.Browser, email string, headers ...testkit.Header) {
	d.t.Helper()
	for range n {
		wantProblem(d.t, guess(b, d.s, email, headers...), http.StatusUnauthorized, "invalid_credentials", "")
	}
}

// Failed tries for an account from an address end at their number, whether or not
// there is such an account; another account, and another address, go on.
func TestLogin_failedTriesHaveABudget(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN": 3})})
	s.Member(t, "ada@example.org", withPassword(t))
	b, here, there := s.Browser(t), from("203.0.113.7"), from("203.0.113.8")
	bodies := map[string]bool{}
	for _, email := range []string{"ada@example.org", "nobody@example.org", "no address at all"} {
		door{t, s}.wantGuesses(3, b, email, here)
		for range 2 {
			answer := guess(b, s, email, here)
			wantLimited(t, answer, "login-failed", 3, "")
			bodies[strings.ReplaceAll(answer.Raw, answer.Text("request_id"), "")] = true
		}
	}
	if len(bodies) != 1 {
		t.Errorf("who has an account can be told from %v", bodies)
	}
	// Not even the right password, in another spelling of the address, is looked at.
	right := map[string]any{"email": "ADA@example.org", "password": testkit.Password}
	wantLimited(t, b.Post(s.DAOURL+loginPath, right, here), "login-failed", 3, "")
	door{t, s}.wantGuesses(3, b, "ada@example.org", there)
	wantLimited(t, guess(b, s, "ada@example.org", there), "login-failed", 3, "")
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'login.failed'`); n != 12 {
		t.Errorf("%d failed logins are recorded; a try that was not let through is none", n)
	}
}

// A good login forgives the failures before it, for that account and address alone.
// Hashing takes its time, and budgets fill up meanwhile: what they hold is counted
// right after it.
func TestLogin_aGoodOneForgivesTheFailures(t *testing.T) {
	t.Parallel()
	const perMinute = 5
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN": perMinute})})
	s.Member(t, "ada@example.org", withPassword(t))
	stranger, here, there := s.Browser(t), from("203.0.113.7"), from("203.0.113.8")
	failed := func() (n int) {
		for _, k := range counters(t, s) {
			n += strings.Count(k, ":login-failed:")
		}
		return n
	}
	door{t, s}.wantGuesses(perMinute, stranger, "eve@example.org", here)
	door{t, s}.wantGuesses(perMinute, stranger, "ada@example.org", there)
	door{t, s}.wantGuesses(1, stranger, "ada@example.org", here)
	if n := failed(); n != 3 {
		t.Fatalf("%d counters", n)
	}
	wantOK(t, login(s.Browser(t), s.DAOURL, map[string]any{"email": "ada@example.org", "password": testkit.Password}, here))
	if n := failed(); n != 2 {
		t.Errorf("%d counters after it, want those of the other account and of the other address", n)
	}
	door{t, s}.wantGuesses(perMinute, stranger, "ada@example.org", here)
	wantLimited(t, guess(stranger, s, "ada@example.org", here), "login-failed", perMinute, "")
}

// knownBrowser has the cookie that a good login to the account leaves.
func knownBrowser(t testing.TB, s *testkit.Service, email string) *testkit.Browser {
	t.Helper()
	value, err := devices(t).Make(email, s.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	b := s.Browser(t)
	b.SetCookie(s.DAOURL, "dao_device", value)
	return b
}

// devices makes and checks known browsers as the service does.
func devices(t testing.TB) *ratelimit.Devices {
	t.Helper()
	devices, err := ratelimit.NewDevices([]privacy.Key{testkit.Key(t, testkit.SealingKey).DeriveKey("known device dao")}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return devices
}

// The attack on the limit itself: strangers at many addresses use up an account's
// tries, so that its owner cannot sign in. The browser that they have signed in with
// before has a budget of its own.
func TestLogin_strangersCannotLockOutAKnownBrowser(t *testing.T) {
	t.Parallel()
	const perAccount, failed = 2, 5
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN": failed, "LOGIN_ACCOUNT": perAccount})})
	s.Member(t, "ada@example.org", withPassword(t))
	ada, mallory, home := knownBrowser(t, s, "ada@example.org"), knownBrowser(t, s, "mallory@example.org"), from("198.51.100.1")

	door{t, s}.wantGuesses(1, s.Browser(t), "ada@example.org", from("203.0.113.10"))
	door{t, s}.wantGuesses(1, mallory, "ada@example.org", from("203.0.113.11"))
	// What a stranger has is no known browser of this account, whatever it looks like.
	adas := ada.Cookie(s.DAOURL, "dao_device")
	for i, value := range []string{"", mallory.Cookie(s.DAOURL, "dao_device"), "x", adas[1:], strings.Repeat("A", len(adas))} {
		b := s.Browser(t)
		b.SetCookie(s.DAOURL, "dao_device", value)
		wantLimited(t, guess(b, s, "ada@example.org", from(fmt.Sprintf("203.0.113.%d", 20+i))), "login-account", perAccount, "")
	}

	// At home nobody notices; and her own failures there are forgiven as everybody's.
	right := map[string]any{"email": "ada@example.org", "password": testkit.Password}
	door{t, s}.wantGuesses(1, ada, "ada@example.org", home)
	wantOK(t, login(ada, s.DAOURL, right, from("203.0.113.10")))
	door{t, s}.wantGuesses(failed, ada, "ada@example.org", home)
	wantLimited(t, guess(ada, s, "ada@example.org", home), "login-device", failed, "")
	wantLimited(t, guess(ada, s, "ada@example.org", from("198.51.100.2")), "login-device", failed, "")
}

// The address's budget counts for everybody there, known browsers too, and for
// whatever account. An IPv6 customer has more addresses than there are budgets:
// their /64 is one.
func TestLogin_anAddressHasABudgetForAllItsTries(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN_ADDRESS": 3})})
	known := knownBrowser(t, s, "ada@example.org")
	for _, addresses := range [][3]string{
		{"203.0.113.7", "203.0.113.7", "203.0.113.8"}, {"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"},
	} {
		door{t, s}.wantGuesses(1, known, "ada@example.org", from(addresses[0]))
		for i := range 2 {
			door{t, s}.wantGuesses(1, s.Browser(t), fmt.Sprintf("%d@example.org", i), from(addresses[i]))
		}
		wantLimited(t, guess(known, s, "ada@example.org", from(addresses[1])), "login-address", 3, "")
		wantLimited(t, guess(s.Browser(t), s, "new@example.org", from(addresses[0])), "login-address", 3, "")
		door{t, s}.wantGuesses(1, known, "ada@example.org", from(addresses[2]))
	}
}

// What is no try at a password takes nothing: a form that is not filled in, a
// request from another site, one of a wrong type.
func TestLogin_whatIsNoTryIsNotCounted(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN_ADDRESS": 1})})
	b := s.Browser(t)
	for range 3 {
		wantProblem(t, b.Post(s.DAOURL+loginPath, `{"email":"ada@example.org"}`), http.StatusBadRequest, "invalid_request", "")
		wantProblem(t, guess(b, s, "ada@example.org", header("Origin", "https://evil.test")), http.StatusForbidden, "origin_not_allowed", "")
		wantProblem(t, guess(b, s, "ada@example.org", header("Content-Type", "text/plain")), http.StatusUnsupportedMediaType, "unsupported_media_type", "")
	}
	if keys := counters(t, s); len(keys) != 0 {
		t.Errorf("counters %v", keys)
	}
	door{t, s}.wantGuesses(1, b, "ada@example.org")
	wantLimited(t, guess(b, s, "ada@example.org"), "login-address", 1, "")
}
