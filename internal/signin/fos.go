package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/behind"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// UserPasswords checks users' passwords, with a bound on how many at once.
type UserPasswords interface {
	// Verify reports whether plain is the account's password, and what should replace
	// the stored hash, empty for nothing. The zero account is verified against
	// nothing, with the same work.
	Verify(ctx context.Context, account user.Credentials, plain privacy.Secret) (bool, privacy.Secret, error)
}

// FOSConfig is what the FOS half's session authority needs.
type FOSConfig struct {
	Store         fosStore
	Passwords     UserPasswords
	Signer        *session.Signer
	ElevatedRoles bool
	// Anchored: a refresh token counts only beside an access token of its session,
	// which is so where cookies have their prefixes (HTTPS).
	Anchored bool
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
}

type fosStore interface {
	FindCredentials(ctx context.Context, email privacy.Email) (user.Credentials, error)
	// Begin writes the session with its audit row, or returns user.ErrRaced when the
	// account is no longer the one that was checked.
	Begin(ctx context.Context, account user.Credentials, fresh session.New, origin audit.Origin) (session.Session, error)
	// FindCredentialsOf is FindCredentials by the user's id.
	FindCredentialsOf(ctx context.Context, id uuid.UUID) (user.Credentials, error)
	// Elevate elevates a session with its audit row, or returns user.ErrRaced as Begin
	// does, or session.ErrEnded.
	Elevate(ctx context.Context, up Elevation) (session.Session, error)
	Rehash(ctx context.Context, account user.Credentials, replacement privacy.Secret, now time.Time) error
	// FindSession returns the session and the user, live or not, or
	// session.ErrInvalidToken when one of them is not there.
	FindSession(ctx context.Context, sessionID, userID uuid.UUID) (session.Session, user.User, error)
	Touch(ctx context.Context, id uuid.UUID, generation int, now time.Time) error
	Refresh(ctx context.Context, claims session.RefreshClaims, now time.Time, origin audit.Origin) (Refreshed, error)
	List(ctx context.Context, userID uuid.UUID, now time.Time) ([]session.Session, error)
	ListEnded(ctx context.Context, userID uuid.UUID, since time.Time) ([]EndedSession, error)
	// End ends live sessions, each with its audit row.
	End(ctx context.Context, which Ending, now time.Time, origin audit.Origin) error
	Append(ctx context.Context, r audit.Record) error
}

// FOS is the FOS half's session authority. Wait for it before its stores are
// closed.
type FOS struct {
	FOSConfig
	rehashing *behind.Work
}

// NewFOS makes the use cases.
func NewFOS(config FOSConfig) *FOS {
	return &FOS{FOSConfig: config, rehashing: behind.New(rehashingAtOnce)}
}

// rehashingAtOnce bounds what runs after its answer (I13). A hash that is not replaced
// is replaced at the next login.
const rehashingAtOnce = 16

// Wait returns when nothing runs behind an answer any more.
func (f *FOS) Wait() { f.rehashing.Wait() }

// Entered is a user with a session and the pair for it.
type Entered struct {
	User       user.User
	ActingRole string // what this session may act as, which may be less than the user's role
	Session    session.Session
	Pair       session.Pair
}

// Login checks the password and begins a session. Its errors are
// [user.ErrInvalidCredentials] (whatever of the two was wrong), those of
// [user.Credentials.MayEnter] only after the password was right, and outages.
func (f *FOS) Login(ctx context.Context, email string, plain privacy.Secret, origin audit.Origin) (Entered, error) {
	return f.prove(ctx, plain, proof{
		find:    func() (user.Credentials, error) { return f.findAccount(ctx, email) },
		succeed: func(account user.Credentials) (Entered, error) { return f.begin(ctx, account, origin) },
		failure: audit.Record{Event: audit.LoginFailed, Origin: origin},
	})
}

// proof is something that a password is asked for.
type proof struct {
	find func() (user.Credentials, error)
	// succeed does it, or returns [user.ErrRaced] if the account is not the one any more
	// whose password was checked.
	succeed func(account user.Credentials) (Entered, error)
	// failure is what is recorded otherwise. Without an actor it is the account's.
	failure audit.Record
}

func (f *FOS) prove(ctx context.Context, plain privacy.Secret, p proof) (Entered, error) {
	entered, err := f.proveOnce(ctx, plain, p)
	if errors.Is(err, user.ErrRaced) {
		// The account was changed while its password was checked. A hash that another
		// login replaced is no reason to turn the person away: look again, once.
		entered, err = f.proveOnce(ctx, plain, p)
	}
	if errors.Is(err, user.ErrRaced) {
		return Entered{}, f.failed(ctx, user.Credentials{}, user.ErrInvalidCredentials, p.failure)
	}
	return entered, err
}

func (f *FOS) proveOnce(ctx context.Context, plain privacy.Secret, p proof) (Entered, error) {
	account, err := p.find()
	if err != nil && !errors.Is(err, user.ErrInvalidCredentials) {
		return Entered{}, err
	}
	// Unknown accounts come here too: the attack is to learn who has an account from
	// the time of the answer.
	match, replacement, err := f.Passwords.Verify(ctx, account, plain)
	if err != nil {
		return Entered{}, err
	}
	if !match {
		return Entered{}, f.failed(ctx, account, user.ErrInvalidCredentials, p.failure)
	}
	if err := account.MayEnter(); err != nil {
		return Entered{}, f.failed(ctx, account, err, p.failure)
	}
	entered, err := p.succeed(account)
	if err == nil && !replacement.IsEmpty() {
		f.rehash(ctx, account, replacement)
	}
	return entered, err
}

func (f *FOS) findAccount(ctx context.Context, text string) (user.Credentials, error) {
	email, err := privacy.ParseEmail(text)
	if err != nil {
		// Asked for all the same, as nobody: the time is that of any unknown account.
		email = privacy.Email{}
	}
	return f.Store.FindCredentials(ctx, email)
}

func (f *FOS) begin(ctx context.Context, account user.Credentials, origin audit.Origin) (Entered, error) {
	now := f.Now()
	id, err := uuid.NewV7FromReader(f.Random)
	if err != nil {
		return Entered{}, fmt.Errorf("signin: new id: %w", err)
	}
	begun, err := f.Store.Begin(ctx, account, session.New{
		ID: id, UserID: account.ID, Origin: session.Password, AuthTime: now, AMR: []string{"pwd"},
		Now: now, ExpiresAt: f.Signer.SessionExpiry(now),
	}, origin)
	if err != nil {
		return Entered{}, err
	}
	return f.enter(begun, account.User)
}

// enter signs the pair of a session whose row is committed.
func (f *FOS) enter(s session.Session, who user.User) (Entered, error) {
	role := session.ActingRole(string(who.Role), s, f.ElevatedRoles)
	pair, err := f.Signer.Pair(s, role)
	return Entered{User: who, ActingRole: role, Session: s, Pair: pair}, err
}

// loginFailures says what the audit row says of each.
var loginFailures = []struct {
	is   error
	note audit.Reason
}{
	{user.ErrEmailUnverified, audit.EmailUnverified},
	{user.ErrSecondFactor, audit.SecondFactor},
	{user.ErrInactive, audit.AccountInactive},
	{user.ErrInvalidCredentials, audit.InvalidCredentials},
}

func (f *FOS) failed(ctx context.Context, account user.Credentials, cause error, record audit.Record) error {
	record.At, record.Outcome = f.Now(), audit.Failure
	if record.Actor == uuid.Nil {
		record.Actor = account.ID
	}
	for _, row := range loginFailures {
		if errors.Is(cause, row.is) {
			record.Reason = row.note
		}
	}
	if err := f.Store.Append(ctx, record); err != nil {
		return err
	}
	return cause
}

// rehash replaces a hash behind the answer: the person has no use for it, and the
// write would show in the time. What is lost here is done at the next login.
func (f *FOS) rehash(ctx context.Context, account user.Credentials, replacement privacy.Secret) {
	f.rehashing.Do(ctx, func(ctx context.Context) {
		if err := f.Store.Rehash(ctx, account, replacement, f.Now()); err != nil {
			f.Log.WarnContext(ctx, "a password hash was not replaced", "user_id", account.ID, "error", err)
		}
	})
}
