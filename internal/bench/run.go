package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"
)

// Options say what is measured.
type Options struct {
	Operations  []string // by name; none: all
	Connections []int
	Rounds      int
	// Turn is how long each contender has in each round.
	Turn time.Duration
	// People are how many have arrived before.
	People int
	// Out gets the report in Markdown, Record every turn as JSON unless it is nil, and
	// Log tells of progress.
	Out, Record io.Writer
	Log         func(format string, args ...any)
	// Profiles is a directory for the programs' processor profiles, one each of the whole
	// run; "" for none, since taking them costs a little.
	Profiles string
}

// ErrFailed says that not every answer was good: what was measured is not what it is
// called.
var ErrFailed = errors.New("bench: requests have failed")

// Run measures, on a Postgres and a Redis of its own below dir, and reports.
func Run(ctx context.Context, dir string, o Options) error {
	chosen, err := choose(o.Operations)
	if err != nil {
		return err
	}
	return onRig(ctx, dir, o, []string{service, floor}, func(r *rig) error { return r.run(ctx, chosen, o) })
}

// run has the contenders take turns at each operation, and reports.
func (r *rig) run(ctx context.Context, chosen []operation, o Options) error {
	about, err := r.describe(ctx, fmt.Sprintf(
		"%d people; %d rounds of %v for each, alternating; the load generator on the same machine; the service logs to /dev/null at level info", o.People, o.Rounds, o.Turn))
	if err != nil {
		return err
	}
	var turns []Turn
	for _, operation := range chosen {
		for _, connections := range operation.at(o.Connections) {
			some, err := r.compare(ctx, operation, connections, o)
			if err != nil {
				return fmt.Errorf("%s at %d: %w", operation.name, connections, err)
			}
			turns = append(turns, some...)
		}
	}
	return o.tell(about, turns)
}

// keep writes every turn, where that was asked.
func (o Options) keep(about description, turns []Turn) error {
	if o.Record == nil {
		return nil
	}
	if err := json.NewEncoder(o.Record).Encode(map[string]any{"about": about, "turns": turns}); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return nil
}

// tell writes what was measured.
func (o Options) tell(about description, turns []Turn) error {
	if err := o.keep(about, turns); err != nil {
		return err
	}
	if err := report(o.Out, about, turns); err != nil {
		return err
	}
	if slices.ContainsFunc(turns, func(t Turn) bool { return t.Failed > 0 }) {
		return ErrFailed
	}
	return nil
}

func choose(names []string) ([]operation, error) {
	if len(names) == 0 {
		return operations, nil
	}
	var chosen []operation
	for _, name := range names {
		i := slices.IndexFunc(operations, func(o operation) bool { return o.name == name })
		if i < 0 {
			return nil, fmt.Errorf("bench: no operation is called %q", name)
		}
		chosen = append(chosen, operations[i])
	}
	return chosen, nil
}

// compare has the contenders take turns. Who is first takes turns, too.
func (r *rig) compare(ctx context.Context, op operation, connections int, o Options) ([]Turn, error) {
	var turns []Turn
	all := op.contenders()
	needed := map[string]int{}
	if err := r.world.takeStock(ctx); err != nil {
		return nil, err
	}
	for _, by := range all { // plans cached, pools open; and how quick is it?
		warm, err := r.turn(ctx, turnOf{op, by, connections, firstTurn, warmUp, 1})
		if err != nil {
			return nil, err
		}
		needed[by.name] = warm.enough(o.Turn)
		if warm.Failed > 0 {
			turns = append(turns, warm) // to be told, and to fail
		}
	}
	for round := range o.Rounds {
		for i := range all {
			by := all[(i+round)%len(all)]
			turn, err := r.turn(ctx, turnOf{op, by, connections, needed[by.name], o.Turn, 1})
			if err != nil {
				return nil, err
			}
			turn.Round = round + 1
			needed[by.name] = max(needed[by.name], turn.enough(o.Turn))
			turns = append(turns, turn)
			o.Log("%s, %d connections, round %d of %d: %-10s %7.0f/s, p99 %v%s", op.name, connections, round+1, o.Rounds,
				by.name, turn.Rate, turn.P99.Round(10*time.Microsecond), turn.Complaint)
		}
	}
	return turns, nil
}

const (
	firstTurn = 2000 // requests
	warmUp    = time.Second
	// spare is how many more requests are made than the last turn would have needed: who
	// runs out of them ends early.
	spare = 1.5
)

// enough is how many requests a turn of this length needs.
func (t Turn) enough(length time.Duration) int {
	return int(t.Rate*length.Seconds()*spare) + 2*t.Connections
}

// turnOf is a turn to be taken.
type turnOf struct {
	operation   operation
	by          contender
	connections int
	requests    int
	limit       time.Duration
	replicas    int // of the program, among which the connections are dealt out; 0 is 1
}

// turn prepares requests, then sends them; only the sending is measured.
func (r *rig) turn(ctx context.Context, t turnOf) (Turn, error) {
	requests, err := t.operation.prepare(ctx, r.world, t.by, t.requests)
	if err != nil {
		return Turn{}, err
	}
	runtime.GC() // ours, which would otherwise come in between
	running := r.running(t)
	before, err := r.used(running)
	if err != nil {
		return Turn{}, err
	}
	mine := ownProcessorTime()
	d, err := drive(ctx, addresses(running, t.operation.half), t.connections, requests, t.limit)
	if err != nil {
		return Turn{}, err
	}
	d.computed = ownProcessorTime() - mine
	after, err := r.used(running)
	if err != nil {
		return Turn{}, err
	}
	return newTurn(t, d, before, after), nil
}
