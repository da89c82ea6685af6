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
	Rotation  *member.Rotation
	Now       func() time.Time
	Random    io.Reader
}

type daoStore interface {
	FindAccount(ctx context.Context, email privacy.Email) (member.Account, error)
	// FindSession returns the session that the cookie belongs to at now, live or not.
	FindSession(ctx context.Context, cookie member.Cookie, now time.Time) (member.Session, member.Member, error)
	// Begin writes the session with its audit row, or returns errChanged when the
	// account is no longer the one that was checked.
	Begin(ctx context.Context, account member.Account, s member.Session, cookie member.Cookie, origin audit.Origin) error
	// End ends a live session with its audit row and reports whether there was one.
	End(ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, now time.Time, origin audit.Origin) (bool, error)
	// Rotate gives the session its next cookie, or finds the one that it was given,
	// with its audit row; member.ErrNoSession when the cookie and the id find none.
	Rotate(ctx context.Context, r Rotate) (Rotated, error)
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
	login, err := d.login(ctx, email, plain, origin)
	if errors.Is(err, errChanged) {
		// Perhaps their name only; or the password, and then this one is wrong now.
		login, err = d.login(ctx, email, plain, origin)
	}
	if errors.Is(err, errChanged) {
		return Login{}, d.failed(ctx, member.Account{}, audit.InvalidCredentials, origin)
	}
	return login, err
}

func (d *DAO) login(ctx context.Context, email string, plain privacy.Secret, origin audit.Origin) (Login, error) {
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
	if account.Status.Stopped() {
		return Login{}, d.failed(ctx, account, audit.AccountInactive, origin)
	}
	return d.begin(ctx, account, origin)
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

func (d *DAO) begin(ctx context.Context, account member.Account, origin audit.Origin) (Login, error) {
	cookie, err := member.NewCookie(d.Random)
	if err != nil {
		return Login{}, err
	}
	id, err := uuid.NewV7FromReader(d.Random)
	if err != nil {
		return Login{}, fmt.Errorf("signin: new id: %w", err)
	}
	session := member.NewSession(id, account.ID, d.Now())
	if err := d.Store.Begin(ctx, account, session, cookie, origin); err != nil {
		return Login{}, err
	}
	return Login{Cookie: cookie, Session: session, Member: account.Member}, nil
}

// Current returns who is signed in with cookie. Its errors are
// [member.ErrNoSession], [member.ErrSessionRevoked] and outages.
func (d *DAO) Current(ctx context.Context, cookie member.Cookie) (member.Session, member.Member, error) {
	session, who, err := d.find(ctx, cookie)
	if err != nil {
		return member.Session{}, member.Member{}, err
	}
	return session, who, session.Check(d.Now())
}

// Refreshable is [DAO.Current] for a session whose idle time may have run out, but
// not its absolute one.
func (d *DAO) Refreshable(ctx context.Context, cookie member.Cookie) (member.Session, error) {
	session, _, err := d.find(ctx, cookie)
	if err != nil {
		return member.Session{}, err
	}
	return session, session.CheckRefreshable(d.Now())
}

func (d *DAO) find(ctx context.Context, cookie member.Cookie) (member.Session, member.Member, error) {
	session, who, err := d.Store.FindSession(ctx, cookie, d.Now())
	if err == nil && who.Status.Stopped() {
		err = member.ErrSessionRevoked
	}
	return session, who, err
}

// Rotate is a cookie to be replaced by Next, which was made with Nonce.
type Rotate struct {
	Cookie    member.Cookie
	SessionID uuid.UUID
	Next      member.Cookie
	Nonce     []byte
	Now       time.Time
	Origin    audit.Origin
}

// Rotated is the session as it is now. Digest is that of its cookie, made with
// Nonce; Converged says that it was so before.
type Rotated struct {
	Session   member.Session
	Status    member.Status
	Digest    []byte
	Nonce     []byte
	Converged bool
}

// Refresh gives the cookie's session, which must be the one with this id (from the
// CSRF value), another cookie and a new idle time. For [member.PreviousTTL] after
// that, the cookie before and the new one both lead to the new one, and nothing
// changes. Its errors are [member.ErrNoSession], [member.ErrSessionRevoked],
// [member.ErrCSRF] and outages.
func (d *DAO) Refresh(
	ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, origin audit.Origin,
) (member.Session, member.Cookie, error) {
	now := d.Now()
	next, nonce, err := d.Rotation.Next(cookie)
	if err != nil {
		return member.Session{}, member.Cookie{}, err
	}
	rotated, err := d.Store.Rotate(ctx, Rotate{
		Cookie: cookie, SessionID: sessionID, Next: next, Nonce: nonce, Now: now, Origin: origin,
	})
	if errors.Is(err, member.ErrNoSession) {
		return member.Session{}, member.Cookie{}, d.whyNot(ctx, cookie, sessionID)
	}
	if err != nil {
		return member.Session{}, member.Cookie{}, err
	}
	if rotated.Status.Stopped() {
		return member.Session{}, member.Cookie{}, member.ErrSessionRevoked
	}
	if err := rotated.Session.CheckRefreshable(now); err != nil {
		return member.Session{}, member.Cookie{}, err
	}
	if rotated.Converged {
		next, err = d.Rotation.Again(cookie, rotated.Nonce, rotated.Digest)
	}
	if err != nil {
		return member.Session{}, member.Cookie{}, err
	}
	return rotated.Session, next, nil
}

// whyNot tells a cookie that nothing belongs to from a CSRF value that belongs to
// another session than the cookie.
func (d *DAO) whyNot(ctx context.Context, cookie member.Cookie, sessionID uuid.UUID) error {
	session, _, err := d.Store.FindSession(ctx, cookie, d.Now())
	if err == nil && session.ID != sessionID {
		return member.ErrCSRF
	}
	if err == nil {
		return member.ErrNoSession // rotated twice between the two looks
	}
	return err
}

// Logout ends the cookie's session, which must be the one with this id (from the
// CSRF value). A session that is no longer there is logged out.
func (d *DAO) Logout(ctx context.Context, cookie member.Cookie, sessionID uuid.UUID, origin audit.Origin) error {
	ended, err := d.Store.End(ctx, cookie, sessionID, d.Now(), origin)
	if err != nil || ended {
		return err
	}
	err = d.whyNot(ctx, cookie, sessionID)
	if errors.Is(err, member.ErrNoSession) {
		return nil
	}
	return err
}
