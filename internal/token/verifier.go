package token

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Verifier is the secret of a browser that began its journey here: 32 random bytes in
// base64url (RFC 7636, 4.1: the code verifier). Only its challenge travels with the
// browser, so that a token that was made for it is of no use to another. The zero
// Verifier is none. It cannot be printed.
type Verifier struct{ privacy.Secret }

// NewVerifier makes one from random, which must be a cryptographic source.
func NewVerifier(random io.Reader) (Verifier, error) {
	raw := make([]byte, sha256.Size)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Verifier{}, fmt.Errorf("token: read random bytes: %w", err)
	}
	return Verifier{privacy.NewSecret(base64.RawURLEncoding.EncodeToString(raw))}, nil
}

// ParseVerifier reads what a browser sent; what cannot be one is none.
func ParseVerifier(text string) Verifier {
	if !ValidChallenge(text) {
		return Verifier{}
	}
	return Verifier{privacy.NewSecret(text)}
}

// IsNone reports whether there is no verifier.
func (v Verifier) IsNone() bool { return v.IsEmpty() }

// Challenge is what may be seen: BASE64URL(SHA-256(verifier)), S256 of RFC 7636, 4.2.
func (v Verifier) Challenge() string { return challengeOf(v.Reveal()) }

func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
