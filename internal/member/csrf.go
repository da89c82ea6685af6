package member

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// CSRF makes and checks the values of a signed double submit (OWASP, CSRF
// prevention: "signed double-submit cookie"): base64url of
//
//	session id (16 bytes) ‖ nonce (16 bytes) ‖ HMAC-SHA256(key, session id ‖ nonce)
//
// The cookie of that name and the header X-CSRF-Token must carry the same value.
// It is bound to the session's unchanging id, so that it survives a refresh, and
// so that a value of the attacker's own, planted from a sibling subdomain, does
// not pass for the victim's session. The id stands in the value so that a forged
// one is refused before any store is asked; the statement behind then demands
// that very session.
type CSRF struct {
	keys   []*privacy.MAC
	random io.Reader
}

const (
	csrfNonceBytes = 16
	csrfBytes      = 16 + csrfNonceBytes + sha256.Size
)

// NewCSRF makes values under a subkey of the first key and accepts those of all.
func NewCSRF(keys []privacy.Key, random io.Reader) (*CSRF, error) {
	if len(keys) == 0 {
		return nil, errors.New("member: no csrf key")
	}
	c := &CSRF{random: random}
	for _, key := range keys {
		c.keys = append(c.keys, key.DeriveKey("csrf").MAC())
	}
	return c, nil
}

// Make returns a new value for the session.
func (c *CSRF) Make(sessionID uuid.UUID) (string, error) {
	value := make([]byte, 0, csrfBytes)
	value = append(value, sessionID[:]...)
	value = value[:16+csrfNonceBytes]
	if _, err := io.ReadFull(c.random, value[16:]); err != nil {
		return "", fmt.Errorf("member: read random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append(value, c.keys[0].Of(value)...)), nil
}

// Check returns the id of the session that header and cookie are good for, or
// [ErrCSRF]. The caller must act on that session alone.
func (c *CSRF) Check(header, cookie string) (uuid.UUID, error) {
	if header == "" || subtle.ConstantTimeCompare([]byte(header), []byte(cookie)) != 1 {
		return uuid.Nil, ErrCSRF
	}
	value, err := base64.RawURLEncoding.Strict().DecodeString(header)
	if err != nil || len(value) != csrfBytes {
		return uuid.Nil, ErrCSRF
	}
	signed, mac := value[:16+csrfNonceBytes], value[16+csrfNonceBytes:]
	good := 0
	for _, key := range c.keys {
		good |= subtle.ConstantTimeCompare(mac, key.Of(signed))
	}
	if good != 1 {
		return uuid.Nil, ErrCSRF
	}
	return uuid.UUID(value[:16]), nil
}

// IsCurrent reports whether the value is good for the session and was made under the
// first key. One that was not should be replaced while it is good: another replica may
// have dropped its key already.
func (c *CSRF) IsCurrent(value string, sessionID uuid.UUID) bool {
	first := &CSRF{keys: c.keys[:1]}
	goodFor, err := first.Check(value, value)
	return err == nil && goodFor == sessionID
}
