package user

import (
	"errors"

	"github.com/google/uuid"
)

// Why an arrival is not let in. After each of them nothing has changed, provided
// that the caller rolls back.
var (
	// ErrInactive: whoever was found is suspended, deactivated, or not admitted
	// yet (account_inactive).
	ErrInactive = errors.New("account is not active")
	// ErrConflict: what the arrival shows points at more than one person, or does
	// not prove enough (identity_conflict). People have to sort it out.
	ErrConflict = errors.New("identity conflict")
	// ErrInvalidCredentials: unknown account, wrong password or none set. Which of
	// them, nobody is told.
	ErrInvalidCredentials = errors.New("wrong email or password")
	// ErrEmailUnverified: the user has not proved their address.
	ErrEmailUnverified = errors.New("email address is not verified")
	// ErrSecondFactor: the account has a second factor, which this service cannot ask
	// for. A password alone must not be enough.
	ErrSecondFactor = errors.New("account has a second factor")
	// ErrRaced: somebody arrived, or changed the account, at the same time. The
	// transaction is lost; roll back and run it again from its beginning.
	ErrRaced = errors.New("somebody else came first")
	// ErrArrival: the arrival has no subject or no email. A fault of the caller.
	ErrArrival = errors.New("arrival has no subject or no email")
)

// Refused is ErrInactive or ErrConflict with the user whom it was refused to be,
// for the audit row.
type Refused struct {
	Cause  error
	UserID uuid.UUID
}

func (r *Refused) Error() string { return r.Cause.Error() }

// Unwrap gives the cause for errors.Is.
func (r *Refused) Unwrap() error { return r.Cause }
