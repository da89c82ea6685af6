package handoff

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// ErrDisabled says that no service token is configured: nothing is exchanged
// (invariant I3). There is no bypass for development.
var ErrDisabled = errors.New("exchange is disabled: no service token is configured")

// FieldError says which part of a request is not what the use case takes. Reason
// never quotes the value.
type FieldError struct{ Field, Reason string }

func (e *FieldError) Error() string { return fmt.Sprintf("%s %s", e.Field, e.Reason) }

// Why an arrival was refused, as a browser may know it.
const (
	ReasonExpired = "expired"
	ReasonUsed    = "used"
	ReasonInvalid = "invalid"
	// ReasonUnbound: the token is not of a journey that began in this browser. It is as
	// good as before.
	ReasonUnbound = "unbound"
)

// InvalidError says that a token opened no session. Reason is one of the four
// above: which of unknown or wrong target it was stays in the log and in the audit
// row, since anybody may ask.
type InvalidError struct {
	Reason    string
	HandoffID uuid.UUID // uuid.Nil when not known
	Cause     error
}

func (e *InvalidError) Error() string { return fmt.Sprintf("hand-off is %s: %v", e.Reason, e.Cause) }

// Unwrap gives the cause.
func (e *InvalidError) Unwrap() error { return e.Cause }

// Journey returns the hand-off's id, uuid.Nil when it is not known.
func (e *InvalidError) Journey() uuid.UUID { return e.HandoffID }

// JourneyError is any other failure of a journey whose id is known.
type JourneyError struct {
	HandoffID uuid.UUID
	Cause     error
}

func (e *JourneyError) Error() string { return e.Cause.Error() }

// Unwrap gives the cause.
func (e *JourneyError) Unwrap() error { return e.Cause }

// Journey returns the hand-off's id.
func (e *JourneyError) Journey() uuid.UUID { return e.HandoffID }
