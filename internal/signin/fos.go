package signin

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// FOSConfig is what the FOS half's session authority needs.
type FOSConfig struct {
	Store         fosStore
	Signer        *session.Signer
	ElevatedRoles bool
	Now           func() time.Time
}

type fosStore interface {
	// FindSession returns the session and the user, live or not, or
	// session.ErrInvalidToken when one of them is not there.
	FindSession(ctx context.Context, sessionID, userID uuid.UUID) (session.Session, user.User, error)
	// End ends a live session with its audit row and reports whether there was one.
	End(ctx context.Context, id uuid.UUID, now time.Time, origin audit.Origin) (bool, error)
}

// FOS is the FOS half's session authority.
type FOS struct{ FOSConfig }

// NewFOS makes the use cases.
func NewFOS(config FOSConfig) *FOS { return &FOS{config} }

// Current is who is signed in.
type Current struct {
	User       user.User
	ActingRole string // what this session may act as, which may be less than the user's role
	Session    session.Session
	// AccessExpiresAt is when the access token that was shown ends.
	AccessExpiresAt time.Time
}

// Current returns who an access token belongs to. The signature says that we made
// it; the row says whether it still holds, so that an ended session's token is
// refused at once. Its errors are [session.ErrInvalidToken],
// [session.ErrEnded], [user.ErrInactive] and outages.
func (f *FOS) Current(ctx context.Context, access string) (Current, error) {
	claims, err := f.Signer.VerifyAccess(access)
	if err != nil {
		return Current{}, err
	}
	found, who, err := f.Store.FindSession(ctx, claims.SessionID, claims.UserID)
	if err != nil {
		return Current{}, err
	}
	switch {
	case found.UserID != claims.UserID:
		return Current{}, session.ErrInvalidToken
	case !found.Live(f.Now()):
		return Current{}, session.ErrEnded
	case who.Status != user.Active:
		return Current{}, user.ErrInactive
	}
	role := session.ActingRole(string(who.Role), found, f.ElevatedRoles)
	return Current{User: who, ActingRole: role, Session: found, AccessExpiresAt: claims.ExpiresAt}, nil
}

// Logout ends the session that either token belongs to; the access token is good
// for half an hour only, and somebody who comes back later wants out too. Who has
// no session is out already.
func (f *FOS) Logout(ctx context.Context, access, refresh string, origin audit.Origin) error {
	for id := range f.sessionsOf(access, refresh) {
		if _, err := f.Store.End(ctx, id, f.Now(), origin); err != nil {
			return err
		}
	}
	return nil
}

// sessionsOf are the sessions of the tokens that are good: one, unless a sibling
// subdomain planted a refresh token of the attacker's. Both end then; to take one
// and leave the person's own alive is what the attacker wants.
func (f *FOS) sessionsOf(access, refresh string) map[uuid.UUID]bool {
	ids := map[uuid.UUID]bool{}
	if claims, err := f.Signer.VerifyAccess(access); err == nil {
		ids[claims.SessionID] = true
	}
	if claims, err := f.Signer.VerifyRefresh(refresh); err == nil {
		ids[claims.SessionID] = true
	}
	return ids
}
