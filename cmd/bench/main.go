// Command bench is `make bench`: what the service's operations cost, beside a floor that
// does only what they cannot do without. It starts its own Postgres and Redis below
// .dev/bench, and prints a report in Markdown. See package bench and docs/performance.md.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hello-world-co-op/handoff/internal/bench"
	"github.com/hello-world-co-op/handoff/internal/devstack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	var err error
	if len(os.Args) == 3 && os.Args[1] == bench.ChildCommand { // one of the programs under measure
		// Ctrl-C goes to all of us; this one ends with its input, which is when the
		// first one has done with it.
		err = bench.Serve(context.WithoutCancel(ctx), os.Args[2], os.Stdin, os.Stdout)
	} else {
		context.AfterFunc(ctx, stop) // the second signal kills
		err = run(ctx, os.Args[1:])
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	ops := flags.String("ops", "", "operations, separated by commas, of mint, exchange, login, refresh, session, password; all unless it is set")
	connections := flags.String("connections", "", "numbers of connections, separated by commas; 1,16,64 unless it is set, 16 with -size")
	rounds := flags.Int("rounds", 7, "rounds, in each of which every contender has a turn")
	seconds := flags.Float64("seconds", 2, "how long a turn is")
	people := flags.Int("people", 20000, "how many people have arrived before")
	record := flags.String("record", "", "a file for every turn's figures, as JSON")
	profiles := flags.String("profiles", "", "a directory for the programs' processor profiles, service.pprof and floor.pprof")
	starts := flags.Int("start", 0, "measure the start, memory and size of bin/server instead, with so many starts")
	replicas := flags.String("replicas", "", "measure the service in several processes instead, in so many in turns: 1,2,4")
	size := addSizing(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *connections == "" {
		*connections = map[bool]string{false: "1,16,64", true: "16"}[*size.scale > 0]
	}
	o := bench.Options{
		Rounds: *rounds, Turn: time.Duration(*seconds * float64(time.Second)), People: *people, Out: os.Stdout, Profiles: *profiles,
		Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) },
	}
	o.Operations = list(*ops)
	if o.Connections, err = numbers("connections", *connections); err != nil {
		return err
	}
	if *record != "" {
		file, err := os.Create(*record)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		o.Record = file
	}
	root, err := devstack.ModuleRoot()
	if err != nil {
		return err
	}
	dir := filepath.Join(root, ".dev", "bench")
	if *starts > 0 {
		return bench.Start(ctx, dir, bench.StartOptions{
			Server: filepath.Join(root, "bin", "server"), Starts: *starts, Load: o.Turn, Connections: slices.Max(o.Connections),
			People: o.People, Out: o.Out, Log: o.Log,
		})
	}
	if *replicas != "" {
		counts, err := numbers("replicas", *replicas)
		if err != nil {
			return err
		}
		return bench.Replicas(ctx, dir, counts, o)
	}
	if *size.scale > 0 {
		return bench.RunSize(ctx, dir+"-size", size.options(o))
	}
	return bench.Run(ctx, dir, o)
}

// numbers are those of a flag that has a list of them.
func numbers(name, list string) (all []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-%s has numbers, from 1: %q is none", name, text)
		}
		all = append(all, n)
	}
	return all, nil
}

// sizing are the flags of a comparison of sizes.
type sizing struct {
	scale           *float64
	parts, settings *string
}

func addSizing(flags *flag.FlagSet) sizing {
	return sizing{
		flags.Float64("size", 0, "compare a small service with a large one instead; 1 is a million people, ten million audit rows, a million live tokens; 0.3 is the least that there is enough to prune of"),
		flags.String("parts", "", "with -size, some of "+strings.Join(bench.SizeParts, ",")+"; all unless it is set"),
		flags.String("settings", "shared_buffers=4GB,max_wal_size=3GB,wal_compression=lz4", "with -size, settings of Postgres, separated by commas"),
	}
}

func (s sizing) options(o bench.Options) bench.SizeOptions {
	return bench.SizeOptions{Options: o, Scale: *s.scale, Parts: list(*s.parts), Settings: list(*s.settings)}
}

// list are the words of a text that stand between commas; none of an empty one.
func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
