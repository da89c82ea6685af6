package user

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Resolution is who the person turned out to be, and what was written.
type Resolution struct {
	User   User
	Action Action
	// PrincipalAdded: the user got the arrival's principal. Beside [Entered] that is
	// a linking event of its own.
	PrincipalAdded bool
}

// NewlyLinked reports whether an existing user got the link (dao, subject).
func (r Resolution) NewlyLinked() bool { return r.Action == Linked || r.Action == Reclaimed }

// Resolve finds, links, reclaims or creates the user of an arrival inside tx,
// which must be READ COMMITTED and on the primary. It returns [*Refused] as
// [Decide] does, [ErrRaced], [ErrArrival] or an [outage.Error]; after any error
// the caller rolls back. The texts of a must be valid UTF-8 without U+0000.
func Resolve(ctx context.Context, tx pgx.Tx, a Arrival, m Moment) (Resolution, error) {
	if !a.Complete() {
		return Resolution{}, ErrArrival
	}
	facts, err := find(ctx, tx, a)
	if err != nil {
		return Resolution{}, err
	}
	decision, err := Decide(a, facts)
	if err != nil {
		return Resolution{}, err
	}
	u, err := change{tx, a, decision, m}.apply(ctx)
	if err != nil {
		return Resolution{}, err
	}
	return Resolution{User: u, Action: decision.Action, PrincipalAdded: decision.AddPrincipal}, nil
}

// candidates are the ids that the three kinds of evidence lead to. An array, so
// that each branch and the lookup by id use their index.
const candidates = `ARRAY(
	SELECT user_id FROM public.identity_link WHERE provider = 'dao' AND subject = @subject
	UNION ALL SELECT user_id FROM public.ic_identity_link WHERE principal = @principal
	UNION ALL SELECT id FROM public.users WHERE email_canonical = @email)`

// lockSQL locks the candidates. In the order of their ids, so that two arrivals
// that point at the same two users cannot each hold one. FOR UPDATE, not FOR NO
// KEY UPDATE: it also waits for, and holds off, everybody who inserts a row that
// refers to the user (a session, a link, an API token), so that nothing new can
// slip past a reclaim.
const lockSQL = `SELECT u.id FROM public.users u WHERE u.id = ANY(` + candidates + `) ORDER BY u.id FOR UPDATE OF u`

// factsSQL is a statement of its own after the lock: at READ COMMITTED it sees
// what was committed while the lock was waited for; the locking statement's own
// snapshot would not.
const factsSQL = `
SELECT ` + Columns + `,
       EXISTS (SELECT FROM public.identity_link l WHERE l.provider = 'dao' AND l.subject = @subject AND l.user_id = u.id),
       EXISTS (SELECT FROM public.ic_identity_link i WHERE i.principal = @principal AND i.user_id = u.id),
       u.email_canonical = @email,
       EXISTS (SELECT FROM public.identity_link l WHERE l.provider = 'dao' AND l.subject <> @subject AND l.user_id = u.id)
FROM public.users u WHERE u.id = ANY(` + candidates + `)`

func find(ctx context.Context, tx pgx.Tx, a Arrival) (Facts, error) {
	args := pgx.NamedArgs{"subject": a.Subject.String(), "principal": a.OwnPrincipal(), "email": a.Email.Canonical()}
	rows, err := tx.Query(ctx, lockSQL, args)
	if err != nil {
		return Facts{}, classify(err)
	}
	locked, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return Facts{}, classify(err)
	}
	rows, err = tx.Query(ctx, factsSQL, args)
	if err != nil {
		return Facts{}, classify(err)
	}
	var facts Facts
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		return struct{}{}, facts.add(row, locked)
	})
	return facts, classify(err)
}

func (f *Facts) add(row pgx.Row, locked []uuid.UUID) error {
	var c Candidate
	var link, principal, email bool
	if err := Scan(row, &c.User, &link, &principal, &email, &c.OtherLink); err != nil {
		return err
	}
	if !slices.Contains(locked, c.ID) {
		return ErrRaced // became a candidate after the others were locked
	}
	for _, found := range []struct {
		yes bool
		by  **Candidate
	}{{link, &f.ByLink}, {principal, &f.ByPrincipal}, {email, &f.ByEmail}} {
		if found.yes {
			*found.by = &c
		}
	}
	return nil
}

// change is a decision about to be carried out.
type change struct {
	tx       pgx.Tx
	arrival  Arrival
	decision Decision
	moment   Moment
}

// apply writes in one order for everybody (user, link, principal): two arrivals
// that wait for each other's unique keys then wait in one direction only.
func (c change) apply(ctx context.Context) (User, error) {
	u, err := c.settle(ctx)
	if err != nil {
		return User{}, classify(err)
	}
	args := pgx.NamedArgs{
		"user": u.ID, "now": c.moment.Now,
		"subject": c.arrival.Subject.String(), "principal": c.arrival.OwnPrincipal(),
	}
	if c.decision.Action != Entered {
		if _, err := c.tx.Exec(ctx, `INSERT INTO public.identity_link (provider, subject, user_id, created_at)
			VALUES ('dao', @subject, @user, @now)`, args); err != nil {
			return User{}, classify(err)
		}
	}
	if c.decision.AddPrincipal {
		if _, err := c.tx.Exec(ctx, `INSERT INTO public.ic_identity_link (principal, user_id, created_at)
			VALUES (@principal, @user, @now)`, args); err != nil {
			return User{}, classify(err)
		}
	}
	return u, nil
}

// settle returns the user as they are from now on.
func (c change) settle(ctx context.Context) (User, error) {
	args := pgx.NamedArgs{
		"now": c.moment.Now, "email": c.arrival.Email.Reveal(), "canonical": c.arrival.Email.Canonical(),
		"verified": c.arrival.EmailVerified, "name": c.arrival.DisplayName,
	}
	switch c.decision.Action {
	case Created:
		args["user"] = c.moment.NewID
		return queryUser(ctx, c.tx, createSQL, args)
	case Reclaimed:
		args["user"] = c.decision.User.ID
		return queryUser(ctx, c.tx, reclaimSQL, args)
	}
	return c.decision.User, nil
}

const createSQL = `
INSERT INTO public.users AS u (id, email, email_canonical, email_verified, display_name, role, status, created_at, updated_at)
VALUES (@user, @email, @canonical, @verified, @name, 'member', 'ACTIVE', @now, @now)
RETURNING ` + Columns

// reclaimSQL empties an account that was never proven and gives it to the person
// who proved its address. The attack: register with the victim's address, leave a
// way in, wait for the victim. Each CTE shuts one class of door that Sudhodanan
// and Paverd describe; the name and the address' spelling were the stranger's
// choice too. The id, the role (I9) and created_at stay.
//
// Sessions are package session's concept. They are ended here, because all the
// doors have to shut in one statement: one that is shut elsewhere will one day be
// forgotten.
const reclaimSQL = `
WITH ended         AS (UPDATE public.sessions SET ended_at = @now, ended_as = 'reclaim' WHERE user_id = @user AND ended_at IS NULL),
     tokens        AS (DELETE FROM public.api_token          WHERE user_id = @user),
     oauth         AS (DELETE FROM public.oauth_credential   WHERE user_id = @user),
     links         AS (DELETE FROM public.identity_link      WHERE user_id = @user),
     principals    AS (DELETE FROM public.ic_identity_link   WHERE user_id = @user),
     resets        AS (DELETE FROM public.password_reset     WHERE user_id = @user),
     verifications AS (DELETE FROM public.email_verification WHERE user_id = @user)
UPDATE public.users u
SET password_hash = NULL, totp_secret = NULL, email = @email, email_verified = true, display_name = @name,
    status = 'ACTIVE', updated_at = @now
WHERE u.id = @user
RETURNING ` + Columns

// seedSQL has xmax = 0 in a row that it inserted: no earlier version was replaced.
const seedSQL = `
INSERT INTO public.users AS u (id, email, email_canonical, email_verified, password_hash, display_name, role, status, created_at, updated_at)
VALUES (@user, @email, @canonical, true, @password, NULLIF(@name, ''), @role, 'ACTIVE', @now, @now)
ON CONFLICT (email_canonical) DO UPDATE
SET email_verified = true, password_hash = EXCLUDED.password_hash, display_name = EXCLUDED.display_name,
    role = EXCLUDED.role, status = 'ACTIVE', updated_at = EXCLUDED.updated_at
RETURNING ` + Columns + `, (xmax = 0)`

// Seed creates the account, or sets the one with that email to it: active, its
// email verified, with that name, role and password. Links, sessions and a second
// factor stay as they are. created says whether it was not there. It is for
// operators; the caller adds the audit row in the same tx.
func Seed(ctx context.Context, tx pgx.Tx, account Account, m Moment) (u User, created bool, err error) {
	if account.PasswordHash.IsEmpty() || account.Email.Reveal() == "" {
		return User{}, false, errors.New("user: an account to seed needs an email and a password hash")
	}
	err = Scan(tx.QueryRow(ctx, seedSQL, pgx.NamedArgs{
		"user": m.NewID, "now": m.Now, "email": account.Email.Reveal(), "canonical": account.Email.Canonical(),
		"password": account.PasswordHash.Reveal(), "name": account.DisplayName, "role": string(account.Role),
	}), &u, &created)
	return u, created, classify(err)
}

// Columns are a user's columns under the alias u, as [Scan] reads them.
const Columns = `u.id, u.email, u.email_verified, u.display_name, u.role, u.status, u.created_at`

func queryUser(ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) (User, error) {
	var u User
	err := Scan(tx.QueryRow(ctx, sql, args), &u)
	return u, err
}

// FindSQL reads the user with the id $1.
const FindSQL = `SELECT ` + Columns + ` FROM public.users u WHERE u.id = $1`

// Scan reads a row of [FindSQL], and what the statement has after its columns.
func Scan(row pgx.Row, u *User, more ...any) error {
	var email string
	into := append([]any{&u.ID, &email, &u.EmailVerified, &u.DisplayName, &u.Role, &u.Status, &u.CreatedAt}, more...)
	if err := row.Scan(into...); err != nil {
		return err
	}
	u.CreatedAt = u.CreatedAt.UTC()
	parsed, err := privacy.ParseEmail(email)
	if err != nil {
		return fmt.Errorf("user: stored address of %s: %w", u.ID, err)
	}
	u.Email = parsed
	return nil
}

// credentialsSQL and bcryptCostSQL are asked in one round trip, also of an
// account that is not there.
//
// The first condition on bcrypt is the index's. The second leaves out what is never
// verified (package password): one row with a cost of 31 would make every login as
// slow as can be, one that begins like bcrypt and has no cost would hide all others,
// and their accounts would show in the time.
const (
	credentialsSQL = `SELECT ` + Columns + `, coalesce(u.password_hash, ''), u.totp_secret IS NOT NULL FROM public.users u`
	bcryptCostSQL  = `SELECT coalesce(max(substring(u.password_hash FROM 5 FOR 2)), '0') FROM public.users u
WHERE u.password_hash LIKE '$2%' AND u.password_hash ~ '^\$2[aby]\$(0[4-9]|1[0-4])\$[./A-Za-z0-9]{53}$'`
)

// FindCredentials returns the account with this address. Where there is none it
// returns [ErrInvalidCredentials] and what is needed to answer as slowly.
func FindCredentials(ctx context.Context, db Batcher, email privacy.Email) (Credentials, error) {
	return credentials(ctx, db, "u.email_canonical", email.Canonical())
}

// FindCredentialsOf is [FindCredentials] of the user with this id, whatever their
// address is by now.
func FindCredentialsOf(ctx context.Context, db Batcher, id uuid.UUID) (Credentials, error) {
	return credentials(ctx, db, "u.id", id)
}

// credentials finds the account by a unique column, of this package's choice.
func credentials(ctx context.Context, db Batcher, column string, value any) (Credentials, error) {
	var both pgx.Batch
	both.Queue(bcryptCostSQL)
	both.Queue(credentialsSQL+" WHERE "+column+" = $1", value)
	results := db.SendBatch(ctx, &both)
	var c Credentials
	var cost, hash string
	err := results.QueryRow().Scan(&cost)
	if err == nil {
		c.BcryptCost, _ = strconv.Atoi(cost) // digits, by the statement
		err = Scan(results.QueryRow(), &c.User, &hash, &c.SecondFactor)
	}
	if closed := results.Close(); err == nil {
		err = closed
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return Credentials{BcryptCost: c.BcryptCost}, ErrInvalidCredentials
	}
	c.PasswordHash = privacy.NewSecret(hash)
	return c, classify(err)
}

// Batcher is a pool, a connection or a transaction.
type Batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// CheckedSQL finds the account @of_user, under the alias u, if it is as it was when its
// password was checked against @hash: [Credentials.MayEnter] again. It has to be locked (FOR
// SHARE), which waits for whoever is changing it and makes them wait.
const CheckedSQL = `u.id = @of_user AND u.password_hash = @hash AND u.status = 'ACTIVE' AND u.email_verified AND u.totp_secret IS NULL`

const holdSQL = `SELECT true FROM public.users u WHERE ` + CheckedSQL + ` FOR SHARE`

// Hold makes sure inside tx that the account is still the one whose password was
// checked, until tx ends; else it returns [ErrRaced]. The check takes a while, and
// the attack is to begin a session in it for an account that its owner is reclaiming
// or locking at that moment.
func Hold(ctx context.Context, tx pgx.Tx, c Credentials) error {
	var held bool
	err := tx.QueryRow(ctx, holdSQL, pgx.NamedArgs{"of_user": c.ID, "hash": c.PasswordHash.Reveal()}).Scan(&held)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrRaced
	}
	return classify(err)
}

// Rehash stores replacement for the hash that was verified, unless somebody has
// changed the password since.
func Rehash(ctx context.Context, db Execer, c Credentials, replacement privacy.Secret, now time.Time) error {
	_, err := db.Exec(ctx, `UPDATE public.users SET password_hash = $3, updated_at = $4 WHERE id = $1 AND password_hash = $2`,
		c.ID, c.PasswordHash.Reveal(), replacement.Reveal(), now)
	return classify(err)
}

// Execer is a pool, a connection or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// classify says what an error of the database, or of reading its rows, means.
func classify(err error) error {
	if err == nil || errors.Is(err, ErrRaced) || errors.Is(err, privacy.ErrEmail) {
		return err
	}
	if fromServer, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch fromServer.Code {
		case "40P01", "40001": // deadlock, serialization: the other one went first
			return ErrRaced
		}
	}
	if outage.UniqueViolation(err) != "" {
		return ErrRaced
	}
	return outage.Postgres(err)
}
