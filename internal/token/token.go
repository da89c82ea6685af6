package token

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

const (
	// TTL is how long a token lives.
	TTL = 60 * time.Second
	// RepeatWindow is how long the same caller may repeat the same exchange, with
	// the same Idempotency-Key, and be given the same answer (invariant I8).
	RepeatWindow = 10 * time.Second

	tokenBytes = 32
)

// Token is a live token. It cannot be printed; [Token.Reveal] is for the answer
// to the mint and the request to the other half alone.
type Token struct {
	text privacy.Secret
	sum  Digest
}

// Digest is the SHA-256 of a token's 32 bytes: the only form of it that is
// stored or logged. A token has 256 bits of randomness, so that its plain hash
// cannot be searched.
type Digest [sha256.Size]byte

// String returns the digest in hexadecimal.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// New makes a token from random, which must be a cryptographic source.
func New(random io.Reader) (Token, error) {
	raw := make([]byte, tokenBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return Token{}, fmt.Errorf("token: read random bytes: %w", err)
	}
	return of(hex.EncodeToString(raw), raw), nil
}

// Parse reads the 64 lowercase hexadecimal characters of a token, or returns
// [ErrMalformed]. One spelling only: were upper case taken too, one token would
// have many names in logs and caches.
func Parse(text string) (Token, error) {
	if len(text) != hex.EncodedLen(tokenBytes) {
		return Token{}, ErrMalformed
	}
	for i := range len(text) {
		if c := text[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return Token{}, ErrMalformed
		}
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return Token{}, ErrMalformed
	}
	return of(text, raw), nil
}

func of(text string, raw []byte) Token {
	return Token{text: privacy.NewSecret(text), sum: sha256.Sum256(raw)}
}

// Reveal returns the token's 64 characters.
func (t Token) Reveal() string { return t.text.Reveal() }

// IsNone reports whether t is the zero Token.
func (t Token) IsNone() bool { return t.text.IsEmpty() }

// Digest returns the form that may be stored and logged.
func (t Token) Digest() Digest { return t.sum }

// String returns the digest, which is what a log line may say.
func (t Token) String() string { return "token:" + t.sum.String() }

func (t Token) bytes() []byte {
	raw, err := hex.DecodeString(t.text.Reveal())
	if err != nil {
		panic("token: a Token that Parse or New did not make")
	}
	return raw
}
