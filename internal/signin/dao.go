package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Passwords checks passwords, with a bound on how many at once.
type Passwords interface {
	// Verify reports whether plain is the password of the hash. An empty hash is
	// verified against nothing, with the same work.
	Verify(ctx context.Context, hash, plain privacy.Secret) (bool, error)
}

// DAOConfig is what the DAO half's session authority needs.
type DAOConfig struct {
	Store     daoStore
	Passwords Passwords
	Now       func() time.Time
	Random    io.Reader
}

type daoStore interface {
	FindAccount(ctx context.Context, email privacy.Email) (member.Account, error)
	FindSession(ctx context.Context, cookie member.Cookie) (member.Session, member.Member, error)
	// Begin writes the session with its audit row.
	Begin(ctx context.Context, s member.Session, cookie member.Cookie, origin audit.Origin) error
	// End ends a live session with its audit row and reports whether there was one.
	End(ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, now time.Time, origin audit.Origin) (bool, error)
	Append(ctx context.Context, r audit.Record) error
}

// DAO is the DAO half's session authority.
type DAO struct{ DAOConfig }

// NewDAO makes the use cases.
func NewDAO(config DAOConfig) *DAO { return &DAO{config} }

// Login is a fresh sign-in.
type Login struct {
	Cookie  member.Cookie
	Session member.Session
	Member  member.Member
}

// Login checks the password and begins a session. Its errors are
// [member.ErrInvalidCredentials] (whatever of the two was wrong),
// [member.ErrInactive] only after the password was right, and outages. A pending
// or unverified member may sign in here; they cannot hand off.
func (d *DAO) Login(ctx context.Context, email string, plain privacy.Secret, origin audit.Origin) (Login, error) {
	now := d.Now()
	account, err := d.findAccount(ctx, email)
	if err != nil && !errors.Is(err, member.ErrInvalidCredentials) {
		return Login{}, err
	}
	// Unknown accounts come here too, with an empty hash: the attack is to learn who
	// has an account from the time of the answer.
	match, err := d.Passwords.Verify(ctx, account.PasswordHash, plain)
	if err != nil {
		return Login{}, err
	}
	if !match {
		return Login{}, d.failed(ctx, account, audit.InvalidCredentials, origin)
	}
	if account.Status == member.Suspended || account.Status == member.Ended {
		return Login{}, d.failed(ctx, account, audit.AccountInactive, origin)
	}
	return d.begin(ctx, account.Member, now, origin)
}

func (d *DAO) findAccount(ctx context.Context, text string) (member.Account, error) {
	email, err := privacy.ParseEmail(text)
	if err != nil {
		return member.Account{}, member.ErrInvalidCredentials
	}
	return d.Store.FindAccount(ctx, email)
}

func (d *DAO) failed(ctx context.Context, account member.Account, reason audit.Reason, origin audit.Origin) error {
	err := d.Store.Append(ctx, audit.Record{
		At: d.Now(), Event: audit.LoginFailed, Outcome: audit.Failure, Reason: reason, Actor: account.ID, Origin: origin,
	})
	if err != nil {
		return err
	}
	if reason == audit.AccountInactive {
		return member.ErrInactive
	}
	return member.ErrInvalidCredentials
}

func (d *DAO) begin(ctx context.Context, who member.Member, now time.Time, origin audit.Origin) (Login, error) {
	cookie, err := member.NewCookie(d.Random)
	if err != nil {
		return Login{}, err
	}
	id, err := uuid.NewV7FromReader(d.Random)
	if err != nil {
		return Login{}, fmt.Errorf("signin: new id: %w", err)
	}
	session := member.NewSession(id, who.ID, now)
	if err := d.Store.Begin(ctx, session, cookie, origin); err != nil {
		return Login{}, err
	}
	return Login{Cookie: cookie, Session: session, Member: who}, nil
}

// Current returns who is signed in with cookie. Its errors are
// [member.ErrNoSession], [member.ErrSessionRevoked] and outages.
func (d *DAO) Current(ctx context.Context, cookie member.Cookie) (member.Session, member.Member, error) {
	session, who, err := d.Store.FindSession(ctx, cookie)
	if err != nil {
		return member.Session{}, member.Member{}, err
	}
	if who.Status == member.Suspended || who.Status == member.Ended {
		return member.Session{}, member.Member{}, member.ErrSessionRevoked
	}
	return session, who, session.Check(d.Now())
}

// Logout ends the cookie's session, which must be the one with this id (from the
// CSRF value). A session that is no longer there is logged out.
func (d *DAO) Logout(ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, origin audit.Origin) error {
	ended, err := d.Store.End(ctx, cookie, sessionID, d.Now(), origin)
	if err != nil || ended {
		return err
	}
	session, _, err := d.Store.FindSession(ctx, cookie)
	switch {
	case errors.Is(err, member.ErrNoSession):
		return nil
	case err != nil:
		return err
	case session.ID != sessionID:
		return member.ErrCSRF
	}
	return nil
}
