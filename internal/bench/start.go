package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// StartOptions say what of a start is measured.
type StartOptions struct {
	// Server is the program as it is shipped.
	Server string
	Starts int
	// Load is how long each of mint, exchange and login is asked for, by Connections.
	Load        time.Duration
	Connections int
	People      int
	Out         io.Writer
	Log         func(format string, args ...any)
}

// The goals of issue 7.
const (
	readyGoal  = 300 * time.Millisecond
	restGoal   = 40 << 20 // bytes
	loadGoal   = 100 << 20
	binaryGoal = 30_000_000
)

// rest is how long a process is left alone before its memory is read.
const rest = time.Second

// memories are what the service is started with. Its garbage collector keeps within
// GOMEMLIMIT, which in a container without one is half of the container's memory.
var memories = []struct{ name, limit string }{{"no limit", "off"}, {"container of 512 MiB", "256MiB"}, {"container of 256 MiB", "128MiB"}}

// started is what one way of starting came to.
type started struct {
	memory  string
	took    []time.Duration
	atRest  []resident
	loaded  resident
	answers int // good ones under load
}

// Start measures what the shipped program needs to start, on a Postgres and a Redis of its
// own below dir, and reports.
func Start(ctx context.Context, dir string, o StartOptions) error {
	program, err := binary(o.Server)
	if err != nil {
		return err
	}
	here := Options{Log: o.Log, People: o.People}
	return onRig(ctx, dir, here, nil, func(r *rig) error { return r.startAll(ctx, dir, program, o) })
}

// startAll starts the program with each of the memories, and reports.
func (r *rig) startAll(ctx context.Context, dir string, program binaryFile, o StartOptions) error {
	log, err := os.Create(filepath.Join(dir, "service.log")) //nolint:gosec // below our own directory
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer func() { _ = log.Close() }()
	about, err := r.describe(ctx, fmt.Sprintf("%d starts each; %v of each operation by %d connections", o.Starts, o.Load, o.Connections))
	if err != nil {
		return err
	}
	var all []started
	for _, memory := range memories {
		one := started{memory: memory.name}
		if err := r.start(ctx, o, append(slices.Clone(r.environ), "GOMEMLIMIT="+memory.limit), log, &one); err != nil {
			return fmt.Errorf("%s: %w", memory.name, err)
		}
		all = append(all, one)
	}
	return reportStart(o.Out, about, program, all)
}

// start starts the program again and again, and loads the last one.
func (r *rig) start(ctx context.Context, o StartOptions, environ []string, log *os.File, into *started) error {
	for i := range o.Starts {
		s, err := startShipped(ctx, o.Server, environ, log)
		if err != nil {
			return err
		}
		<-time.After(rest)
		into.took, into.atRest = append(into.took, s.took), append(into.atRest, s.memory())
		o.Log("%s, start %d of %d: ready after %v, %s at rest", into.memory, i+1, o.Starts, s.took.Round(100*time.Microsecond), mebibytes(s.memory().now))
		if i == o.Starts-1 {
			err = r.load(ctx, s, o, into)
		}
		if err := errors.Join(err, s.stop()); err != nil {
			return err
		}
	}
	return nil
}

// load has the program do what it is for, and reads what memory that took.
func (r *rig) load(ctx context.Context, s *shipped, o StartOptions, into *started) error {
	for _, op := range operations {
		if !slices.Contains(usual, op.name) {
			continue
		}
		requests, err := op.prepare(ctx, r.world, ours, int(o.Load.Seconds()*mostRate))
		if err != nil {
			return err
		}
		d, err := drive(ctx, addresses([]*child{{born: s.born}}, op.half), o.Connections, requests, o.Load)
		if err != nil {
			return err
		}
		if d.failed > 0 {
			return fmt.Errorf("%w: %d of %s, the first with %s", ErrFailed, d.failed, op.name, d.complaint)
		}
		into.answers += len(d.took)
		o.Log("%s, %s: %.0f/s, %s at most so far", into.memory, op.name, d.rate(), mebibytes(s.memory().most))
	}
	into.loaded = s.memory()
	return nil
}

// usual is what a hand-off is made of.
var usual = []string{"mint", "exchange", "login"}

// mostRate is more than two cores answer in a second.
const mostRate = 8000

func reportStart(out io.Writer, about description, program binaryFile, all []started) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n| | | goal |\n| --- | --: | --- |\n| size | %.1f MB | < %d MB %s |\n| static | %v | %s |\n", about,
		float64(program.size)/1e6, binaryGoal/1_000_000, met(program.size < binaryGoal), program.static, met(program.static))
	b.WriteString("\n| GOMEMLIMIT | ready: median | worst | goal | at rest: median | worst | of it its own | goal | at most under load | goal |\n" +
		"| --- | --: | --: | --- | --: | --: | --: | --- | --: | --- |\n")
	for _, s := range all {
		typical, worst := middle(slices.Clone(s.took)), slices.Max(s.took)
		resting := func(f func(resident) int64) []int64 {
			var all []int64
			for _, m := range s.atRest {
				all = append(all, f(m))
			}
			return all
		}
		now := resting(func(m resident) int64 { return m.now })
		fmt.Fprintf(&b, "| %s | %s | %s | ≤ %v %s | %s | %s | %s | < %s %s | %s | < %s %s |\n", s.memory,
			millis(typical), millis(worst), readyGoal, met(typical <= readyGoal),
			mebibytes(middle(slices.Clone(now))), mebibytes(slices.Max(now)), mebibytes(middle(resting(func(m resident) int64 { return m.own }))),
			mebibytes(restGoal), met(slices.Max(now) < restGoal), mebibytes(s.loaded.most), mebibytes(loadGoal), met(s.loaded.most < loadGoal))
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func met(yes bool) string {
	if yes {
		return "ok"
	}
	return "missed"
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
