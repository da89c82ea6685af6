package token

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Sealer encrypts claims for Redis: AES-256-GCM under a key that HKDF-SHA256
// derives from a server key and the token itself, with the token's digest as
// additional data. The server key is extracted once, for each purpose; the token is what
// that is expanded with (RFC 5869, 2.3: info), which for 32 bytes is one HMAC.
//
// Who reads Redis lacks the server key and the token. Who writes Redis cannot
// make a text that opens, nor move one token's claims under another's digest.
// Each (server key, token) pair gives a key of its own that seals one text, so
// that nonces never meet.
type Sealer struct {
	keys   []map[string]*privacy.MAC // by purpose
	random io.Reader
}

// NewSealer seals under the first key and opens under any, so that keys can be
// rotated while tokens are alive. random must be a cryptographic source.
func NewSealer(keys []privacy.Key, random io.Reader) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("token: no sealing key")
	}
	s := &Sealer{random: random}
	for _, key := range keys {
		s.keys = append(s.keys, map[string]*privacy.MAC{
			forClaims: key.DeriveKey(forClaims).MAC(), forParked: key.DeriveKey(forParked).MAC(),
		})
	}
	return s, nil
}

// ErrSealBroken says that a sealed text was not made by this service for this
// token, or under a key that is gone.
var ErrSealBroken = errors.New("sealed claims do not open")

// Seal encrypts claims under t.
func (s *Sealer) Seal(t Token, claims Claims) ([]byte, error) {
	return s.seal(t, forClaims, toSealed(claims))
}

// What is sealed. A text of one kind does not open as the other.
const (
	forClaims = "handoff claims"
	forParked = "parked claims"
)

func (s *Sealer) seal(t Token, purpose string, wire any) ([]byte, error) {
	plain, err := json.Marshal(wire)
	if err != nil {
		return nil, fmt.Errorf("token: encode %s: %w", purpose, err)
	}
	aead := aeadOf(s.keys[0][purpose], t)
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(s.random, nonce); err != nil {
		return nil, fmt.Errorf("token: read nonce: %w", err)
	}
	digest := t.Digest()
	return aead.Seal(nonce, nonce, plain, digest[:]), nil
}

// Open decrypts what Seal made for t, or returns [ErrSealBroken].
func (s *Sealer) Open(t Token, sealed []byte) (Claims, error) {
	var wire sealedClaims
	if err := s.open(t, forClaims, sealed, &wire); err != nil {
		return Claims{}, err
	}
	return wire.claims()
}

func (s *Sealer) open(t Token, purpose string, sealed []byte, wire any) error {
	digest := t.Digest()
	for _, key := range s.keys {
		aead := aeadOf(key[purpose], t)
		if len(sealed) < aead.NonceSize() {
			break
		}
		plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], digest[:])
		if err != nil {
			continue
		}
		if err := json.Unmarshal(plain, wire); err != nil {
			return fmt.Errorf("token: decode %s: %w", purpose, err)
		}
		return nil
	}
	return ErrSealBroken
}

func aeadOf(key *privacy.MAC, t Token) cipher.AEAD {
	first := []byte{1} // of the blocks that HKDF expands to, and the only one
	block, err := aes.NewCipher(key.Of(t.bytes(), first))
	if err != nil {
		panic("token: aes: " + err.Error()) // the derived key has 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("token: gcm: " + err.Error())
	}
	return aead
}

// sealedClaims is the sealed form. Short names: a live token should cost Redis
// few bytes.
type sealedClaims struct {
	HandoffID     shortID  `json:"h"`
	UserID        shortID  `json:"u"`
	Email         string   `json:"e"`
	EmailVerified bool     `json:"v"`
	DisplayName   *string  `json:"n,omitzero"` // omitempty would make null of an empty name
	Principal     *string  `json:"p,omitzero"`
	Roles         []string `json:"r,omitempty"`
	EntryProduct  string   `json:"f"`
	Target        string   `json:"t"`
	ReturnPath    *string  `json:"l,omitzero"`
	Challenge     string   `json:"c,omitempty"`
	AuthTime      int64    `json:"a"`
	AMR           []string `json:"m,omitempty"`
	IssuedAt      int64    `json:"i"`
	ExpiresAt     int64    `json:"x"`
}

// shortID is an id in 22 characters: two of the usual 36 are what puts a token with a
// principal into Redis' next size of memory.
type shortID uuid.UUID

// MarshalText implements encoding.TextMarshaler: base64url without padding (RFC 4648, 5).
func (id shortID) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, id[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *shortID) UnmarshalText(text []byte) error {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(id)) {
		return errors.New("token: an id has not 22 characters")
	}
	_, err := base64.RawURLEncoding.Strict().Decode(id[:], text)
	return err
}

func toSealed(c Claims) sealedClaims {
	return sealedClaims{
		HandoffID: shortID(c.HandoffID), UserID: shortID(c.UserID), Email: c.Email.Reveal(), EmailVerified: c.EmailVerified,
		DisplayName: c.DisplayName, Principal: c.Principal, Roles: c.Roles,
		EntryProduct: c.EntryProduct, Target: c.Target, ReturnPath: c.ReturnPath, Challenge: c.Challenge,
		AuthTime: c.AuthTime.UnixMilli(), AMR: c.AMR,
		IssuedAt: c.IssuedAt.UnixMilli(), ExpiresAt: c.ExpiresAt.UnixMilli(),
	}
}

func (w sealedClaims) claims() (Claims, error) {
	email, err := privacy.ParseEmail(w.Email)
	if err != nil {
		return Claims{}, fmt.Errorf("token: sealed claims: %w", err)
	}
	return Claims{
		HandoffID: uuid.UUID(w.HandoffID), UserID: uuid.UUID(w.UserID), Email: email, EmailVerified: w.EmailVerified,
		DisplayName: w.DisplayName, Principal: w.Principal, Roles: w.Roles,
		EntryProduct: w.EntryProduct, Target: w.Target, ReturnPath: w.ReturnPath, Challenge: w.Challenge,
		AuthTime: time.UnixMilli(w.AuthTime).UTC(), AMR: w.AMR,
		IssuedAt: time.UnixMilli(w.IssuedAt).UTC(), ExpiresAt: time.UnixMilli(w.ExpiresAt).UTC(),
	}, nil
}
