package token

import (
	"errors"

	"github.com/google/uuid"
)

// Why a token is refused. All but ErrMalformed are told to an authenticated
// caller only; a browser hears expired, used or invalid.
var (
	// ErrMalformed: not 64 lowercase hexadecimal characters. Decided before any
	// store is touched.
	ErrMalformed = errors.New("token is malformed")
	// ErrUnknown: never minted, forgotten, or its source is no longer there.
	ErrUnknown = errors.New("token is unknown")
	// ErrExpired: more than 60 s old by the stored time.
	ErrExpired = errors.New("token has expired")
	// ErrUsed: redeemed before, by another attempt.
	ErrUsed = errors.New("token was used before")
	// ErrWrongTarget: shown for a domain that it was not minted for; it is burnt.
	ErrWrongTarget = errors.New("token is for another target")
	// ErrBinding: the verifier does not fit the challenge. The token stays good:
	// it was not validly presented.
	ErrBinding = errors.New("token is bound to another browser")
)

// Refused is one of the errors above with the journey it belongs to, where that
// is known.
type Refused struct {
	Cause     error
	HandoffID uuid.UUID
}

func (r *Refused) Error() string { return r.Cause.Error() }

// Unwrap gives the cause for errors.Is.
func (r *Refused) Unwrap() error { return r.Cause }

// Journey returns the hand-off's id, uuid.Nil when it is not known.
func (r *Refused) Journey() uuid.UUID { return r.HandoffID }
