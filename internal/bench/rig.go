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
	children map[string]*child
}

// starter starts a program.
type starter func(ctx context.Context, name string, s setup) (*child, error)

func newRig(ctx context.Context, s *stores, start starter, profiles string) (r *rig, err error) {
	environ := environment(s)
	r = &rig{stores: s, children: map[string]*child{}}
	if r.world, err = openWorld(ctx, environ); err != nil {
		return nil, err
	}
	for _, name := range []string{service, floor} {
		its := setup{Environ: environ}
		if profiles != "" {
			its.Profile = filepath.Join(profiles, name+".pprof")
		}
		if r.children[name], err = start(ctx, name, its); err != nil {
			delete(r.children, name)
			return nil, errors.Join(err, r.stop())
		}
	}
	return r, nil
}

func (r *rig) stop() error {
	var faults []error
	for _, c := range r.children {
		faults = append(faults, c.stop())
	}
	return errors.Join(append(faults, r.world.close())...)
}

// spent is what was used so far, by whom.
type spent struct {
	usage
	postgres, redis time.Duration
}

func (r *rig) used(program string) (spent, error) {
	u, err := r.children[program].used()
	return spent{u, processorTime(r.stores.postgresProcesses()), processorTime(r.stores.redisProcesses)}, err
}
