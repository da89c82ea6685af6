package user

import (
	"context"
	"errors"
	"log/slog"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/password"
)

// Credentials is an account with what signs it in. The zero value stands for an
// unknown account.
type Credentials struct {
	User
	// PasswordHash is empty where no password was ever set.
	PasswordHash privacy.Secret
	// SecondFactor: there is one, besides the password.
	SecondFactor bool
	// BcryptCost is that of the costliest bcrypt hash that any account has, 0 when
	// there are none left.
	BcryptCost int
}

// MayEnter returns nil, [ErrInactive], [ErrEmailUnverified] or [ErrSecondFactor].
// It is for after the password was right: before, it would tell a stranger who has
// an account.
func (c Credentials) MayEnter() error {
	switch {
	case c.Status.Stopped():
		return ErrInactive
	case !c.EmailVerified:
		return ErrEmailUnverified
	case c.Status != Active:
		return ErrInactive
	case c.SecondFactor:
		return ErrSecondFactor
	}
	return nil
}

// Passwords checks passwords within the process's one bound on hashing.
type Passwords struct {
	Hasher *password.Hasher
	Log    *slog.Logger
}

// Verify reports whether plain is the account's password, and the hash that should
// replace the stored one, empty if that is as it should be.
//
// Whoever asks, the same is computed: one Argon2id, and while there are accounts
// with a bcrypt hash, one bcrypt of the costliest kind. The attack is to tell from
// the time of the answer which accounts there are, and which have the weaker hash.
// A hash that cannot be read is a no, and ours to repair.
func (p Passwords) Verify(ctx context.Context, c Credentials, plain privacy.Secret) (bool, privacy.Secret, error) {
	hasher := p.Hasher.WithLegacyBcrypt(c.BcryptCost)
	if c.PasswordHash.IsEmpty() {
		return false, privacy.Secret{}, hasher.VerifyNothing(ctx, plain.Reveal())
	}
	result, err := hasher.Verify(ctx, c.PasswordHash.Reveal(), plain.Reveal())
	if errors.Is(err, password.ErrMalformed) || errors.Is(err, password.ErrTooCostly) {
		p.Log.ErrorContext(ctx, "a stored password hash cannot be used", "user_id", c.ID, "error", err)
		return false, privacy.Secret{}, nil
	}
	return result.Match, privacy.NewSecret(result.Replacement()), err
}
