package daoapi_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// asRole is a database URL with another user.
func asRole(t testing.TB, databaseURL, role string) string {
	t.Helper()
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal("the database URL is none")
	}
	parsed.User = url.UserPassword(role, "of-the-test")
	return parsed.String()
}

// spellings are the forms in which a secret could lie in a column: as it is, its
// bytes in hexadecimal (which is how Postgres writes bytea), and what it stands
// for in hexadecimal.
func spellings(secret string) []string {
	forms := []string{secret, hex.EncodeToString([]byte(secret))}
	if raw, err := base64.RawURLEncoding.DecodeString(secret); err == nil {
		forms = append(forms, hex.EncodeToString(raw))
	}
	return forms
}

// I5: a dump of the database and of Redis, taken in the middle of a hand-off, has
// nothing that opens a door, in any spelling; and Redis has no address of a person.
func TestI5_aDumpOpensNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: limited(map[string]int{"LOGIN_ACCOUNT": 5})})
	s.Member(t, "ada@example.org", withPassword(t))
	b := s.Browser(t)
	login(b, s.DAOURL, map[string]any{"email": "ada@example.org", "password": "a wrong password"})
	wantOK(t, login(b, s.DAOURL, map[string]any{"email": "ada@example.org", "password": testkit.Password}))
	b.FetchCSRF()
	used, live := b.MintToken(), b.Mint(map[string]any{"challenge": challenge, "return_path": "/private/notes"}).Text("token")
	wantOK(t, present(b, s.DAOURL, used, nil, key(firstKey)))
	wantProblem(t, present(b, s.DAOURL, used, nil, key(secondKey)), http.StatusBadRequest, "token_used", "exchange")
	first := b.Cookie(s.DAOURL, "dao_session")
	wantOK(t, refresh(b, s.DAOURL))

	dump, inRedis := testkit.Dump(t, s.DAO), redisDump(t, s)
	for _, name := range counters(t, s) {
		inRedis += "redis " + name + " " + s.Redis.Get(t.Context(), name).Val() + "\n"
	}
	if !strings.Contains(dump, "handoff.exchanged") || strings.Count(inRedis, "redis dao:handoff:") != 2 || !strings.Contains(inRedis, "redis dao:rate:login-account:") {
		t.Fatalf("the dumps are none:\n%s\n%s", dump, inRedis)
	}
	for name, secret := range map[string]string{
		"the live token": live, "the used token": used, "the session cookie": b.Cookie(s.DAOURL, "dao_session"), "the csrf value": b.CSRF,
		"the cookie before": first, "the known browser": b.Cookie(s.DAOURL, "dao_device"),
		"the password": testkit.Password, "a wrong password": "a wrong password", "an idempotency key": firstKey, "another key": secondKey,
		"the service token": testkit.ServiceToken, "the sealing key": testkit.SealingKey, "the pseudonym key": testkit.PseudonymKey,
	} {
		for _, form := range spellings(secret) {
			if strings.Contains(dump, form) {
				t.Errorf("%s is in the database as %q", name, form)
			}
			if strings.Contains(inRedis, form) {
				t.Errorf("%s is in redis as %q", name, form)
			}
		}
	}
	for _, part := range []string{"ada@", "example.org", "Lovelace", "/private", "think-tank", testkit.Target} {
		if strings.Contains(inRedis, part) {
			t.Errorf("redis shows %q", part)
		}
	}
}
