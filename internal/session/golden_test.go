package session_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// opened is a token as somebody reads it who has the first key and none of our code.
type opened struct {
	Header map[string]any  `json:"header"`
	Claims json.RawMessage `json:"claims"`
}

func open(t testing.TB, raw string) opened {
	t.Helper()
	signed, signature, ok := cutLast(raw, ".")
	mac := hmac.New(sha256.New, []byte(firstKey))
	mac.Write([]byte(signed))
	if !ok || signature != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
		t.Fatal("the signature is not HMAC-SHA256 under the key's own bytes")
	}
	header, claims, _ := strings.Cut(signed, ".")
	var o opened
	if err := json.Unmarshal(decode(t, header), &o.Header); err != nil {
		t.Fatal(err)
	}
	o.Claims = decode(t, claims)
	return o
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func decode(t testing.TB, segment string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// The claims are a contract with verifiers that are not ours. Who changes the
// golden files changes that contract: section 2 of the protocol first.
func TestThePairSaysExactlyWhatTheProtocolLists(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	p := pair(t, signer(t, configAt(clock)), stay(clock.Now()))
	for file, raw := range map[string]string{
		"testdata/access.json": p.Access.Reveal(), "testdata/refresh.json": p.Refresh.Reveal(),
	} {
		var got bytes.Buffer
		encoder := json.NewEncoder(&got)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(open(t, raw)); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got.String()); diff != "" {
			t.Errorf("%s (-golden +signed):\n%s", file, diff)
		}
	}
}

// Verifiers that pass no audience refuse a token that has one: it is left out,
// and out of access tokens only.
func TestWithoutAnAudienceTheClaimIsAbsent(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	config := configAt(clock)
	config.Audience = ""
	p := pair(t, signer(t, config), stay(clock.Now()))
	if claims := string(open(t, p.Access.Reveal()).Claims); strings.Contains(claims, `"aud"`) {
		t.Errorf("the access token says %s", claims)
	}
	if claims := string(open(t, p.Refresh.Reveal()).Claims); !strings.Contains(claims, `"aud":"founderyos-refresh"`) {
		t.Errorf("the refresh token says %s", claims)
	}
}
