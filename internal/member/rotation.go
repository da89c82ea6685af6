package member

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// PreviousTTL is how long the cookie before the last rotation stays good, and how
// long a rotation waits for the one before it.
const PreviousTTL = 30 * time.Second

// nonceBytes makes a successor unforeseeable for who has the cookie and, one day,
// the key: they need the row as well.
const nonceBytes = 16

// Rotation makes the successors of cookies:
//
//	successor = HMAC-SHA256(key, cookie ‖ nonce)
//
// The nonce is random for each rotation and is kept in the session's row; the row
// holds digests only. Who shows the older cookie within [PreviousTTL] can so be given
// the same successor by any replica, and neither a dump of the row nor the older
// cookie alone leads to it. The key is a subkey of the sealing keys: the first makes,
// all are tried when a successor is made again.
type Rotation struct {
	keys   []*privacy.MAC
	random io.Reader
}

// NewRotation takes the keys and a cryptographic source.
func NewRotation(keys []privacy.Key, random io.Reader) (*Rotation, error) {
	if len(keys) == 0 {
		return nil, errors.New("member: no rotation key")
	}
	r := &Rotation{random: random}
	for _, key := range keys {
		r.keys = append(r.keys, key.DeriveKey("dao_session rotation").MAC())
	}
	return r, nil
}

// Next makes a successor of old, and the nonce to make it again.
func (r *Rotation) Next(old Cookie) (next Cookie, nonce []byte, err error) {
	nonce = make([]byte, nonceBytes)
	if _, err := io.ReadFull(r.random, nonce); err != nil {
		return Cookie{}, nil, fmt.Errorf("member: read random bytes: %w", err)
	}
	return successor(r.keys[0], old, nonce), nonce, nil
}

// Again returns the cookie that has this digest: shown itself, or its successor by
// nonce, or [ErrNoSession] when the key that made it is no longer there.
func (r *Rotation) Again(shown Cookie, nonce, digest []byte) (Cookie, error) {
	if subtle.ConstantTimeCompare(shown.Digest(), digest) == 1 {
		return shown, nil
	}
	for _, key := range r.keys {
		next := successor(key, shown, nonce)
		if subtle.ConstantTimeCompare(next.Digest(), digest) == 1 {
			return next, nil
		}
	}
	return Cookie{}, ErrNoSession
}

func successor(key *privacy.MAC, old Cookie, nonce []byte) Cookie {
	raw := key.Of(old.raw(), nonce)
	return Cookie{privacy.NewSecret(base64.RawURLEncoding.EncodeToString(raw)), sha256.Sum256(raw)}
}
