package member

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/password"
)

// Passwords checks passwords within the process's one bound on hashing.
type Passwords struct {
	Hasher *password.Hasher
	Log    *slog.Logger
}

// Verify reports whether plain is the password of hash. With an empty hash, an
// unknown account or one without a password, it does the work of a verification
// and says no: the attack is to tell accounts apart by the time of the answer. A
// hash that cannot be read is a no as well, and ours to repair.
//
// So is a bcrypt hash: no program ever wrote one for a member, and beside Argon2id
// hashes it would show in the time.
func (p Passwords) Verify(ctx context.Context, hash, plain privacy.Secret) (bool, error) {
	if strings.HasPrefix(hash.Reveal(), "$2") {
		p.Log.ErrorContext(ctx, "a member has a bcrypt hash; this half takes Argon2id only: seed the member again")
		hash = privacy.Secret{}
	}
	if hash.IsEmpty() {
		return false, p.Hasher.VerifyNothing(ctx, plain.Reveal())
	}
	result, err := p.Hasher.Verify(ctx, hash.Reveal(), plain.Reveal())
	if errors.Is(err, password.ErrMalformed) || errors.Is(err, password.ErrTooCostly) {
		p.Log.ErrorContext(ctx, "a stored password hash cannot be used", "error", err)
		return false, nil
	}
	return result.Match, err
}
