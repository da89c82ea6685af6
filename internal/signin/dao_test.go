package signin_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

// checker stands for the slow hash: a password is right if it is the hash, less the
// marks "#" at its end, which tell the hashes of one password apart.
type checker struct {
	asked []string // the hashes that were verified, "" for nothing
	err   error
	// meanwhile happens while a password is being checked; it takes a while.
	meanwhile func()
}

func (c *checker) Verify(_ context.Context, hash, plain privacy.Secret) (bool, error) {
	c.asked = append(c.asked, hash.Reveal())
	if c.meanwhile != nil {
		c.meanwhile()
	}
	return !hash.IsEmpty() && strings.TrimRight(hash.Reveal(), "#") == plain.Reveal(), c.err
}

// dao is the DAO half's session authority on a database of its own.
type dao struct {
	*signin.DAO
	url     privacy.Secret
	db      *pgxpool.Pool
	clock   *testkit.Clock
	checker *checker
}

func newDAO(t testing.TB) *dao {
	t.Helper()
	d := &dao{url: testkit.DatabaseURL(t, datastore.DAO), clock: testkit.NewClock(), checker: &checker{}}
	d.db = testkit.Pool(t, d.url)
	d.DAO = signin.NewDAO(signin.DAOConfig{
		Store: signin.NewDAOStore(d.db), Passwords: d.checker, Now: d.clock.Now, Random: rand.Reader, Rotation: rotationOf(t, "6b"),
	})
	return d
}

// rotationOf takes the sealing keys, each as the byte that it consists of.
func rotationOf(t testing.TB, keys ...string) *member.Rotation {
	t.Helper()
	list := make([]privacy.Key, 0, len(keys))
	for _, key := range keys {
		list = append(list, testkit.Key(t, strings.Repeat(key, 32)))
	}
	rotation, err := member.NewRotation(list, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return rotation
}

// replica is another process on the same database, with sealing keys of its own.
func (d *dao) replica(t testing.TB, keys ...string) *signin.DAO {
	t.Helper()
	return signin.NewDAO(signin.DAOConfig{
		Store: signin.NewDAOStore(testkit.Pool(t, d.url)), Passwords: d.checker, Now: d.clock.Now, Random: rand.Reader,
		Rotation: rotationOf(t, keys...),
	})
}

func (d *dao) member(t testing.TB, email, password string, status member.Status) uuid.UUID {
	t.Helper()
	seeded, err := seed.New(d.db, d.db.Config().ConnConfig.Database, d.clock.Now()).Member(context.Background(), member.Account{
		Member:       member.Member{Email: testkit.Email(t, email), EmailVerified: true, Roles: []string{}, Status: status},
		PasswordHash: privacy.NewSecret(password),
	})
	if err != nil {
		t.Fatal(err)
	}
	return seeded.ID
}

func (d *dao) login(t testing.TB, email, password string) (signin.Login, error) {
	t.Helper()
	return d.Login(t.Context(), email, privacy.NewSecret(password), audit.Origin{RequestID: "r"})
}

// Whoever asks, one verification is done, and before the status is looked at: the
// time of the answer tells nothing of the account.
func TestLogin_verifiesOnceWhoeverAsks(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	d.member(t, "suspended@example.org", "right", member.Suspended)
	d.member(t, "ended@example.org", "right", member.Ended)
	d.member(t, "passwordless@example.org", "", member.Active)
	for _, row := range []struct {
		email, password, hash string
		want                  error
	}{
		{"ada@example.org", "right", "right", nil},
		{"ADA@example.org", "right", "right", nil},
		{"ada@example.org", "wrong", "right", member.ErrInvalidCredentials},
		{"suspended@example.org", "right", "right", member.ErrInactive},
		{"suspended@example.org", "wrong", "right", member.ErrInvalidCredentials},
		{"ended@example.org", "right", "right", member.ErrInactive},
		{"passwordless@example.org", "", "", member.ErrInvalidCredentials},
		{"passwordless@example.org", "x", "", member.ErrInvalidCredentials},
		{"nobody@example.org", "right", "", member.ErrInvalidCredentials},
		{"no address at all", "right", "", member.ErrInvalidCredentials},
		{"ada@example.org\x00", "right", "", member.ErrInvalidCredentials},
		{"", "", "", member.ErrInvalidCredentials},
	} {
		d.checker.asked = nil
		login, err := d.login(t, row.email, row.password)
		if !errors.Is(err, row.want) || (row.want == nil) != (err == nil) {
			t.Errorf("%q, %q: %v, want %v", row.email, row.password, err, row.want)
		}
		if !slices.Equal(d.checker.asked, []string{row.hash}) {
			t.Errorf("%q, %q: verified %q, want %q once", row.email, row.password, d.checker.asked, row.hash)
		}
		if signedIn := login.Cookie.Reveal() != ""; signedIn != (err == nil) {
			t.Errorf("%q, %q: a cookie %v with %v", row.email, row.password, signedIn, err)
		}
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE event = 'login.failed' AND request_id = 'r'`); n != 10 {
		t.Errorf("%d of 10 failures are recorded", n)
	}
}

// Who is pending, or has not proved their address, finishes that here: they may
// sign in, and cannot hand off.
func TestLogin_pendingAndUnverifiedMembersMayEnter(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "pending@example.org", "right", member.Pending)
	d.member(t, "unverified@example.org", "right", member.Active)
	testkit.Exec(t, d.db, `UPDATE members SET email_verified = false WHERE email = 'unverified@example.org'`)
	for _, email := range []string{"pending@example.org", "unverified@example.org"} {
		login, err := d.login(t, email, "right")
		if err != nil {
			t.Fatal(email, err)
		}
		if _, who, err := d.Current(t.Context(), login.Cookie); err != nil || who.Status == member.Active && who.EmailVerified {
			t.Errorf("%s: %v, %s, verified: %v", email, err, who.Status, who.EmailVerified)
		}
	}
}

// What cannot be decided is no verdict on the password, and leaves no session.
func TestLogin_passesTroubleOn(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	d.checker.err = password.ErrBusy
	for _, email := range []string{"ada@example.org", "nobody@example.org"} {
		if login, err := d.login(t, email, "right"); !errors.Is(err, password.ErrBusy) || login.Cookie.Reveal() != "" {
			t.Errorf("%s: %v", email, err)
		}
	}
	d.checker.err = nil
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var down *outage.Error
	if _, err := d.Login(gone, "ada@example.org", privacy.NewSecret("right"), audit.Origin{}); !errors.As(err, &down) {
		t.Errorf("without a database: %v", err)
	}
	broken := signin.NewDAO(signin.DAOConfig{
		Store: signin.NewDAOStore(d.db), Passwords: d.checker, Now: d.clock.Now, Random: iotest.ErrReader(errors.New("no entropy")),
	})
	if _, err := broken.Login(t.Context(), "ada@example.org", privacy.NewSecret("right"), audit.Origin{}); err == nil {
		t.Error("a session without randomness")
	}
	if got := testkit.Events(t, d.db); len(got) != 0 {
		t.Errorf("recorded %v", got)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM sessions`); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func TestCurrent_saysWhoUntilItEnds(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	id := d.member(t, "ada@example.org", "right", member.Active)
	login, err := d.login(t, "ada@example.org", "right")
	if err != nil {
		t.Fatal(err)
	}
	want := func(name string, want error) {
		t.Helper()
		session, who, err := d.Current(t.Context(), login.Cookie)
		if !errors.Is(err, want) || (want == nil) != (err == nil) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if err == nil && (who.ID != id || session.MemberID != id || session.ID != login.Session.ID) {
			t.Errorf("%s: %v in the session %v", name, who.ID, session.ID)
		}
	}
	want("fresh", nil)
	testkit.Exec(t, d.db, `ALTER TABLE members DISABLE TRIGGER handoffs_leave_with_member; UPDATE members SET membership_status = 'suspended'`)
	want("shut out before sessions ended with a membership", member.ErrSessionRevoked)
	testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'active'; ALTER TABLE members ENABLE TRIGGER handoffs_leave_with_member`)
	d.clock.Advance(30*time.Minute - time.Millisecond)
	want("the last moment", nil)
	d.clock.Advance(time.Millisecond)
	want("idle", member.ErrNoSession)
	testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'ended'`)
	want("the membership ended", member.ErrSessionRevoked)
	testkit.Exec(t, d.db, `UPDATE members SET membership_status = 'active'`)
	want("a member again", member.ErrSessionRevoked)
}

// A logout ends that session and no other, once; who has none is signed out.
func TestLogout_endsThisSessionAndNoOther(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	d.member(t, "ada@example.org", "right", member.Active)
	one, err := d.login(t, "ada@example.org", "right")
	if err != nil {
		t.Fatal(err)
	}
	other, err := d.login(t, "ada@example.org", "right")
	if err != nil {
		t.Fatal(err)
	}
	logout := func(cookie member.Cookie, id uuid.UUID) error {
		return d.Logout(t.Context(), cookie, id, audit.Origin{})
	}
	if err := logout(one.Cookie, other.Session.ID); !errors.Is(err, member.ErrCSRF) {
		t.Errorf("the cookie of one with the csrf value of the other: %v", err)
	}
	for range 2 {
		if err := logout(one.Cookie, one.Session.ID); err != nil {
			t.Error(err)
		}
	}
	unknown, err := member.NewCookie(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := logout(unknown, one.Session.ID); err != nil {
		t.Errorf("a cookie of nobody's: %v", err)
	}
	if _, _, err := d.Current(t.Context(), one.Cookie); !errors.Is(err, member.ErrSessionRevoked) {
		t.Errorf("the one: %v", err)
	}
	if _, _, err := d.Current(t.Context(), other.Cookie); err != nil {
		t.Errorf("the other: %v", err)
	}
	want := []string{"session.created success password", "session.created success password", "session.ended success logout"}
	if got := testkit.Events(t, d.db); !slices.Equal(got, want) {
		t.Errorf("I4: recorded %v", got)
	}
}
