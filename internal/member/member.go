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

// NoHandOff says who may not hand off, and why: the first that fits. Fits is SQL over the
// aliases m and s, since the statement that mints must not ask first and act later; s is
// the member's session, @signed_in_since the earliest sign-in that will do, NULL for any.
//
// An address that was never proved must not leave the house as if it were: the other half
// links accounts by it.
var NoHandOff = []struct {
	Fits string
	Err  error
}{
	{`m.membership_status <> 'active'`, ErrInactive},
	{`NOT m.email_verified`, ErrEmailUnverified},
	{`s.auth_time < @signed_in_since::timestamptz`, ErrSignInTooOld},
}

// Account is a member with what signs them in. PasswordHash is empty where no
// password was ever set.
type Account struct {
	Member
	PasswordHash privacy.Secret
}
