package token_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/token"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newToken(t testing.TB) token.Token {
	t.Helper()
	tok, err := token.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// keyOf is a server key made of one letter.
func keyOf(t testing.TB, letter string) privacy.Key {
	t.Helper()
	key, err := privacy.NewKey([]byte(strings.Repeat(letter, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sealerOf(t testing.TB, letters ...string) *token.Sealer {
	t.Helper()
	keys := make([]privacy.Key, 0, len(letters))
	for _, letter := range letters {
		keys = append(keys, keyOf(t, letter))
	}
	sealer, err := token.NewSealer(keys, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sealer
}

func text(s string) *string { return &s }

// fullClaims has a value in every field.
func fullClaims(t testing.TB) token.Claims {
	t.Helper()
	email, err := privacy.ParseEmail("Ada@Example.org")
	if err != nil {
		t.Fatal(err)
	}
	return token.Claims{
		HandoffID: uuid.Must(uuid.NewV7()), UserID: uuid.New(), Email: email, EmailVerified: true,
		DisplayName: text("Ada Lovelace"), Principal: text("2vxsx-fae"), Roles: []string{"member", "steward"},
		EntryProduct: "think-tank", Target: "founderyos.test", ReturnPath: text("/plans/7?tab=2"),
		Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		AuthTime:  noon.Add(-time.Hour), AMR: []string{"pwd"}, IssuedAt: noon, ExpiresAt: noon.Add(token.TTL),
	}
}
