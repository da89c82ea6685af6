package privacy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// I6: whatever a careless line does with a secret or an address, the text does
// not come out. The values sit in an unexported field of a foreign struct too,
// where fmt cannot call methods.
func TestI6_nothingPrintsASecretOrAnEmail(t *testing.T) {
	const text = "hunter2@example.org"
	secret := privacy.NewSecret(text)
	email, err := privacy.ParseEmail(text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := privacy.NewKey([]byte(strings.Repeat(text, 2)))
	if err != nil {
		t.Fatal(err)
	}
	type carrier struct {
		Secret  privacy.Secret
		private privacy.Email
	}
	values := map[string]any{
		"secret": secret, "email": email, "key": key, "pointer": &secret, "mac": key.MAC(),
		"carrier": carrier{secret, email}, "slice": []privacy.Email{email},
		"map": map[string]privacy.Secret{"k": secret}, "error": fmt.Errorf("bad %v", email),
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%p"} {
			if out := fmt.Sprintf(verb, value); containsText(out, text) {
				t.Errorf("%s with %s prints %q", name, verb, out)
			}
		}
		if out, err := json.Marshal(value); err == nil && containsText(string(out), text) {
			t.Errorf("%s as JSON is %s", name, out)
		}
		var logged bytes.Buffer
		for _, handler := range []slog.Handler{slog.NewJSONHandler(&logged, nil), slog.NewTextHandler(&logged, nil)} {
			slog.New(handler).Info("x", "value", value)
		}
		if containsText(logged.String(), text) {
			t.Errorf("%s logs as %s", name, logged.String())
		}
	}
	if secret.Reveal() != text || email.Reveal() != text {
		t.Error("Reveal does not give the text back")
	}
}

// containsText also finds the hexadecimal form that %x would give.
func containsText(out, text string) bool {
	return strings.Contains(out, text) || strings.Contains(strings.ToLower(out), fmt.Sprintf("%x", text))
}

// I12: an expected secret that was never configured matches nobody.
func TestI12_secretsCompareWholeAndAnEmptyOneMatchesNothing(t *testing.T) {
	for _, tc := range []struct {
		secret, candidate string
		want              bool
	}{
		{"open sesame", "open sesame", true},
		{"open sesame", "open sesam", false},
		{"open sesame", "open sesame ", false},
		{"open sesame", "", false},
		{"", "", false},
		{"", "anything", false},
	} {
		if got := privacy.NewSecret(tc.secret).Equal(tc.candidate); got != tc.want {
			t.Errorf("Secret(%q).Equal(%q) = %v", tc.secret, tc.candidate, got)
		}
	}
	if (privacy.Secret{}).Equal("") {
		t.Error("the zero Secret equals the empty string")
	}
}

// I9: two addresses are one only when they differ in the case of ASCII letters.
func TestI9_emailsFoldAsciiOnly(t *testing.T) {
	for _, tc := range []struct{ in, canonical string }{
		{"Ada@Example.ORG", "ada@example.org"},
		{"\u212Aim@example.org", "\u212Aim@example.org"}, // KELVIN SIGN stays itself
		{"İ@example.org", "İ@example.org"},
	} {
		email, err := privacy.ParseEmail(tc.in)
		if err != nil {
			t.Fatalf("%q: %v", tc.in, err)
		}
		if email.Canonical() != tc.canonical || email.Reveal() != tc.in {
			t.Errorf("%q has canonical form %q", tc.in, email.Canonical())
		}
	}
	for _, bad := range []string{
		"", "ada", "@", "ada@", "@example.org", "a@b@c", "a b@c", "a@b\r\nBcc: x", "a\x00@b",
		strings.Repeat("a", 250) + "@b.cd",
	} {
		if _, err := privacy.ParseEmail(bad); !errors.Is(err, privacy.ErrEmail) {
			t.Errorf("ParseEmail(%q) = %v", bad, err)
		}
	}
}

// I6: the pseudonym recognises an address within a day and under one key only.
func TestI6_pseudonymsLinkWithinADayUnderOneKeyOnly(t *testing.T) {
	key := func(b byte) privacy.Key {
		k, err := privacy.NewKey(bytes.Repeat([]byte{b}, 32))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	noon := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	one, other := privacy.NewPseudonymizer(key(1)), privacy.NewPseudonymizer(key(2))
	addr := netip.MustParseAddr
	base := one.Of(addr("192.0.2.7"), noon)

	if len(base.Value) != 32 || base.KeyID == "" {
		t.Errorf("pseudonym %+v has not the documented form", base)
	}
	if got := one.Of(addr("::ffff:192.0.2.7"), noon.Add(11*time.Hour)); got != base {
		t.Error("the same address on the same day has two pseudonyms")
	}
	for name, different := range map[string]privacy.Pseudonym{
		"another address": one.Of(addr("192.0.2.8"), noon),
		"another day":     one.Of(addr("192.0.2.7"), noon.Add(12*time.Hour)),
		"another key":     other.Of(addr("192.0.2.7"), noon),
	} {
		if different.Value == base.Value {
			t.Errorf("%s gives the same pseudonym", name)
		}
	}
	if one.Of(addr("2001:db8::1"), noon) != one.Of(addr("2001:db8::ffff:2%eth0"), noon) {
		t.Error("two addresses of one /64 differ")
	}
	if one.Of(addr("2001:db8::1"), noon) == one.Of(addr("2001:db8:0:1::1"), noon) {
		t.Error("two /64 networks have one pseudonym")
	}
	if one.Of(netip.Addr{}, noon) != (privacy.Pseudonym{}) {
		t.Error("no address has a pseudonym")
	}
	if _, err := privacy.NewKey(make([]byte, 31)); !errors.Is(err, privacy.ErrShortKey) {
		t.Errorf("31 bytes make a key: %v", err)
	}
}
