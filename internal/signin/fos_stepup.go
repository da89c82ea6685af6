package signin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Elevation is a session that is to be elevated. Generation is that of the access token
// which was shown.
type Elevation struct {
	Account    user.Credentials // whose password was checked
	SessionID  uuid.UUID
	Generation int
	Now        time.Time
	Origin     audit.Origin
}

// StepUp checks the password of whoever is signed in and elevates their session: from
// then on they act with their own role (invariant I10), by the pair that it returns and
// by no older one. The password is that of the user whom the session belongs to; nobody
// names an account. For a session that is elevated already it is the same, and changes
// nothing but the pair.
//
// Its errors are those of [FOS.Login], with [user.ErrInvalidCredentials] also for an
// account without a password, and [session.ErrEnded] for a session that ended meanwhile.
func (f *FOS) StepUp(ctx context.Context, who Current, plain privacy.Secret, origin audit.Origin) (Entered, error) {
	failure := audit.Record{Event: audit.StepUpFailed, Actor: who.User.ID, Origin: origin}
	if who.Session.HandoffID != nil {
		failure.HandoffID = *who.Session.HandoffID
	}
	if who.Session.EntryProduct != nil {
		failure.EntryProduct = *who.Session.EntryProduct
	}
	return f.prove(ctx, plain, proof{
		find: func() (user.Credentials, error) { return f.Store.FindCredentialsOf(ctx, who.User.ID) },
		succeed: func(account user.Credentials) (Entered, error) {
			elevated, err := f.Store.Elevate(ctx, Elevation{
				Account: account, SessionID: who.Session.ID, Generation: who.Generation, Now: f.Now(), Origin: origin,
			})
			if err != nil {
				return Entered{}, err
			}
			return f.enter(elevated, account.User)
		},
		failure: failure,
	})
}
