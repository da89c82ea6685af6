package signin

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Current is who is signed in.
type Current struct {
	User       user.User
	ActingRole string // what this session may act as, which may be less than the user's role
	// Session is what the access token that was shown stands for, which may be less than
	// the row has come to since ([session.Session.ProvedAt]).
	Session session.Session
	// Generation and AccessExpiresAt are the token's: of which pair, and when it ends.
	Generation      int
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
	now := f.Now()
	switch {
	case found.UserID != claims.UserID:
		return Current{}, session.ErrInvalidToken
	case !found.Live(now):
		return Current{}, session.ErrEnded
	case who.Status != user.Active:
		return Current{}, user.ErrInactive
	}
	if found.NeedsTouch(claims.Generation, now) {
		if err := f.Store.Touch(ctx, found.ID, claims.Generation, now); err != nil {
			return Current{}, err
		}
	}
	found = found.ProvedAt(claims.AuthTime, claims.AMR)
	role := session.ActingRole(string(who.Role), found, f.ElevatedRoles)
	return Current{
		User: who, ActingRole: role, Session: found, Generation: claims.Generation, AccessExpiresAt: claims.ExpiresAt,
	}, nil
}

// Inside returns the live session that a browser is in, and whose it is; ok is false
// where there is none. Its access token may have ended since: who comes back after an
// hour is still signed in, and would be surprised to find somebody else. proven: the
// token holds, and the person has proved on this half who they are.
func (f *FOS) Inside(ctx context.Context, access string) (inside Current, proven, ok bool, err error) {
	claims, err := f.Signer.ReadAccess(access)
	if err != nil {
		return Current{}, false, false, nil //nolint:nilerr // no token of ours: nobody is signed in
	}
	found, who, err := f.Store.FindSession(ctx, claims.SessionID, claims.UserID)
	switch {
	case errors.Is(err, session.ErrInvalidToken):
		return Current{}, false, false, nil
	case err != nil:
		return Current{}, false, false, err
	case found.UserID != claims.UserID || !found.Live(f.Now()) || who.Status != user.Active:
		return Current{}, false, false, nil
	}
	_, err = f.Signer.VerifyAccess(access)
	found = found.ProvedAt(claims.AuthTime, claims.AMR)
	return Current{User: who, Session: found}, err == nil && found.Elevated, true, nil
}

// Shown are the tokens that a browser sent. It sends more than one refresh token
// when a neighbour has planted one: any host below the same registered domain can
// set a "__Secure-" cookie for all of them, none can set a "__Host-" one.
type Shown struct {
	Access  string
	Refresh []string
}

// Refreshed is what the store says of a refresh token, and the session and the user
// as they are after it.
type Refreshed struct {
	Outcome session.RefreshOutcome
	Session session.Session
	User    user.User
}

// Refresh gives the next pair of a session (invariant I11). Its errors are
// [session.ErrInvalidToken], [session.ErrEnded] (also for a token that was used
// before: the session has ended then), [user.ErrInactive] and outages.
func (f *FOS) Refresh(ctx context.Context, shown Shown, origin audit.Origin) (Entered, error) {
	claims, err := f.refreshClaims(shown)
	if err != nil {
		return Entered{}, err
	}
	refreshed, err := f.Store.Refresh(ctx, claims, f.Now(), origin)
	if err != nil {
		return Entered{}, err
	}
	switch {
	case refreshed.Outcome == session.Reused, refreshed.Outcome == session.Over:
		return Entered{}, session.ErrEnded
	case refreshed.Outcome == session.Barred, refreshed.User.Status != user.Active:
		// The second: suspended while the session's row was waited for.
		return Entered{}, user.ErrInactive
	}
	return f.enter(refreshed.Session.ProvedAt(claims.AuthTime, claims.AMR), refreshed.User)
}

// refreshClaims chooses the refresh token. The attack is to plant one of the
// attacker's own session, so that the victim goes on as the attacker and hands over
// whatever they then enter. The access token's cookie cannot be planted over HTTPS, and
// lives as long as the other: expired or not, it says which session this browser is
// in, and without it there is nothing to go on with. Over plain HTTP anything can be
// planted; there, tokens of two sessions are refused, being an attack on one of them.
func (f *FOS) refreshClaims(shown Shown) (session.RefreshClaims, error) {
	anchor, err := f.Signer.ReadAccess(shown.Access)
	anchored := err == nil
	if f.Anchored && !anchored {
		return session.RefreshClaims{}, session.ErrInvalidToken
	}
	var chosen session.RefreshClaims
	for _, raw := range shown.Refresh {
		claims, err := f.Signer.VerifyRefresh(raw)
		switch {
		case err != nil, anchored && claims.SessionID != anchor.SessionID:
			continue
		case chosen.SessionID != uuid.Nil && chosen.SessionID != claims.SessionID:
			return session.RefreshClaims{}, session.ErrInvalidToken
		case claims.Generation > chosen.Generation:
			chosen = claims
		}
	}
	if chosen.SessionID == uuid.Nil {
		return session.RefreshClaims{}, session.ErrInvalidToken
	}
	return chosen, nil
}

// Ending says which sessions of a user end.
type Ending struct {
	UserID uuid.UUID
	// SessionID is the one that ends; uuid.Nil ends them all.
	SessionID uuid.UUID
	Reason    audit.Reason
}

// Logout ends the sessions that the tokens belong to, which may have ended: somebody
// who comes back later wants out too, and an access token that has ended opens nothing
// else. There is one, unless a neighbour
// planted a refresh token. Both end then; to take one and leave the person's own
// alive is what the attacker wants. Who has no session is out already.
func (f *FOS) Logout(ctx context.Context, shown Shown, origin audit.Origin) error {
	for id, owner := range f.sessionsOf(shown) {
		ending := Ending{UserID: owner, SessionID: id, Reason: audit.ByLogout}
		if err := f.Store.End(ctx, ending, f.Now(), origin); err != nil {
			return err
		}
	}
	return nil
}

// sessionsOf are the sessions of the tokens that are good, with their users.
func (f *FOS) sessionsOf(shown Shown) map[uuid.UUID]uuid.UUID {
	owners := map[uuid.UUID]uuid.UUID{}
	if claims, err := f.Signer.ReadAccess(shown.Access); err == nil {
		owners[claims.SessionID] = claims.UserID
	}
	for _, raw := range shown.Refresh {
		if claims, err := f.Signer.VerifyRefresh(raw); err == nil {
			owners[claims.SessionID] = claims.UserID
		}
	}
	return owners
}

// LogoutAll ends every session of whoever is signed in with the access token.
// Errors as [FOS.Current].
func (f *FOS) LogoutAll(ctx context.Context, access string, origin audit.Origin) error {
	current, err := f.Current(ctx, access)
	if err != nil {
		return err
	}
	return f.Store.End(ctx, Ending{UserID: current.User.ID, Reason: audit.ByLogoutAll}, f.Now(), origin)
}

// Sessions are a user's: the live ones, the last used first, and those that were ended
// lately, the last one first. Current is the one that asks.
type Sessions struct {
	Live    []session.Session
	Ended   []EndedSession
	Current uuid.UUID
}

// EndedSession is a session that was ended, and how.
type EndedSession struct {
	session.Session
	EndedAs string
}

const (
	// endedShown is for how long sessions that were ended are in the list, and mostEnded
	// how many.
	endedShown = 7 * 24 * time.Hour
	mostEnded  = 50
)

// Sessions returns the user's. Errors as [FOS.Current].
func (f *FOS) Sessions(ctx context.Context, access string) (Sessions, error) {
	who, err := f.Current(ctx, access)
	if err != nil {
		return Sessions{}, err
	}
	now := f.Now()
	all := Sessions{Current: who.Session.ID}
	if all.Live, err = f.Store.List(ctx, who.User.ID, now); err != nil {
		return Sessions{}, err
	}
	all.Ended, err = f.Store.ListEnded(ctx, who.User.ID, now.Add(-endedShown))
	return all, err
}

// EndSession ends one of the user's own sessions and reports whether it is the one
// that asks. A session that has ended before stays so. Besides those of
// [FOS.Current] its error is [ErrNotYours].
func (f *FOS) EndSession(ctx context.Context, access string, id uuid.UUID, origin audit.Origin) (itself bool, err error) {
	current, err := f.Current(ctx, access)
	if err != nil {
		return false, err
	}
	found, _, err := f.Store.FindSession(ctx, id, current.User.ID)
	switch {
	case errors.Is(err, session.ErrInvalidToken), err == nil && found.UserID != current.User.ID:
		return false, ErrNotYours
	case err != nil:
		return false, err
	}
	ending := Ending{UserID: current.User.ID, SessionID: id, Reason: audit.ByUser}
	return id == current.Session.ID, f.Store.End(ctx, ending, f.Now(), origin)
}
