package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The two services that are compared.
const (
	small = "small"
	large = "large"
)

// sizes are what they have gathered: the small one next to nothing, the large one what
// issue and goals speak of, times scale.
func sizes(scale float64) map[string]Size {
	of := func(n float64) int { return max(2000, int(n*scale)) }
	return map[string]Size{
		small: {People: 10_000, Audit: 10_000, Past: 10_000},
		large: {People: of(1e6), Audit: of(10e6), Past: of(1e6), Live: of(1e6)},
	}
}

// sized are the operations that are compared: a password is all Argon2id, and what it reads
// is in the table of statements.
var sized = []string{"mint", "exchange", "login", "refresh", "session"}

// SizeOptions say what is measured, beside what they share with [Options].
type SizeOptions struct {
	Options
	// Scale is how much of a million people the large one has.
	Scale float64
	// Parts are some of those of [SizeParts]; none: all.
	Parts []string
	// Settings are Postgres' ("shared_buffers=4GB"), besides those that it comes with.
	Settings []string
}

// SizeParts are what [RunSize] can do, in this order.
var SizeParts = []string{"turns", "statements", "pruning", "storm"}

// RunSize measures what size costs: the same operations by two services on stores of
// their own, a small one and a large one, in turns.
func RunSize(ctx context.Context, dir string, o SizeOptions) (err error) {
	if len(o.Operations) == 0 {
		o.Operations = sized
	}
	chosen, err := choose(o.Operations)
	if err != nil {
		return err
	}
	s := &sizing{dir: dir, options: o, rigs: map[string]*rig{}}
	defer func() { err = errors.Join(err, s.leave(context.WithoutCancel(ctx))) }()
	parts := map[string]func(context.Context) error{
		"turns":      func(ctx context.Context) error { return s.tellTurns(ctx, chosen) },
		"statements": func(ctx context.Context) error { return s.tellStatements(ctx, chosen) },
		"pruning":    s.tellPruning, "storm": s.tellStorm,
	}
	for _, name := range SizeParts {
		if len(o.Parts) > 0 && !slices.Contains(o.Parts, name) {
			continue
		}
		if err := parts[name](ctx); err != nil {
			return err
		}
	}
	if s.failed {
		return ErrFailed
	}
	return nil
}

// sizing is one run.
type sizing struct {
	dir     string
	options SizeOptions
	rigs    map[string]*rig
	left    []func(context.Context) error // what is to be done in the end, the last first
	failed  bool                          // a request was
}

func (s *sizing) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(s.options.Out, format, args...)
	return err
}

func (s *sizing) leave(ctx context.Context) error {
	var faults []error
	for _, left := range slices.Backward(s.left) {
		faults = append(faults, left(ctx))
	}
	return errors.Join(faults...)
}

// rig is the small one or the large one, made when it is first asked for.
func (s *sizing) rig(ctx context.Context, name string) (*rig, error) {
	if r := s.rigs[name]; r != nil {
		return r, nil
	}
	begun, size, dir := time.Now(), sizes(s.options.Scale)[name], filepath.Join(s.dir, name)
	if err := os.RemoveAll(dir); err != nil { // gigabytes of a run that was killed
		return nil, fmt.Errorf("bench: %w", err)
	}
	s.left = append(s.left, func(context.Context) error { return os.RemoveAll(dir) })
	stores, err := startStores(ctx, dir, s.options.Log)
	if err != nil {
		return nil, err
	}
	if stores, err = stores.restarted(ctx, dir, s.options); err != nil {
		return nil, err
	}
	s.left = append(s.left, stores.stop)
	r, err := newRig(ctx, stores, startProcess, "")
	if err != nil {
		return nil, err
	}
	s.left = append(s.left, func(context.Context) error { return r.stop() })
	s.options.Log("gathering %+v", size)
	if err := r.world.gather(ctx, size); err != nil {
		return nil, err
	}
	if err := r.world.warm(ctx); err != nil {
		return nil, err
	}
	s.options.Log("gathered in %v", time.Since(begun).Round(time.Second))
	s.rigs[name] = r
	return r, r.begin(ctx, service)
}

// tellTurns has both take turns at each operation.
func (s *sizing) tellTurns(ctx context.Context, chosen []operation) error {
	var both []variant
	for _, name := range []string{small, large} {
		r, err := s.rig(ctx, name)
		if err != nil {
			return err
		}
		both = append(both, variant{name: name, rig: r})
	}
	about, err := s.rigs[large].describe(ctx, fmt.Sprintf("%d rounds of %v for each, alternating; the load generator on the same machine; the service logs to /dev/null at level info",
		s.options.Rounds, s.options.Turn))
	if err != nil {
		return err
	}
	if err := s.printf("%s%s\n", about, strings.Join(s.options.Settings, ", ")); err != nil {
		return err
	}
	if err := s.tellStock(ctx); err != nil {
		return err
	}
	return s.alternate(ctx, chosen, both)
}
