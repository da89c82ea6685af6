package token_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// The example of RFC 7636, appendix B.
func TestVerifier_challengeIsTheOneOfTheRFC(t *testing.T) {
	t.Parallel()
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	v := token.ParseVerifier(verifier)
	if v.Challenge() != challenge || v.Reveal() != verifier || v.IsNone() {
		t.Errorf("%s", v.Challenge())
	}
	if !(token.Claims{Challenge: challenge}).Bound(v.Secret) {
		t.Error("does not fit its own challenge")
	}
}

func TestVerifier_isRandomAndReadAgain(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		v, err := token.NewVerifier(rand.Reader)
		if err != nil || token.ParseVerifier(v.Reveal()).Reveal() != v.Reveal() || seen[v.Reveal()] {
			t.Fatalf("%v", err)
		}
		seen[v.Reveal()] = true
		if text := fmt.Sprintf("%v %+v %#v %s", v, v, v, v); strings.Contains(text, v.Reveal()) {
			t.Errorf("prints as %s", text)
		}
	}
	if _, err := token.NewVerifier(iotest.ErrReader(errors.New("no randomness"))); err == nil {
		t.Error("made one of nothing")
	}
}

// What a browser sends in its place is none, never an error: the person's journey goes on
// as one that nobody began here.
func TestVerifier_whatCannotBeOneIsNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "x", strings.Repeat("a", 42), strings.Repeat("a", 44), strings.Repeat("a", 42) + "=", strings.Repeat("a", 42) + "+",
		strings.Repeat("a", 42) + "B", // bits that belong to no byte: a second spelling
		strings.Repeat("a", 41) + "\r\n",
	} {
		if v := token.ParseVerifier(text); !v.IsNone() || v.Reveal() != "" {
			t.Errorf("%q is taken", text)
		}
	}
}
