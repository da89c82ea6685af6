package token_test

import (
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// The pair of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestBound_demandsTheChallengesVerifier(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, challenge, shown string
		want                   bool
	}{
		{"the RFC's own pair", challenge, verifier, true},
		{"no binding asked for, none shown", "", "", true},
		{"bound, nothing shown: the thief's case", challenge, "", false},
		{"bound, another verifier", challenge, strings.Replace(verifier, "d", "e", 1), false},
		{"bound, the challenge shown as verifier (plain)", challenge, challenge, false},
		{"bound, a verifier with something after it", challenge, verifier + "A", false},
		{"not bound, and a verifier shown", "", verifier, false},
		{"a challenge that is no digest", "x", "x", false},
	} {
		if got := (token.Claims{Challenge: row.challenge}).Bound(privacy.NewSecret(row.shown)); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}

func TestValidChallenge_isThirtyTwoBytesInBase64URL(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, text string
		want       bool
	}{
		{"the RFC's challenge", challenge, true},
		{"the RFC's verifier", verifier, true},
		{"empty", "", false},
		{"42 characters", challenge[1:], false},
		{"44 characters", challenge + "A", false},
		{"padded", challenge[:42] + "=", false},
		{"base64 with plus", "+" + challenge[1:], false},
		{"base64 with slash", "/" + challenge[1:], false},
		{"a space", " " + challenge[1:], false},
		{"a newline within, which the decoder skips", strings.Repeat("A", 20) + "\n" + strings.Repeat("A", 22), false},
		{"a carriage return at the end", challenge[:42] + "\r", false},
		{"bits set that belong to no byte", challenge[:42] + "N", false},
		{"not ASCII", strings.Repeat("é", 21) + "A", false},
	} {
		if got := token.ValidChallenge(row.text); got != row.want {
			t.Errorf("%s: %v", row.name, got)
		}
	}
}
