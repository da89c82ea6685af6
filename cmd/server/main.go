// Command server runs the hand-off service and what an operator needs around it.
//
//	server serve                 run the configured halves until SIGTERM
//	server migrate up|down|status
//	server selftest              one hand-off against a deployment
//	server healthcheck           exit 0 if this machine's halves are ready
//	server config check          what the environment comes to, secrets hidden, with every fault
//	server config names          the variables that there are
//	server config drift          where a live environment differs from its manifest
//	server version
//
// The configuration is the environment's; see .env.example.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/config"
)

// version is set when a release is built (-ldflags -X main.version=…).
var version = "development"

const usage = `usage: server serve | migrate up|down|status [dao|fos] | selftest | healthcheck | version
       server config check | names | drift -manifest FILE < LIVE

The configuration is read from the environment; .env.example lists it.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// After the first signal the second one kills.
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("see usage above")

type streams struct {
	in       io.Reader
	out, err io.Writer
}

func run(ctx context.Context, args []string, std streams) error {
	if len(args) == 0 {
		_, _ = io.WriteString(std.err, usage)
		return errUsage
	}
	command, rest := args[0], args[1:]
	alone := len(rest) == 0 // a word too many is a command misunderstood
	switch {
	case command == "serve" && alone:
		return serve(ctx, std)
	case command == "migrate":
		return migrate(ctx, rest, std)
	case command == "selftest":
		return runSelftest(ctx, rest, std)
	case command == "config":
		return aboutConfig(rest, std)
	case command == "healthcheck" && alone:
		return healthcheck(ctx)
	case command == "version" && alone:
		_, err := fmt.Fprintln(std.out, version)
		return err
	}
	_, _ = io.WriteString(std.err, usage)
	return errUsage
}

func serve(ctx context.Context, std streams) error {
	c, err := config.Load(os.Environ())
	if err != nil {
		return fmt.Errorf("the configuration has faults:\n%w", err)
	}
	log := app.NewLog(std.err, c.Log.Level, c.Log.JSON)
	slog.SetDefault(log)
	for _, warning := range c.Warnings() {
		log.WarnContext(ctx, "configuration", "warning", warning)
	}
	app.BoundMemory(log)
	a, err := app.New(ctx, c, app.Options{Version: version, Log: log})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}
