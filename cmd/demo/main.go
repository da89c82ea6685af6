// Command demo is `make run`: the whole service on this machine with nothing to
// set up. It starts a private Postgres and Redis below .dev/ (where DATABASE_URL,
// DAO_DATABASE_URL and REDIS_URL do not name others), migrates, creates two
// members, serves both halves, performs one hand-off against itself, and goes on
// serving until Ctrl-C.
//
// It runs the code that cmd/server runs, in development settings, with secrets
// that it makes up once and keeps below .dev/. It is not for production, and no
// part of it is in the server's binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/devstack"
	"github.com/hello-world-co-op/handoff/internal/selftest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal kills
	ctx, abandon := context.WithCancel(ctx)
	go watchMake(abandon)
	err := run(ctx, os.Stdout)
	interrupted := ctx.Err() != nil
	abandon()
	stop()
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "\nmake run:", err)
		if errors.Is(err, syscall.EADDRINUSE) {
			fmt.Fprintln(os.Stderr, "other ports: DAO_ADDR=127.0.0.1:8788 FOS_ADDR=127.0.0.1:8001 METRICS_ADDR=127.0.0.1:9091 make run")
		}
		os.Exit(1)
	}
	fmt.Fprintln(os.Stdout, "\nStopped. Nothing is left running.")
}

func run(ctx context.Context, out io.Writer) (err error) {
	root, err := devstack.ModuleRoot()
	if err != nil {
		return err
	}
	dir := filepath.Join(root, ".dev")
	secrets, err := loadSecrets(filepath.Join(dir, "demo.json"))
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }

	environ, stack, err := stores(ctx, dir, os.Environ(), say)
	if stack != nil {
		defer func() { err = errors.Join(err, stack.Stop()) }()
	}
	if err != nil {
		return err
	}
	c, err := config.Load(settings(environ, secrets))
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n%w", err)
	}
	if err := prepare(ctx, c, secrets, say); err != nil {
		return err
	}
	// Requests are not logged between the lines that people read here.
	log := app.NewLog(os.Stderr, max(c.Log.Level, slog.LevelWarn), c.Log.JSON)
	a, err := app.New(ctx, c, app.Options{Version: "demo", Log: log})
	if err != nil {
		return err
	}
	return serve(ctx, a, secrets, say)
}

// serve runs the halves, shows one hand-off and stays.
func serve(ctx context.Context, a *app.App, secrets secrets, say func(string, ...any)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()

	say("\nOne hand-off, against itself:\n")
	begun := time.Now()
	err := selftest.Run(ctx, selftest.Config{
		DAOURL: local(a.Addr("dao")), FOSURL: local(a.Addr("fos")),
		Email: demoMembers[0].email, Password: secrets.password(), EntryProduct: "think-tank",
	}, func(s selftest.Step) {
		if s.Err != nil {
			return // said at the end
		}
		say("  %7.1f ms  %-36s %s", float64(s.Took.Microseconds())/1000, s.Name, s.Detail)
	})
	if err != nil {
		cancel()
		return errors.Join(fmt.Errorf("the hand-off failed: %w", err), <-ended)
	}
	say("  %7.1f ms  in all", float64(time.Since(begun).Microseconds())/1000)
	say(`
Now try it yourself:

  1. open      %s
  2. sign in   %s   password  %s
     (or       %s, with the same password)
  3. press     "Open in FounderyOS"; you arrive at %s

A founder is %s: at FounderyOS with the same password, and from Think Tank only
once she has said there that both are hers.

Ctrl-C ends everything.`,
		pageURL("think-tank", a.Addr("dao")), demoMembers[0].email, secrets.Password, demoMembers[1].email,
		pageURL("founderyos", a.Addr("fos")), demoFounder.email)
	return <-ended
}
