// Command seed creates or updates accounts by direct SQL: members of the DAO half
// and the three regression accounts of the FOS half. There is no endpoint that
// creates arbitrary accounts, on purpose.
//
//	seed member   --email E [--display-name N] [--principal P] [--roles R,R] --password-stdin --expect-database NAME
//	seed accounts --password-stdin --expect-database NAME
//
// The database is DAO_DATABASE_URL for members, DATABASE_URL for accounts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/seed"
	"github.com/hello-world-co-op/handoff/password"
)

const usage = `usage:
  seed member   --email E [--display-name N] [--principal P] [--roles R,R] --password-stdin --expect-database NAME
  seed accounts --password-stdin --expect-database NAME

The database is DAO_DATABASE_URL for members, DATABASE_URL for accounts. Nothing is
written unless --expect-database is the name that the database gives itself.
`

var errUsage = errors.New("see usage above")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// wish is what the command line asks for.
type wish struct {
	email, displayName, principal, roles, expect string
	stdin                                        bool
}

func run(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 || (args[0] != "member" && args[0] != "accounts") {
		_, _ = io.WriteString(std.err, usage)
		return errUsage
	}
	var w wish
	flags := flag.NewFlagSet("seed "+args[0], flag.ContinueOnError)
	flags.SetOutput(std.err)
	flags.Usage = func() { _, _ = io.WriteString(std.err, usage) }
	flags.StringVar(&w.expect, "expect-database", "", "")
	flags.BoolVar(&w.stdin, "password-stdin", false, "")
	if args[0] == "member" {
		flags.StringVar(&w.email, "email", "", "")
		flags.StringVar(&w.displayName, "display-name", "", "")
		flags.StringVar(&w.principal, "principal", "", "")
		flags.StringVar(&w.roles, "roles", "", "")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return errUsage
	}
	if w.expect == "" || !w.stdin || flags.NArg() > 0 || (args[0] == "member" && w.email == "") {
		flags.Usage()
		return errUsage
	}
	hash, err := readPasswordHash(std.in)
	if err != nil {
		return err
	}
	databases, err := config.LoadDatabases(os.Environ())
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n%w", err)
	}
	if args[0] == "member" {
		return seedMember(ctx, databases.DAO, w, hash, std.out)
	}
	return seedAccounts(ctx, databases.FOS, w, hash, std.out)
}

func seedMember(ctx context.Context, databaseURL privacy.Secret, w wish, hash privacy.Secret, out io.Writer) error {
	email, err := privacy.ParseEmail(w.email)
	if err != nil {
		return fmt.Errorf("--email: %w", err)
	}
	seeder, done, err := open(ctx, databaseURL, "DAO_DATABASE_URL", w.expect)
	if err != nil {
		return err
	}
	defer done()
	account := member.Account{PasswordHash: hash, Member: member.Member{
		Email: email, EmailVerified: true, DisplayName: orNil(w.displayName), Principal: orNil(w.principal),
		Roles: splitRoles(w.roles), Status: member.Active,
	}}
	seeded, err := seeder.Member(ctx, account)
	if err != nil {
		return err
	}
	return tell(out, "member", seeded)
}

func seedAccounts(ctx context.Context, databaseURL privacy.Secret, w wish, hash privacy.Secret, out io.Writer) error {
	seeder, done, err := open(ctx, databaseURL, "DATABASE_URL", w.expect)
	if err != nil {
		return err
	}
	defer done()
	accounts, err := seed.Regression(hash)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		seeded, err := seeder.Account(ctx, account)
		if err != nil {
			return err
		}
		if err := tell(out, string(account.Role), seeded); err != nil {
			return err
		}
	}
	return nil
}

func open(ctx context.Context, databaseURL privacy.Secret, variable, expect string) (*seed.Seeder, func(), error) {
	if databaseURL.IsEmpty() {
		return nil, nil, fmt.Errorf("%s is not set", variable)
	}
	pool, err := datastore.OpenPostgres(ctx, databaseURL)
	if err != nil {
		return nil, nil, err
	}
	return seed.New(pool, expect, time.Now().UTC().Truncate(time.Millisecond)), pool.Close, nil
}

func tell(out io.Writer, what string, seeded seed.Seeded) error {
	verb := "updated"
	if seeded.Created {
		verb = "created"
	}
	_, err := fmt.Fprintf(out, "%s %s %s\n", verb, what, seeded.ID)
	return err
}

// maxPassword bounds what is read, in bytes: more than package password takes.
const maxPassword = 32 << 10

// readPasswordHash reads a password and strips one trailing newline, as written
// by echo and by editors. An empty one is refused: it is a broken pipe, not a
// choice.
func readPasswordHash(in io.Reader) (privacy.Secret, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxPassword))
	if err != nil {
		return privacy.Secret{}, fmt.Errorf("read the password: %w", err)
	}
	plain, windows := strings.CutSuffix(string(text), "\r\n")
	if !windows {
		plain = strings.TrimSuffix(plain, "\n")
	}
	if plain == "" {
		return privacy.Secret{}, errors.New("the password on standard input is empty")
	}
	hash, err := password.Hash(plain)
	if err != nil {
		return privacy.Secret{}, fmt.Errorf("the password: %w", err)
	}
	return privacy.NewSecret(hash), nil
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func splitRoles(list string) []string {
	roles := []string{}
	for role := range strings.SplitSeq(list, ",") {
		if role = strings.TrimSpace(role); role != "" {
			roles = append(roles, role)
		}
	}
	return roles
}
