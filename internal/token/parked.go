package token

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// ParkedTTL is how long a person may think about a question.
const ParkedTTL = 120 * time.Second

// Parked are claims that were exchanged and wait for the person's word. They rest in
// Redis, sealed under a secret that one browser holds: who reads Redis learns nobody's
// address, and no other browser can answer.
type Parked struct {
	Claims Claims
	// Shown is the digest of the token that they were exchanged for; Key and Nonce are the
	// marks of the browser that showed it (zero: none).
	Shown      Digest
	Key, Nonce [32]byte
	// SessionID and UserID are the ids that the arrival will have: answering twice opens
	// one session.
	SessionID, UserID uuid.UUID
	// Name and Email are what the question called the user that the person would be;
	// Replaces is the one who was signed in in the browser then, uuid.Nil for nobody.
	Name     *string
	Email    privacy.Email
	Replaces uuid.UUID
	// Links: it asked whether the account of the claims shall be linked to that user.
	Links bool
	// Until is the end of the question, whatever Redis' clock or TTL does.
	Until time.Time
}

// SealParked encrypts p under the browser's secret, which no other text is sealed under.
func (s *Sealer) SealParked(secret Token, p Parked) ([]byte, error) {
	return s.seal(secret, forParked, sealedParked{
		Claims: toSealed(p.Claims), Shown: p.Shown, Key: p.Key, Nonce: p.Nonce,
		SessionID: p.SessionID, UserID: p.UserID,
		Replaces: p.Replaces, Links: p.Links, Name: p.Name, Email: p.Email.Reveal(), Until: p.Until.UnixMilli(),
	})
}

// OpenParked decrypts what SealParked made under secret, or returns [ErrSealBroken].
func (s *Sealer) OpenParked(secret Token, sealed []byte) (Parked, error) {
	var w sealedParked
	if err := s.open(secret, forParked, sealed, &w); err != nil {
		return Parked{}, err
	}
	claims, err := w.Claims.claims()
	if err != nil {
		return Parked{}, err
	}
	email, err := privacy.ParseEmail(w.Email)
	if err != nil {
		return Parked{}, fmt.Errorf("token: parked claims: %w", err)
	}
	return Parked{
		Claims: claims, Shown: w.Shown, Key: w.Key, Nonce: w.Nonce, SessionID: w.SessionID, UserID: w.UserID,
		Replaces: w.Replaces, Links: w.Links, Name: w.Name, Email: email, Until: time.UnixMilli(w.Until).UTC(),
	}, nil
}

type sealedParked struct {
	Claims    sealedClaims `json:"c"`
	Shown     Digest       `json:"t"`
	Key       [32]byte     `json:"k"`
	Nonce     [32]byte     `json:"o"`
	SessionID uuid.UUID    `json:"s"`
	UserID    uuid.UUID    `json:"u"`
	Replaces  uuid.UUID    `json:"r"`
	Links     bool         `json:"l,omitzero"`
	Name      *string      `json:"n,omitzero"`
	Email     string       `json:"e"`
	Until     int64        `json:"x"`
}
