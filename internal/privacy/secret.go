package privacy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// hidden is a string that no printer can see. Embedding it gives a type all the
// methods by which fmt, encoding/json, encoding.TextMarshaler users and slog
// would otherwise reach the text.
type hidden struct{ text *string }

func hide(s string) hidden { return hidden{text: &s} }

func (h hidden) reveal() string {
	if h.text == nil {
		return ""
	}
	return *h.text
}

// Format answers every verb, %d and %#v included, where String alone would not.
func (hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// String returns "[redacted]".
func (hidden) String() string { return redacted }

// GoString returns "[redacted]".
func (hidden) GoString() string { return redacted }

// MarshalJSON returns the JSON string "[redacted]".
func (hidden) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText returns "[redacted]".
func (hidden) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (hidden) LogValue() slog.Value { return slog.StringValue(redacted) }

// Secret is a text that gives power to whoever reads it: a key, a bearer token,
// a password, a connection URL. The zero Secret is the empty one.
type Secret struct{ hidden }

// NewSecret hides s.
func NewSecret(s string) Secret { return Secret{hide(s)} }

// Reveal returns the text. The caller is answerable for where it goes.
func (s Secret) Reveal() string { return s.reveal() }

// IsEmpty reports whether there is no secret: never configured, or empty.
func (s Secret) IsEmpty() bool { return s.reveal() == "" }

// Equal reports whether candidate is the secret, in time that depends on
// neither's content nor on the secret's length: both are hashed first, since
// subtle.ConstantTimeCompare returns at once on unequal lengths. An empty secret
// equals nothing, not even the empty candidate: the attack is a caller who sends
// "Bearer " to a deployment where the variable was forgotten (invariant I12).
func (s Secret) Equal(candidate string) bool {
	want, got := sha256.Sum256([]byte(s.reveal())), sha256.Sum256([]byte(candidate))
	same := subtle.ConstantTimeCompare(want[:], got[:]) == 1
	return same && !s.IsEmpty()
}

// KeyID names the secret without giving it away: the first 8 hexadecimal
// characters of its SHA-256. It tells an operator which of two keys is in use.
// It is only for secrets with at least 32 bytes of randomness; the id of a
// guessable one confirms a guess.
func (s Secret) KeyID() string {
	sum := sha256.Sum256([]byte(s.reveal()))
	return hex.EncodeToString(sum[:4])
}
