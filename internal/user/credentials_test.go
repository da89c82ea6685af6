package user_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
	"github.com/hello-world-co-op/handoff/password"
)

// bcryptOf looks like a bcrypt hash of that cost; nobody computes it here.
func bcryptOf(cost string) string { return "$2b$" + cost + "$" + strings.Repeat("a", 53) }

const argon2id = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"

// withHash is an account with a stored hash, "" for none.
func (w world) withHash(address, hash string) uuid.UUID {
	w.t.Helper()
	id := w.has(account{email: address})
	w.exec(`UPDATE users SET password_hash = NULLIF($2, '') WHERE id = $1`, id, hash)
	return id
}

func (w world) credentials(address string) (user.Credentials, error) {
	w.t.Helper()
	return user.FindCredentials(context.Background(), w.db, email(w.t, address))
}

func TestCredentialsAreThoseOfTheAddress(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	ada := w.withHash("Ada@example.org", argon2id)
	bob := w.withHash("bob@example.org", "")
	w.exec(`UPDATE users SET totp_secret = 'shared', role = 'founder' WHERE id = $1`, bob)

	c, err := w.credentials("aDA@EXAMPLE.org")
	if err != nil || c.ID != ada || c.PasswordHash.Reveal() != argon2id || c.SecondFactor || c.Email.Reveal() != "Ada@example.org" ||
		c.Role != user.Member || c.Status != user.Active || !c.EmailVerified || c.BcryptCost != 0 {
		t.Errorf("Ada's: %+v, %v", c, err)
	}
	c, err = w.credentials("bob@example.org")
	if err != nil || c.ID != bob || !c.PasswordHash.IsEmpty() || !c.SecondFactor || c.Role != user.Founder {
		t.Errorf("Bob's: %+v, %v", c, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(text, "argon2id") || strings.Contains(text, "bob@") {
		t.Errorf("credentials print %s", text)
	}
}

// Nobody's credentials are those that cost as much: which hash is the costliest, an
// unknown account is told too.
func TestUnknownCredentialsCostAsMuchAsAny(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		hashes []string
		want   int
	}{
		"no hashes":                       {nil, 0},
		"none of bcrypt":                  {[]string{argon2id, ""}, 0},
		"one":                             {[]string{argon2id, bcryptOf("10")}, 10},
		"the costliest of several":        {[]string{bcryptOf("04"), bcryptOf("12"), bcryptOf("10"), bcryptOf("12")}, 12},
		"of one digit":                    {[]string{bcryptOf("04"), bcryptOf("09")}, 9},
		"of every letter":                 {[]string{"$2a$11$" + strings.Repeat("a", 53), "$2y$13$" + strings.Repeat("a", 53), bcryptOf("12")}, 13},
		"none that can be read":           {[]string{"$2b$", "$2b$xx$", "$2"}, 0},
		"one, beside what cannot be read": {[]string{bcryptOf("12"), "$2b$xx$" + strings.Repeat("a", 53), "$2b$", "$2", "$2b$1"}, 12},
		"one, beside what nobody verifies": {
			[]string{bcryptOf("12"), bcryptOf("31"), bcryptOf("15"), bcryptOf("99"), bcryptOf("03"), bcryptOf("00")}, 12,
		},
		"the costliest that is verified": {[]string{bcryptOf("14"), bcryptOf("04")}, 14},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world{t, testkit.Database(t, datastore.FOS)}
			for i, hash := range story.hashes {
				w.withHash(fmt.Sprintf("user%d@example.org", i), hash)
			}
			w.withHash("ada@example.org", argon2id)
			unknown, err := w.credentials("nobody@example.org")
			if !errors.Is(err, user.ErrInvalidCredentials) || unknown.BcryptCost != story.want {
				t.Errorf("unknown: cost %d, %v, want %d", unknown.BcryptCost, err, story.want)
			}
			if unknown.ID != uuid.Nil || !unknown.PasswordHash.IsEmpty() || unknown.SecondFactor {
				t.Errorf("an unknown account has %+v", unknown)
			}
			if known, err := w.credentials("ada@example.org"); err != nil || known.BcryptCost != story.want {
				t.Errorf("known: cost %d, %v, want %d", known.BcryptCost, err, story.want)
			}
		})
	}
}

// spy notes the statements of a batch.
type spy struct {
	user.Batcher
	queued []*pgx.QueuedQuery
}

func (s *spy) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	s.queued = append(s.queued, b.QueuedQueries...)
	return s.Batcher.SendBatch(ctx, b)
}

// I13: a login reads a handful of rows, however many accounts there are.
func TestI13_credentialsAreFoundByIndexes(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	w.exec(`INSERT INTO users (id, email, email_canonical, email_verified, password_hash, role, status, created_at, updated_at)
		SELECT gen_random_uuid(), n || '@example.org', n || '@example.org', true,
			CASE WHEN n % 3 = 0 THEN $1 WHEN n % 3 = 1 THEN $2 END, 'member', 'ACTIVE', now(), now()
		FROM generate_series(1, 20000) n`, argon2id, bcryptOf("12"))
	w.exec(`ANALYSE users`)
	asked := &spy{Batcher: w.db}
	if _, err := user.FindCredentials(t.Context(), asked, email(t, "9@example.org")); err != nil {
		t.Fatal(err)
	}
	if len(asked.queued) != 2 {
		t.Fatalf("%d statements", len(asked.queued))
	}
	for _, query := range asked.queued {
		plan := w.plan(query.SQL, query.Arguments)
		if strings.Contains(plan, "Seq Scan") || !strings.Contains(plan, "Index") {
			t.Errorf("%s\nis answered by\n%s", query.SQL, plan)
		}
		if rows := mostRows(t, plan); rows > 10 {
			t.Errorf("%s\nreads %v rows:\n%s", query.SQL, rows, plan)
		}
	}
}

// plan is how the database answers a statement, with what it really read.
func (w world) plan(sql string, args []any) (plan string) {
	w.t.Helper()
	if err := w.db.QueryRow(context.Background(), "EXPLAIN (ANALYSE, FORMAT JSON) "+sql, args...).Scan(&plan); err != nil {
		w.t.Fatal(err)
	}
	return plan
}

// mostRows is the largest number of rows that a step of a plan gave or dropped.
func mostRows(t testing.TB, plan string) (most float64) {
	t.Helper()
	var tree any
	if err := json.Unmarshal([]byte(plan), &tree); err != nil {
		t.Fatal(err)
	}
	var walk func(any)
	walk = func(node any) {
		switch node := node.(type) {
		case []any:
			for _, child := range node {
				walk(child)
			}
		case map[string]any:
			for name, value := range node {
				if n, is := value.(float64); is && (name == "Actual Rows" || name == "Rows Removed by Filter") {
					most = max(most, n)
				}
				walk(value)
			}
		}
	}
	walk(tree)
	return most
}

func TestCredentialsThatCannotBeReadAreAnOutage(t *testing.T) {
	t.Parallel()
	w := world{t, testkit.Database(t, datastore.FOS)}
	w.withHash("ada@example.org", argon2id)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := user.FindCredentials(gone, w.db, email(t, "ada@example.org"))
	if down := (*outage.Error)(nil); !errors.As(err, &down) || errors.Is(err, user.ErrInvalidCredentials) || !c.PasswordHash.IsEmpty() {
		t.Errorf("%+v, %v", c, err)
	}
}

// Only after the password was right. Who was shut out hears that first; who has not
// proved their address can do something about it, also while they wait to be admitted.
func TestWhoMayEnter(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status   user.Status
		verified bool
		second   bool
		want     error
	}{
		{user.Active, true, false, nil},
		{user.Active, true, true, user.ErrSecondFactor},
		{user.Active, false, false, user.ErrEmailUnverified},
		{user.Active, false, true, user.ErrEmailUnverified},
		{user.Pending, true, false, user.ErrInactive},
		{user.Pending, true, true, user.ErrInactive},
		{user.Pending, false, false, user.ErrEmailUnverified},
		{user.Suspended, true, false, user.ErrInactive},
		{user.Suspended, false, true, user.ErrInactive},
		{user.Deactivated, true, false, user.ErrInactive},
		{user.Deactivated, false, false, user.ErrInactive},
		{"ARCHIVED", true, false, user.ErrInactive}, // a status that is not known
		{"", true, false, user.ErrInactive},
	} {
		c := user.Credentials{User: user.User{Status: row.status, EmailVerified: row.verified}, SecondFactor: row.second}
		if err := c.MayEnter(); !errors.Is(err, row.want) || (row.want == nil) != (err == nil) {
			t.Errorf("%+v: %v", row, err)
		}
	}
}

// A hash that nobody can read is no match, and an operator hears of it: the person
// cannot mend it, and to answer otherwise would tell that there is an account.
func TestAHashThatCannotBeReadIsAWrongPassword(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := user.Passwords{
		Hasher: password.NewHasher(password.Limits{Concurrent: 1, Queue: 2}), Log: slog.New(slog.NewTextHandler(&log, nil)),
	}
	for _, hash := range []string{"secret, in plain text", bcryptOf("31")} {
		c := user.Credentials{User: user.User{ID: uuid.New()}, PasswordHash: privacy.NewSecret(hash)}
		match, replacement, err := p.Verify(t.Context(), c, privacy.NewSecret(hash))
		if match || err != nil || !replacement.IsEmpty() {
			t.Errorf("%v, %v", match, err)
		}
		if text := log.String(); !strings.Contains(text, c.ID.String()) || !strings.Contains(text, "level=ERROR") || strings.Contains(text, hash) {
			t.Errorf("the log says %s", text)
		}
		log.Reset()
	}
}
