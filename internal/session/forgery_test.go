package session_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// forged is a token that starts as a good one and is changed in one thing.
type forged struct {
	header, claims map[string]any
	key            string
}

func (f forged) sign(t testing.TB) string {
	t.Helper()
	segment := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := segment(f.header) + "." + segment(f.claims)
	mac := hmac.New(sha256.New, []byte(f.key))
	mac.Write([]byte(text))
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// good is what the signer itself would sign, of either kind; taken from its own
// tokens, so that a test cannot fail to forge for the wrong reason.
func good(t testing.TB, raw string) forged {
	t.Helper()
	o := open(t, raw)
	f := forged{header: maps.Clone(o.Header), key: firstKey}
	if err := json.Unmarshal(o.Claims, &f.claims); err != nil {
		t.Fatal(err)
	}
	return f
}

func unix(at time.Time) float64 { return float64(at.Unix()) }

// forgeries apply to both kinds of token.
func forgeries(now time.Time) map[string]func(*forged) {
	set := func(claim string, value any) func(*forged) { return func(f *forged) { f.claims[claim] = value } }
	without := func(claim string) func(*forged) { return func(f *forged) { delete(f.claims, claim) } }
	all := map[string]func(*forged){
		"another issuer":            set("iss", "somebody"),
		"another audience":          set("aud", "somebody"),
		"a list of audiences":       set("aud", []string{"founderyos-api", "founderyos-refresh"}),
		"an empty audience":         set("aud", ""),
		"another type":              set("type", "id"),
		"expired now":               set("exp", unix(now)),
		"not yet valid":             set("nbf", unix(now.Add(6*time.Second))),
		"issued in the future":      set("iat", unix(now.Add(6*time.Second))),
		"exp as text":               set("exp", "tomorrow"),
		"sub is no id":              set("sub", "ada"),
		"sub in another spelling":   set("sub", "0190A000-0000-7000-8000-00000000000A"),
		"sid in braces":             set("sid", "{0190a000-0000-7000-8000-00000000000b}"),
		"sid is nobody's":           set("sid", "00000000-0000-0000-0000-000000000000"),
		"jti is no id":              set("jti", "1"),
		"jti is a number":           set("jti", 1),
		"an empty role":             set("role", ""),
		"amr is a text":             set("amr", "pwd"),
		"another key":               func(f *forged) { f.key = secondKey; delete(f.header, "kid") },
		"another key, our kid":      func(f *forged) { f.key = secondKey },
		"an empty key":              func(f *forged) { f.key = ""; delete(f.header, "kid") },
		"a kid that is not known":   func(f *forged) { f.header["kid"] = "ffffffff" },
		"a kid that is a path":      func(f *forged) { f.header["kid"] = "/dev/null"; f.key = "" },
		"a kid that is no text":     func(f *forged) { f.header["kid"] = []string{"236ee6b4"} },
		"an extension not known":    func(f *forged) { f.header["crit"] = []string{"b64"}; f.header["b64"] = false },
		"alg none, signed anyway":   func(f *forged) { f.header["alg"] = "none" },
		"alg HS512, HS256 signed":   func(f *forged) { f.header["alg"] = "HS512" },
		"alg RS256, the secret key": func(f *forged) { f.header["alg"] = "RS256" },
		"alg in lower case":         func(f *forged) { f.header["alg"] = "hs256" },
		"no alg":                    func(f *forged) { delete(f.header, "alg") },
	}
	for _, claim := range []string{"iss", "aud", "sub", "sid", "role", "type", "amr", "auth_time", "iat", "nbf", "exp", "jti"} {
		all["without "+claim] = without(claim)
	}
	return all
}

func TestI12_forgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	p := pair(t, s, stay(clock.Now()))
	access := func(raw string) error { _, err := s.VerifyAccess(raw); return err }
	refresh := func(raw string) error { _, err := s.VerifyRefresh(raw); return err }
	for kind, tc := range map[string]struct {
		raw    string
		verify func(string) error
	}{"access": {p.Access.Reveal(), access}, "refresh": {p.Refresh.Reveal(), refresh}} {
		if err := tc.verify(good(t, tc.raw).sign(t)); err != nil {
			t.Fatalf("%s: the token that the forgeries start from is not good: %v", kind, err)
		}
		for name, forge := range forgeries(clock.Now()) {
			f := good(t, tc.raw)
			forge(&f)
			if err := tc.verify(f.sign(t)); !errors.Is(err, session.ErrInvalidToken) {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
		}
	}
}

// What belongs to one kind only.
func TestI12_generationAndAudienceKeepTheKindsApart(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	config := configAt(clock)
	config.Audience = ""
	s := signer(t, config)
	p := pair(t, s, stay(clock.Now()))
	for name, claims := range map[string]map[string]any{
		"an audience where none is": {"aud": "founderyos-api"},
		"a generation":              {"gen": 1},
	} {
		f := good(t, p.Access.Reveal())
		maps.Copy(f.claims, claims)
		if _, err := s.VerifyAccess(f.sign(t)); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("an access token with %s: %v", name, err)
		}
	}
	for _, gen := range []any{nil, 0, -1, 1.5, "3"} {
		f := good(t, p.Refresh.Reveal())
		f.claims["gen"] = gen
		if _, err := s.VerifyRefresh(f.sign(t)); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("a refresh token of generation %v: %v", gen, err)
		}
	}
}

// The classics, made with the library itself.
func TestI12_theAlgorithmIsPinned(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	claims := jwt.MapClaims(good(t, pair(t, s, stay(clock.Now())).Access.Reveal()).claims)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, by := range map[string]struct {
		method jwt.SigningMethod
		key    any
	}{
		"none":  {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType},
		"HS384": {jwt.SigningMethodHS384, []byte(firstKey)},
		"HS512": {jwt.SigningMethodHS512, []byte(firstKey)},
		"RS256": {jwt.SigningMethodRS256, rsaKey},
	} {
		raw, err := jwt.NewWithClaims(by.method, claims).SignedString(by.key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.VerifyAccess(raw); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The platform's Python side signs without "kid": every key is tried then.
func TestATokenWithoutKeyIDIsTriedWithEveryKey(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	config := configAt(clock)
	config.Key, config.Previous = privacy.NewSecret(secondKey), []privacy.Secret{privacy.NewSecret(firstKey)}
	f := good(t, pair(t, signer(t, configAt(clock)), stay(clock.Now())).Access.Reveal())
	delete(f.header, "kid")
	for _, key := range []string{firstKey, secondKey} {
		f.key = key
		if _, err := signer(t, config).VerifyAccess(f.sign(t)); err != nil {
			t.Errorf("signed with %q: %v", key, err)
		}
	}
}

// I13 and I6: no text panics, is long worked on, or comes back in the error.
func TestI12_damagedTokensAreRefusedInSilence(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	raw := pair(t, s, stay(clock.Now())).Access.Reveal()
	damaged := []string{
		"", ".", "..", "...", raw + ".", raw + "=", raw + "\n", " " + raw, "Bearer " + raw, raw + "." + raw,
		strings.Repeat("a", 8<<10+1), strings.Repeat(".", 8<<10), "e30.e30.", "bnVsbA.bnVsbA.", "\xff.\xff.\xff",
	}
	for i := range len(raw) {
		damaged = append(damaged, raw[:i], raw[:i]+"A"+raw[i+1:], raw[:i]+"\x00"+raw[i+1:], raw[:i]+"\r\n"+raw[i:])
	}
	// The last character carries four bits of the signature and two of nothing.
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		damaged = append(damaged, raw[:len(raw)-1]+string(c))
	}
	for _, text := range damaged {
		if text == raw {
			continue
		}
		_, errAccess := s.VerifyAccess(text)
		_, errRefresh := s.VerifyRefresh(text)
		if errAccess != session.ErrInvalidToken || errRefresh != session.ErrInvalidToken { //nolint:errorlint // nothing may be wrapped around it
			t.Errorf("a damaged token of %d bytes: %v, %v", len(text), errAccess, errRefresh)
		}
	}
}

// A token of more than 8 KiB is refused even under a good signature.
func TestI13_aHugeTokenIsNotWorkedOn(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	f := good(t, pair(t, s, stay(clock.Now())).Access.Reveal())
	f.claims["padding"] = strings.Repeat("a", 5<<10)
	if _, err := s.VerifyAccess(f.sign(t)); err != nil {
		t.Fatalf("a token with a claim that we do not know: %v", err)
	}
	f.claims["padding"] = strings.Repeat("a", 6<<10)
	if _, err := s.VerifyAccess(f.sign(t)); !errors.Is(err, session.ErrInvalidToken) {
		t.Errorf("a token of more than 8 KiB: %v", err)
	}
}
