package member

import (
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Status is where a membership stands.
type Status string

// The statuses. Only an active member hands off.
const (
	Active    Status = "active"
	Pending   Status = "pending"
	Suspended Status = "suspended"
	Ended     Status = "ended"
)

// Stopped reports whether the membership was shut. A status that this program does
// not know counts as that.
func (s Status) Stopped() bool { return s != Active && s != Pending }

// Member is an account of the DAO half.
type Member struct {
	ID            uuid.UUID
	Email         privacy.Email
	EmailVerified bool
	DisplayName   *string
	Principal     *string // the Internet Computer principal
	Roles         []string
	Status        Status
}

// MayHandOff returns nil, [ErrInactive] or [ErrEmailUnverified]. An address that
// was never proved must not leave the house as if it were: the other half links
// accounts by it.
func (m Member) MayHandOff() error {
	if m.Status != Active {
		return ErrInactive
	}
	if !m.EmailVerified {
		return ErrEmailUnverified
	}
	return nil
}

// MayHandOffSQL is [Member.MayHandOff] in SQL, over the alias m.
const MayHandOffSQL = `(m.membership_status = 'active' AND m.email_verified)`

// Account is a member with what signs them in. PasswordHash is empty where no
// password was ever set.
type Account struct {
	Member
	PasswordHash privacy.Secret
}
