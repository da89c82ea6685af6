package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/config"
)

// The programs under measure.
const (
	service = "service"
	floor   = "floor"
)

// ChildCommand is the first argument of a child, its name the second.
const ChildCommand = "child"

// program is something that listens and can be left.
type program struct {
	at    born
	leave func() error
}

// Serve is a child's side: it reads its configuration from in, serves, and answers each
// further line with what it has used, until in ends.
func Serve(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	lines, answers := bufio.NewScanner(in), json.NewEncoder(out)
	lines.Buffer(nil, 64<<10)
	var s setup
	if !lines.Scan() {
		return fmt.Errorf("bench: nobody configures the %s: %w", name, lines.Err())
	}
	if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	c, err := config.Load(s.Environ)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	start, known := map[string]func(context.Context, *config.Config) (*program, error){
		service: startService, floor: startFloor,
	}[name]
	if !known {
		return fmt.Errorf("bench: no program is called %q", name)
	}
	stop, err := profile(s.Profile)
	if err != nil {
		return err
	}
	defer stop()
	p, err := start(ctx, c)
	if err != nil {
		return err
	}
	for err = answers.Encode(p.at); err == nil && lines.Scan(); {
		err = answers.Encode(used())
	}
	if left := p.leave(); err == nil {
		err = left
	}
	return err
}

// profile writes where this process computes to the file, until it is stopped.
func profile(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	to, err := os.Create(file) //nolint:gosec // who measures says where
	if err == nil {
		err = pprof.StartCPUProfile(to)
	}
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return func() {
		pprof.StopCPUProfile()
		_ = to.Close()
	}, nil
}

// used is what this process has used so far.
func used() usage {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return usage{Processor: ownProcessorTime(), Mallocs: memory.Mallocs}
}

// startService runs both halves in this process, as they are shipped. It logs as in
// production, JSON at level info; the lines are made and written, to where nobody keeps
// them.
func startService(ctx context.Context, c *config.Config) (*program, error) {
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	log := app.NewLog(nowhere, max(c.Log.Level, slog.LevelInfo), true)
	app.BoundMemory(log)
	a, err := app.New(ctx, c, app.Options{Version: "bench", Log: log})
	if err != nil {
		return nil, err
	}
	at := born{DAO: a.Addr("dao"), FOS: a.Addr("fos")}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return &program{at: at, leave: func() error {
		cancel()
		return <-ended
	}}, nil
}
