package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/selftest"
)

// runSelftest performs one hand-off against a deployment; its exit code is for
// cron and probes.
func runSelftest(ctx context.Context, args []string, std streams) error {
	flags := flag.NewFlagSet("selftest", flag.ContinueOnError)
	flags.SetOutput(std.err)
	dao := flags.String("dao", "http://127.0.0.1:8787", "base `URL` of the DAO half")
	fos := flags.String("fos", "http://127.0.0.1:8000", "base `URL` of the FOS half, with a gateway's prefix")
	email := flags.String("email", "", "`address` of the member to sign in as")
	product := flags.String("entry-product", "think-tank", "entry `product`")
	stdin := flags.Bool("password-stdin", false, "read the member's password from standard input")
	if err := flags.Parse(args); err != nil {
		return errUsage
	}
	if *email == "" || !*stdin || flags.NArg() > 0 {
		flags.Usage()
		return errUsage
	}
	password, err := readPassword(std.in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return selftest.Run(ctx, selftest.Config{
		DAOURL: strings.TrimSuffix(*dao, "/"), FOSURL: strings.TrimSuffix(*fos, "/"),
		Email: *email, Password: password, EntryProduct: *product,
	}, func(s selftest.Step) {
		_, _ = fmt.Fprintf(std.out, "%8.1f ms  %-36s %s\n", float64(s.Took.Microseconds())/1000, s.Name, s.Detail)
	})
}

// maxPassword bounds what is read, in bytes.
const maxPassword = 16 << 10

// readPassword reads all of in and strips one line break, as echo writes it. An
// empty password is refused: it is a broken pipe, not a choice.
func readPassword(in io.Reader) (privacy.Secret, error) {
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
	return privacy.NewSecret(plain), nil
}
