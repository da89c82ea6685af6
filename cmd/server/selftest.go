package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/selftest"
)

// runSelftest performs one hand-off against a deployment; its exit code is for
// cron and probes.
func runSelftest(ctx context.Context, args []string, std streams) error {
	flags := flag.NewFlagSet("selftest", flag.ContinueOnError)
	flags.SetOutput(std.err)
	dao := flags.String("dao", "http://127.0.0.1:8787", "base `URL` of the DAO half, with a gateway's prefix")
	fos := flags.String("fos", "http://127.0.0.1:8000", "base `URL` of the FOS half, with a gateway's prefix")
	email := flags.String("email", "", "`address` of the member to sign in as")
	product := flags.String("entry-product", "think-tank", "entry `product`")
	bound := flags.Bool("bound", false, "begin the journey at the FOS half, so that the token is good in this browser only")
	lines := flags.Bool("json", false, "one JSON object for each stage and one for the whole")
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
	begun, report := time.Now(), reportText
	if *lines {
		report = reportJSON
	}
	err = selftest.Run(ctx, selftest.Config{
		DAOURL: strings.TrimSuffix(*dao, "/"), FOSURL: strings.TrimSuffix(*fos, "/"),
		Email: *email, Password: password, EntryProduct: *product, Bound: *bound,
	}, func(s selftest.Step) { report(std.out, "stage", s) })
	report(std.out, "whole", selftest.Step{Name: "in all", Took: time.Since(begun), Err: err})
	return err
}

func reportText(out io.Writer, _ string, s selftest.Step) {
	if s.Err != nil {
		s.Detail = "FAILED"
	}
	_, _ = fmt.Fprintf(out, "%8.1f ms  %-36s %s\n", milliseconds(s), s.Name, s.Detail)
}

// reportJSON writes one line for who collects them.
func reportJSON(out io.Writer, what string, s selftest.Step) {
	line := struct {
		Kind   string  `json:"kind"` // stage or whole
		Name   string  `json:"name"`
		OK     bool    `json:"ok"`
		MS     float64 `json:"ms"`
		Detail string  `json:"detail,omitempty"`
		Error  string  `json:"error,omitempty"`
	}{Kind: what, Name: s.Name, OK: s.Err == nil, MS: milliseconds(s), Detail: s.Detail}
	if s.Err != nil {
		line.Error = s.Err.Error()
	}
	if text, err := json.Marshal(line); err == nil {
		_, _ = fmt.Fprintf(out, "%s\n", text)
	}
}

func milliseconds(s selftest.Step) float64 { return float64(s.Took.Microseconds()) / 1000 }

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
