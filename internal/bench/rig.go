package bench

import (
	"context"
	"errors"
	"path/filepath"
	"time"
)

// rig is everything that runs: the stores, the programs, and what we know of them.
type rig struct {
	stores   *stores
	world    *world
	environ  []string // of the programs
	starts   starter
	profiles string              // a directory, or none
	children map[string][]*child // by program
}

// starter starts a program.
type starter func(ctx context.Context, name string, s setup) (*child, error)

// newRig starts the programs; one that is named several times has as many replicas.
func newRig(ctx context.Context, s *stores, start starter, profiles string, programs ...string) (r *rig, err error) {
	r = &rig{stores: s, environ: environment(s), starts: start, profiles: profiles, children: map[string][]*child{}}
	if r.world, err = openWorld(ctx, r.environ); err != nil {
		return nil, err
	}
	for _, name := range programs {
		if err := r.begin(ctx, name); err != nil {
			return nil, errors.Join(err, r.stop())
		}
	}
	return r, nil
}

// onRig has measure do so with the programs, on stores of their own below dir where o.People
// have arrived before.
func onRig(ctx context.Context, dir string, o Options, programs []string, measure func(*rig) error) (err error) {
	s, err := startStores(ctx, dir, o.Log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop(context.WithoutCancel(ctx))) }()
	r, err := newRig(ctx, s, startProcess, o.Profiles, programs...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.stop()) }()
	o.Log("making %d people", o.People)
	if err := r.world.settle(ctx, o.People); err != nil {
		return err
	}
	return measure(r)
}

// begin starts one more replica of a program.
func (r *rig) begin(ctx context.Context, name string) error {
	its := setup{Environ: r.environ}
	if r.profiles != "" {
		its.Profile = filepath.Join(r.profiles, name+".pprof")
	}
	c, err := r.starts(ctx, name, its)
	if err == nil {
		r.children[name] = append(r.children[name], c)
	}
	return err
}

// end stops all replicas of a program.
func (r *rig) end(name string) error {
	var faults []error
	for _, c := range r.children[name] {
		faults = append(faults, c.stop())
	}
	delete(r.children, name)
	return errors.Join(faults...)
}

func (r *rig) stop() error {
	var faults []error
	for _, replicas := range r.children {
		for _, c := range replicas {
			faults = append(faults, c.stop())
		}
	}
	return errors.Join(append(faults, r.world.close())...)
}

// running are those who take a turn.
func (r *rig) running(t turnOf) []*child { return r.children[t.by.program][:max(1, t.replicas)] }

// addresses are where they listen.
func addresses(of []*child, half string) []string {
	var all []string
	for _, c := range of {
		if half == "fos" {
			all = append(all, c.FOS)
		} else {
			all = append(all, c.DAO)
		}
	}
	return all
}

// spent is what was used so far, by whom.
type spent struct {
	usage
	postgres, redis time.Duration
}

func (r *rig) used(running []*child) (spent, error) {
	sum := spent{postgres: processorTime(r.stores.postgresProcesses()), redis: processorTime(r.stores.redisProcesses)}
	for _, c := range running {
		u, err := c.used()
		if err != nil {
			return sum, err
		}
		sum.Processor, sum.Mallocs = sum.Processor+u.Processor, sum.Mallocs+u.Mallocs
	}
	return sum, nil
}
