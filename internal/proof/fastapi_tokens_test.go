//go:build proof

package proof_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const rotatedOut = "the-key-of-before-the-rotation-0123456789"

// accessToken signs somebody in at the FOS half, and returns both tokens and the access
// token's claims.
func accessToken(t *testing.T, s *testkit.Service) (access, refresh string, claims jwt.MapClaims) {
	t.Helper()
	s.UserWithPassword(t, "bob@example.org")
	b := s.Browser(t)
	if answer := b.FOSLogin("bob@example.org", testkit.Password); answer.Status != http.StatusOK {
		t.Fatal(answer.Raw)
	}
	access, refresh = b.Cookie(s.FOSURL, "access_token"), b.Cookie(s.FOSURL+"/api/v1/auth/refresh", "refresh_token")
	claims = jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(access, claims); err != nil {
		t.Fatal(err)
	}
	return access, refresh, claims
}

// signed is a token of claims with changes; nil leaves a claim out.
func signed(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims, change map[string]any) string {
	t.Helper()
	claims = maps.Clone(claims)
	for name, value := range change {
		claims[name] = value
		if value == nil {
			delete(claims, name)
		}
	}
	text, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The example takes the FOS half's access tokens, also those of before a rotation and of a
// clock that is a second off, and nothing that only looks like one.
func TestProof_theFastAPIExampleKnowsAccessTokens(t *testing.T) {
	s := today(t, nil)
	access, refresh, claims := accessToken(t, s)
	url := fastAPI(t, s.DAOURL, map[string]string{"JWT_SECRET_KEY_PREVIOUS": "another-key-that-only-verifies-0123456789, " + rotatedOut})
	show := func(token string) testkit.Answer {
		return s.Browser(t).Get(url+"/me", testkit.Header{Name: "Cookie", Value: "__Host-access_token=" + token})
	}
	hs256, ours := jwt.SigningMethodHS256, []byte(testkit.JWTKey)
	changed := func(change map[string]any) string { return signed(t, hs256, ours, claims, change) }
	now := time.Now().Unix()
	for name, token := range map[string]string{
		"the FOS half's": access, "signed anew": changed(nil), "before the rotation": signed(t, hs256, []byte(rotatedOut), claims, nil),
		"of a clock ahead": changed(map[string]any{"nbf": now + 2, "iat": now + 2}),
	} {
		if me := show(token); me.Status != http.StatusOK || me.Text("id") != claims["sub"] || me.Text("role") != "member" {
			t.Errorf("%s: %d %s", name, me.Status, me.Raw)
		}
	}
	for begun := time.Now(); ; begun = time.Now() { // again, where the machine was too slow to tell
		me := show(changed(map[string]any{"exp": begun.Unix()}))
		if me.Status == http.StatusOK {
			break
		}
		if time.Since(begun) < time.Second {
			t.Errorf("ended this second: %d %s", me.Status, me.Raw)
			break
		}
	}
	refused := map[string]string{
		"none": "", "no JWT": "a.b.c", "a refresh token": refresh, "no signature": signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims, nil),
		"another key": signed(t, hs256, []byte(strings.Repeat("k", 32)), claims, nil), "HS512": signed(t, jwt.SigningMethodHS512, ours, claims, nil),
		"another audience": changed(map[string]any{"aud": "elsewhere"}), "another issuer": changed(map[string]any{"iss": "elsewhere"}),
		"another type": changed(map[string]any{"type": "refresh"}), "a type that is no text": changed(map[string]any{"type": []string{"access"}}),
		"an old one": changed(map[string]any{"exp": now - 5}), "an old one of before the rotation": signed(t, hs256, []byte(rotatedOut), claims, map[string]any{"exp": now - 5}),
		"a coming one": changed(map[string]any{"nbf": now + 30}),
	}
	for _, claim := range []string{"iss", "aud", "sub", "sid", "role", "type", "iat", "nbf", "exp", "jti"} {
		refused["without "+claim] = changed(map[string]any{claim: nil})
	}
	for name, token := range refused {
		if me := show(token); me.Status != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", name, me.Status, me.Raw)
		}
	}
	// A sibling's subdomain, or plain HTTP, can plant a cookie without the prefix (RFC 6265bis,
	// section 4.1.3.2): whoever takes both names is signed in as whom an attacker likes.
	if me := s.Browser(t).Get(url+"/me", testkit.Header{Name: "Cookie", Value: "access_token=" + access}); me.Status != http.StatusUnauthorized {
		t.Errorf("a cookie without the prefix: %d %s", me.Status, me.Raw)
	}
}

// What the FOS half's operator sets, the example has a setting for: development's cookie
// name, and tokens without an audience.
func TestProof_theFastAPIExampleIsSetAsTheFOSHalf(t *testing.T) {
	s := today(t, map[string]string{"JWT_AUDIENCE": "", "JWT_ISSUER": "elsewhere"})
	access, refresh, claims := accessToken(t, s)
	url := fastAPI(t, s.DAOURL, map[string]string{"ACCESS_COOKIE": "access_token", "JWT_AUDIENCE": "", "JWT_ISSUER": "elsewhere"})
	for token, want := range map[string]int{
		access: http.StatusOK, refresh: http.StatusUnauthorized,
		signed(t, jwt.SigningMethodHS256, []byte(testkit.JWTKey), claims, map[string]any{"aud": "founderyos-api"}): http.StatusUnauthorized,
	} {
		if me := s.Browser(t).Get(url+"/me", testkit.Header{Name: "Cookie", Value: "access_token=" + token}); me.Status != want {
			t.Errorf("%d, want %d: %s", me.Status, want, me.Raw)
		}
	}
}
