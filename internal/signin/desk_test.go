package signin_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// userChecker stands for the slow hash. A password is right if it is the hash, less
// the marks "#" at its end, which tell the hashes of one password apart.
type userChecker struct {
	mu          sync.Mutex
	asked       []string // the hashes that were verified, "" for nothing
	costs       []int    // the bcrypt costs that went with them
	replacement string   // what should replace a hash that matched
	err         error
	// meanwhile are what happens while a password is being checked: the first during
	// the first check, and so on.
	meanwhile []func()
}

func (c *userChecker) Verify(_ context.Context, account user.Credentials, plain privacy.Secret) (bool, privacy.Secret, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	hash := account.PasswordHash.Reveal()
	if n := len(c.asked); n < len(c.meanwhile) {
		c.meanwhile[n]()
	}
	c.asked, c.costs = append(c.asked, hash), append(c.costs, account.BcryptCost)
	if hash == "" || strings.TrimRight(hash, "#") != plain.Reveal() {
		return false, privacy.Secret{}, c.err
	}
	return c.err == nil, privacy.NewSecret(c.replacement), c.err
}

// desk is the FOS half's session authority on a database of its own, without the
// edge and without hashing.
type desk struct {
	*signin.FOS
	s       *testkit.Service // the database, the clock and the log; nothing runs
	db      *pgxpool.Pool
	clock   *testkit.Clock
	checker *userChecker
}

func newDesk(t testing.TB, change ...func(*signin.FOSConfig)) *desk {
	t.Helper()
	d := &desk{db: testkit.Database(t, datastore.FOS), clock: testkit.NewClock(), checker: &userChecker{}}
	d.s = &testkit.Service{FOS: d.db, Clock: d.clock, Log: &testkit.Log{}}
	config := signin.FOSConfig{
		Store: signin.NewFOSStore(d.db), Passwords: d.checker, Signer: d.s.Signer(t), Now: d.clock.Now, Random: rand.Reader,
		Log: slog.New(slog.NewJSONHandler(d.s.Log, nil)),
	}
	for _, alter := range change {
		alter(&config)
	}
	d.FOS = signin.NewFOS(config)
	t.Cleanup(d.Wait)
	return d
}

// account is an active, verified member whose hash is this; "" is none.
func (d *desk) account(t testing.TB, email, hash string, change ...func(*user.User)) user.User {
	t.Helper()
	u := d.s.User(t, email, change...)
	testkit.Exec(t, d.db, `UPDATE users SET password_hash = NULLIF($2, '') WHERE id = $1`, u.ID, hash)
	return u
}

func (d *desk) login(t testing.TB, email, password string) (signin.Entered, error) {
	t.Helper()
	return d.Login(t.Context(), email, privacy.NewSecret(password), origin)
}

// enters signs somebody in who must get in.
func (d *desk) enters(t testing.TB, email string) signin.Entered {
	t.Helper()
	entered, err := d.login(t, email, "right")
	if err != nil {
		t.Fatal(err)
	}
	return entered
}

// arrived is a session that came by hand-off, of somebody who signed in with two factors
// an hour ago, and its pair.
func (d *desk) arrived(t testing.TB, who user.User) (session.Session, session.Pair) {
	t.Helper()
	journey, product, now := uuid.New(), "think-tank", d.clock.Now()
	var begun session.Session
	err := pgx.BeginFunc(t.Context(), d.db, func(tx pgx.Tx) (err error) {
		begun, _, err = session.Insert(t.Context(), tx, session.New{
			ID: uuid.Must(uuid.NewV7()), UserID: who.ID, Origin: session.Handoff, HandoffID: &journey, EntryProduct: &product,
			AuthTime: now.Add(-time.Hour), AMR: []string{"pwd", "otp", "mfa"}, Now: now, ExpiresAt: d.Signer.SessionExpiry(now),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := d.Signer.Pair(begun, session.ActingRole(string(who.Role), begun, d.ElevatedRoles))
	if err != nil {
		t.Fatal(err)
	}
	return begun, pair
}

func isFounder(u *user.User) { u.Role = user.Founder }

func (d *desk) sessions(t testing.TB) int {
	t.Helper()
	return testkit.Count(t, d.db, `SELECT count(*) FROM sessions`)
}

func (d *desk) hashOf(t testing.TB, who user.User) (hash string) {
	t.Helper()
	err := d.db.QueryRow(t.Context(), `SELECT coalesce(password_hash, '') FROM users WHERE id = $1`, who.ID).Scan(&hash)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

var origin = audit.Origin{RequestID: "the request"}
