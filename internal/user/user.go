package user

import (
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Role is what a user may do.
type Role string

// The roles.
const (
	Founder Role = "founder"
	Admin   Role = "admin"
	Member  Role = "member"
	Guest   Role = "guest"
)

// Privileged reports whether the role is one that a hand-off must not open by an
// address alone. A role that this program does not know counts as privileged.
func (r Role) Privileged() bool { return r != Member && r != Guest }

// Status is whether a user may come in.
type Status string

// The statuses.
const (
	Active      Status = "ACTIVE"
	Pending     Status = "PENDING"     // made, not admitted yet
	Suspended   Status = "SUSPENDED"   // shut out, may come back
	Deactivated Status = "DEACTIVATED" // gone
)

// Stopped reports whether the user was shut out. A status that this program does
// not know counts as that.
func (s Status) Stopped() bool { return s != Active && s != Pending }

// User is an account of the FOS half. Times are UTC, to the microsecond.
type User struct {
	ID            uuid.UUID
	Email         privacy.Email
	EmailVerified bool
	DisplayName   *string
	Role          Role
	Status        Status
	CreatedAt     time.Time
}

// Moment is the one timestamp of an operation and the id that a user gets if the
// operation creates one.
type Moment struct {
	Now   time.Time
	NewID uuid.UUID
}

// Account is what an operator sets up directly (cmd/seed).
type Account struct {
	Email       privacy.Email
	DisplayName string // "" is none
	Role        Role
	// PasswordHash is a PHC string of package password. It is unprintable: whoever
	// has it can try passwords at leisure.
	PasswordHash privacy.Secret
}
