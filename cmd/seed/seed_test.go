package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

// asSeed makes this test binary the command, so that the stories run what is
// shipped, with its arguments, environment and exit codes.
const asSeed = "TEST_AS_SEED"

func TestMain(m *testing.M) {
	if os.Getenv(asSeed) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// result is how the command ended and what it said.
type result struct {
	exit     int
	out, err string
}

// database is one to be seeded.
type database struct {
	variable, url, name string
	*pgxpool.Pool
}

func newDatabase(t testing.TB, half datastore.Half) database {
	t.Helper()
	url := testkit.DatabaseURL(t, half)
	pool := testkit.Pool(t, url)
	d := database{variable: "DATABASE_URL", url: url.Reveal(), name: pool.Config().ConnConfig.Database, Pool: pool}
	if half == datastore.DAO {
		d.variable = "DAO_DATABASE_URL"
	}
	return d
}

// seed runs the command on d, with the flags that it always needs.
func (d database) seed(t testing.TB, stdin string, args ...string) result {
	t.Helper()
	return command(t, []string{d.variable + "=" + d.url}, stdin, append(args, "--password-stdin", "--expect-database", d.name)...)
}

func command(t testing.TB, env []string, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, os.Args[0], args...) //nolint:gosec // G204: this very binary
	c.Env = append([]string{asSeed + "=1"}, env...)
	c.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), errs.String()}
}

const id = `[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`

// says demands success and output of that shape, and returns the ids in it.
func (r result) says(t testing.TB, shape string) []string {
	t.Helper()
	if r.exit != 0 || !regexp.MustCompile("^"+shape+"$").MatchString(r.out) {
		t.Fatalf("exit %d, %q, want %s; %s", r.exit, r.out, shape, r.err)
	}
	return regexp.MustCompile(id).FindAllString(r.out, -1)
}

// one reads one text.
func (d database) one(t testing.TB, sql string, args ...any) string {
	t.Helper()
	var text string
	if err := d.QueryRow(t.Context(), sql, args...).Scan(&text); err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAMemberIsCreatedAndBroughtUpToDate(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, datastore.DAO)
	const state = `SELECT concat_ws(' | ', email, email_verified, coalesce(display_name, '-'), coalesce(ic_principal, '-'), roles, membership_status)
		FROM members`
	first := d.seed(t, "first password\n", "member", "--email", "Ada@example.org").says(t, "created member "+id+"\n")
	if got := d.one(t, state); got != "Ada@example.org | t | - | - | {} | active" {
		t.Error(got)
	}
	hash := d.one(t, `SELECT password_hash FROM members`)

	testkit.Exec(t, d.Pool, `UPDATE members SET membership_status = 'suspended', email_verified = false`)
	again := d.seed(t, "second password", "member", "--email", "ada@example.org", "--display-name", "Ada Lovelace",
		"--principal", "2vxsx-fae", "--roles", "member, steward,").says(t, "updated member "+id+"\n")
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("the id changed:\n%s", diff)
	}
	if got := d.one(t, state); got != "ada@example.org | t | Ada Lovelace | 2vxsx-fae | {member,steward} | active" {
		t.Error(got)
	}
	if d.one(t, `SELECT password_hash FROM members`) == hash {
		t.Error("the password was not rotated")
	}
	if n := testkit.Count(t, d.Pool, `SELECT count(*) FROM audit_log WHERE event = 'account.seeded' AND outcome = 'success' AND actor_id = $1`,
		first[0]); n != 2 {
		t.Errorf("%d rows record it", n)
	}
}

func TestASeededMemberSignsInWithTheNewestPassword(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	d := database{"DAO_DATABASE_URL", s.Environ["DAO_DATABASE_URL"], s.DAO.Config().ConnConfig.Database, s.DAO}
	login := func(plain string) int {
		b := s.Browser(t)
		return testkit.Judged(func() testkit.Answer {
			return b.Post(s.DAOURL+"/api/auth/login", map[string]any{"email": "ada@example.org", "password": plain})
		}).Status
	}
	d.seed(t, "the first password\n", "member", "--email", "ada@example.org").says(t, "created member "+id+"\n")
	if status := login("the first password"); status != http.StatusOK {
		t.Errorf("with the password: %d", status)
	}
	d.seed(t, "the next password\n", "member", "--email", "ada@example.org").says(t, "updated member "+id+"\n")
	if old, next := login("the first password"), login("the next password"); old != http.StatusUnauthorized || next != http.StatusOK {
		t.Errorf("with the old one %d, with the new one %d", old, next)
	}
}

func TestTheThreeRegressionAccounts(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, datastore.FOS)
	const state = `SELECT string_agg(concat_ws(' ', email, role, status, email_verified, display_name), E'\n' ORDER BY role) FROM users`
	want := "regression-admin@founderyos.dev admin ACTIVE t Regression admin\n" +
		"regression-founder@founderyos.dev founder ACTIVE t Regression founder\n" +
		"regression-member@founderyos.dev member ACTIVE t Regression member"
	first := d.seed(t, "a regression password\n", "accounts").says(t, told("created"))
	if diff := cmp.Diff(want, d.one(t, state)); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}

	testkit.Exec(t, d.Pool, `UPDATE users SET role = 'guest', status = 'SUSPENDED', email_verified = false, password_hash = NULL`)
	again := d.seed(t, "another regression password\n", "accounts").says(t, told("updated"))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("ids changed:\n%s", diff)
	}
	if diff := cmp.Diff(want, d.one(t, state)); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
	if n := testkit.Count(t, d.Pool, `SELECT count(*) FROM audit_log WHERE event = 'account.seeded'`); n != 6 {
		t.Errorf("%d rows record it", n)
	}
	d.wantPassword(t, "users", "another regression password")
}

// wantPassword demands that plain is the password of all accounts.
func (d database) wantPassword(t testing.TB, table, plain string) {
	t.Helper()
	hash := privacy.NewSecret(d.one(t, `SELECT max(password_hash) FROM `+table))
	result, err := password.Verify(hash.Reveal(), plain)
	if err != nil || !result.Match {
		t.Errorf("the password is not %q: %v", plain, err)
	}
}

func TestOneLineBreakAfterThePasswordIsNotPartOfIt(t *testing.T) {
	t.Parallel()
	d := newDatabase(t, datastore.DAO)
	for stdin, plain := range map[string]string{
		"no line break": "no line break", "from echo\n": "from echo", "from Windows\r\n": "from Windows", "two of them\n\n": "two of them\n",
		"a return\r": "a return\r", " spaces \n": " spaces ", "zwölf Käse\n": "zwölf Käse",
	} {
		if r := d.seed(t, stdin, "member", "--email", "ada@example.org"); r.exit != 0 {
			t.Fatalf("%q: %s", stdin, r.err)
		}
		d.wantPassword(t, "members", plain)
	}
}

// Nothing is written, and nothing that was typed is shown, when something is wrong.
func TestWhatIsWrongWritesNothing(t *testing.T) {
	t.Parallel()
	dao, fos := newDatabase(t, datastore.DAO), newDatabase(t, datastore.FOS)
	env := []string{"DAO_DATABASE_URL=" + dao.url, "DATABASE_URL=" + fos.url}
	member := func(more ...string) []string { return append([]string{"member", "--password-stdin"}, more...) }
	ada := []string{"--email", "ada@example.org"}
	before := testkit.Dump(t, dao.Pool) + testkit.Dump(t, fos.Pool)
	for name, story := range map[string]struct {
		stdin string
		args  []string
		exit  int
		says  string
	}{
		"no command":             {"pw", nil, 2, "usage:"},
		"an unknown command":     {"pw", []string{"founder"}, 2, "usage:"},
		"an unknown flag":        {"pw", member("--admin"), 2, "usage:"},
		"a word too many":        {"pw", member(append(ada, "--expect-database", dao.name, "now")...), 2, "usage:"},
		"no expectation":         {"pw", member(ada...), 2, "usage:"},
		"no password":            {"pw", append([]string{"member", "--expect-database", dao.name}, ada...), 2, "usage:"},
		"no email":               {"pw", member("--expect-database", dao.name), 2, "usage:"},
		"an email for accounts":  {"pw", append([]string{"accounts", "--password-stdin", "--expect-database", fos.name}, ada...), 2, "usage:"},
		"an empty password":      {"", member(append(ada, "--expect-database", dao.name)...), 1, "the password on standard input is empty"},
		"only a line break":      {"\n", member(append(ada, "--expect-database", dao.name)...), 1, "the password on standard input is empty"},
		"a password too long":    {strings.Repeat("p", 40<<10), member(append(ada, "--expect-database", dao.name)...), 1, "the password"},
		"not an email":           {"pw-unspeakable", member("--email", "ada", "--expect-database", dao.name), 1, "--email: not an email address"},
		"the wrong DAO database": {"pw-unspeakable", member(append(ada, "--expect-database", "production")...), 1, `expected "production"; nothing was written`},
		"the wrong FOS database": {"pw-unspeakable", []string{"accounts", "--password-stdin", "--expect-database", dao.name}, 1, "nothing was written"},
	} {
		r := command(t, env, story.stdin, story.args...)
		if r.exit != story.exit || r.out != "" || !strings.Contains(r.err, story.says) {
			t.Errorf("%s: exit %d, out %q, err %q", name, r.exit, r.out, r.err)
		}
		if strings.Contains(r.err, "unspeakable") || strings.Contains(r.err, "ada@example.org") {
			t.Errorf("%s: it repeats what was typed: %s", name, r.err)
		}
	}
	unset := command(t, nil, "pw", "accounts", "--password-stdin", "--expect-database", "x")
	if unset.exit != 1 || !strings.Contains(unset.err, "DATABASE_URL is not set") {
		t.Errorf("without a database: %d %s", unset.exit, unset.err)
	}
	if diff := cmp.Diff(before, testkit.Dump(t, dao.Pool)+testkit.Dump(t, fos.Pool)); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
}
