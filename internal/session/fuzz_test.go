package session_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// FuzzVerify: nothing is taken for an access or a refresh token but the very text that
// was signed as one (I12), and nothing panics. The attack is every library's past: other
// algorithms, no signature, the other token's type, a second spelling.
func FuzzVerify(f *testing.F) {
	clock := testkit.NewClock()
	s := signer(f, configAt(clock))
	p := pair(f, s, stay(clock.Now()))
	access, refresh := p.Access.Reveal(), p.Refresh.Reveal()
	head, rest, _ := strings.Cut(access, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	encode := base64.RawURLEncoding.EncodeToString
	for _, seed := range []string{
		access, refresh, "", ".", "..", "...", access + ".", access + "=", access + "\n", access[:40] + "\r\n" + access[40:], access[:len(access)-1], head + "." + payload + ".",
		encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + payload + ".", encode([]byte(`{"alg":"HS512","typ":"JWT"}`)) + "." + payload + "." + signature,
		encode([]byte(`{"alg":"HS256","alg":"none"}`)) + "." + payload + "." + signature, encode([]byte(`{"alg":7}`)) + "." + payload + "." + signature,
		encode([]byte(`{"alg":"HS256","kid":["a"]}`)) + "." + payload + "." + signature, encode([]byte(`{"alg":"HS256","crit":["exp"]}`)) + "." + payload + "." + signature,
		head + "." + encode([]byte(`{"exp":1e999,"aud":{},"amr":7}`)) + "." + signature, head + "." + encode([]byte(`null`)) + "." + signature, strings.Repeat("a.", 5000), "\xff.\xff.\xff",
		strings.ReplaceAll(refresh, ".", "."+payload+"."), head + "." + strings.Split(refresh, ".")[1] + "." + signature,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if claims, err := s.VerifyAccess(raw); (err == nil) != (raw == access) {
			t.Fatalf("%q as access: %+v, %v", raw, claims, err)
		} else if err != nil && !errors.Is(err, session.ErrInvalidToken) {
			t.Fatalf("%q: %v", raw, err)
		}
		if claims, err := s.ReadAccess(raw); (err == nil) != (raw == access) {
			t.Fatalf("%q as an access token that may have ended: %+v, %v", raw, claims, err)
		}
		if claims, err := s.VerifyRefresh(raw); (err == nil) != (raw == refresh) {
			t.Fatalf("%q as refresh: %+v, %v", raw, claims, err)
		} else if err != nil && !errors.Is(err, session.ErrInvalidToken) {
			t.Fatalf("%q: %v", raw, err)
		}
	})
}
