package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Claims is what a token stands for: who the member is, from where to where, and
// how they had signed in. Email is unprintable; the rest is shown to nobody but
// the other half.
type Claims struct {
	HandoffID     uuid.UUID
	UserID        uuid.UUID // the member
	Email         privacy.Email
	EmailVerified bool
	DisplayName   *string
	Principal     *string
	Roles         []string
	EntryProduct  string
	Target        string
	ReturnPath    *string
	Challenge     string // "" when the browser did not begin the journey
	AuthTime      time.Time
	AMR           []string
	IssuedAt      time.Time
	ExpiresAt     time.Time
}

// Bound reports whether verifier is what the claims' challenge demands, S256
// only (RFC 7636, 4.6). A verifier for a token without a challenge is refused
// too: a caller who sends one expects a binding that is not there.
func (c Claims) Bound(verifier privacy.Secret) bool {
	if c.Challenge == "" {
		return verifier.IsEmpty()
	}
	return subtle.ConstantTimeCompare([]byte(challengeOf(verifier.Reveal())), []byte(c.Challenge)) == 1
}

// s256Chars is the length of a SHA-256, and of a 32-byte verifier, in base64url.
const s256Chars = 43

// ValidChallenge reports whether text can be an S256 challenge or a verifier: 43
// base64url characters.
func ValidChallenge(text string) bool {
	if len(text) != s256Chars {
		return false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(raw) == sha256.Size // Go's decoder skips line breaks: then fewer come out
}
