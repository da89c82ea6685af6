package fosapi_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func address(t testing.TB, text string) netip.Addr {
	t.Helper()
	addr, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// walk makes journeys that go well and badly, and returns what nobody but the
// browser may keep: tokens, cookies and their parts.
func walk(t testing.TB, s *testkit.Service, b *testkit.Browser, headers ...testkit.Header) []string {
	t.Helper()
	minted := b.Mint(map[string]any{"return_path": "/private/notes"}, headers...)
	token := minted.Text("token")
	secrets := []string{token, b.CSRF, b.Cookie(s.DAOURL, "dao_session")}
	answer := arrived(t, b.Arrive(token, append(headers, key(firstKey))...))
	for _, name := range []string{"access_token", "refresh_token"} {
		raw := answer.Cookie(name).Value
		parts := strings.Split(raw, ".")
		secrets = append(secrets, raw, parts[1], parts[2])
	}
	b.Get(s.FOSURL+"/api/v1/auth/me", headers...)
	b.Arrive(token, headers...)                                                                     // used
	b.Arrive(strings.Repeat("0e", 32), headers...)                                                  // unknown
	b.Get(s.FOSURL+"/cross-domain?token="+token, headers...)                                        // the landing page
	b.Get(s.FOSURL+"/nowhere/"+token, headers...)                                                   // no page
	b.Post(s.FOSURL+"/api/v1/auth/cross-domain-login", `{"token":"`+token+`","x":1}`, headers...)   // refused by a guard
	b.Post(s.FOSURL+"/api/v1/auth/cross-domain-login", `{"`+token+`":1}`, append(headers, with)...) // refused by the decoder
	b.Post(s.FOSURL+"/api/v1/auth/logout", nil, append(headers, with)...)
	return append(secrets, firstKey)
}

var with = header("X-Requested-With", "test")

// I5: who takes a copy of the databases can be nobody.
func TestI5_theDatabasesHoldNothingThatOpensADoor(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		secrets := walk(t, s, ada)
		live := s.SignIn(t, s.Member(t, "live@example.org"))
		answer := arrived(t, live.Arrive(live.MintToken(), key(secondKey)))
		secrets = append(secrets, secondKey, "eyJ", // how every JWT begins
			answer.Cookie("access_token").Value, answer.Cookie("refresh_token").Value,
			testkit.JWTKey, testkit.ServiceToken, testkit.SealingKey, testkit.PseudonymKey)
		for half, dump := range map[string]string{"dao": testkit.Dump(t, s.DAO), "fos": testkit.Dump(t, s.FOS)} {
			if !strings.Contains(dump, "session.created") {
				t.Fatalf("the dump of %s is none", half)
			}
			wantNoneOf(t, "the "+half+" database", dump, secrets...)
		}
	})
}

// I6: the log of every journey, at its most talkative, names neither the person nor
// what they hold.
func TestI6_theLogsHoldNeitherPeopleNorWhatTheyHold(t *testing.T) {
	t.Parallel()
	for name, overHTTP := range map[string]bool{"in process": false, "over HTTP": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{
				OverHTTP: overHTTP, Env: map[string]string{"LOG_LEVEL": "debug", "TRUSTED_PROXIES": "127.0.0.1"},
			})
			ada := s.SignIn(t, s.Member(t, "ada.lovelace@example.org"))
			secrets := walk(t, s, ada,
				header("User-Agent", "Agent/47.11"), header("X-Forwarded-For", "203.0.113.77"), header("X-Request-ID", "from-outside"))
			fos := s.SignInAtFOS(t, s.User(t, "at.home@example.org"))
			if me := fos.Me(); me.Status != http.StatusOK {
				t.Fatalf("me: %d %s", me.Status, me.Raw)
			}
			log := s.Log.String()
			if strings.Count(log, `"msg":"request"`) < 10 {
				t.Fatal("there is no log")
			}
			wantNoneOf(t, "the log", log, append(secrets, "eyJ", "ada.lovelace", "at.home", "example.org", "Agent/47.11",
				"203.0.113.77", "from-outside", "/private/notes", "Ada Lovelace", testkit.JWTKey, testkit.ServiceToken)...)
			wantNoneOf(t, "the audit logs", testkit.Dump(t, s.DAO, "members", "sessions", "handoffs")+testkit.Dump(t, s.FOS, "users", "sessions"),
				append(secrets, "example.org", "Agent/47.11", "203.0.113.77", "127.0.0.1")...)
		})
	}
}

func wantNoneOf(t testing.TB, where, text string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if secret == "" {
			t.Error("an empty secret is looked for")
			continue
		}
		if i := strings.Index(text, secret); i >= 0 {
			t.Errorf("%s holds %.12s…: %s", where, secret, text[max(0, i-80):min(len(text), i+20)])
		}
	}
}

// I6: neither is any of it in an answer that refuses.
func TestI6_refusalsQuoteNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	arrived(t, ada.Arrive(token))
	for _, body := range []any{
		map[string]any{"token": token}, map[string]any{"token": token + "0"}, `{"` + token + `":"ada@example.org"}`,
		`{"token":"` + token + `","token":"` + token + `"}`, `{"token":["` + token + `"]}`, `"` + token + `"`,
	} {
		answer := s.Browser(t).Post(s.FOSURL+"/api/v1/auth/cross-domain-login", body, with)
		if answer.Status < 400 || strings.Contains(answer.Raw, token[:16]) || strings.Contains(answer.Raw, "ada@") {
			t.Errorf("%d %s", answer.Status, answer.Raw)
		}
	}
}
