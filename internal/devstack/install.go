package devstack

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
)

// installer installs packages, as root, below root (the real one, or a test's).
type installer struct {
	apt  apt
	root string
	say  func(format string, args ...any)
}

// install installs what is missing. It starts no service and makes no cluster.
func (i installer) install(ctx context.Context, missing []kind) (err error) {
	var packages, units []string
	for _, k := range missing {
		packages = append(packages, k.packages[0])
	}
	i.say("installing %q with apt-get, this once", packages)
	// A machine that is being updated just now is waited for.
	i.apt.options = []string{"-q", "-o", "DPkg::Lock::Timeout=180", "-o", "Dpkg::Use-Pty=0"}

	precautions := i.precautions()
	if err := precautions.take(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, precautions.lift()) }()

	var updateErr error
	fresh := !i.hasLists()
	if fresh {
		updateErr = i.apt.update(ctx)
	}
	if err = i.packages(ctx, packages...); err != nil && !fresh && ctx.Err() == nil {
		// Old lists name versions that the mirror has replaced.
		updateErr = i.apt.update(ctx)
		err = i.packages(ctx, packages...)
	}
	if err == nil {
		units = packages
	} else {
		units, err = i.each(ctx, missing, errors.Join(updateErr, err))
	}
	i.disable(ctx, units)
	return err
}

// each tries the servers one by one and under their other names, after all
// together failed with first.
func (i installer) each(ctx context.Context, missing []kind, first error) (installed []string, err error) {
	err = first
	for _, k := range missing {
		for _, name := range k.packages {
			if ctx.Err() != nil {
				return installed, errors.Join(err, ctx.Err())
			}
			if i.packages(ctx, name) == nil {
				installed = append(installed, name)
				break
			}
		}
	}
	if len(installed) == len(missing) {
		err = nil
	}
	return installed, err
}

func (i installer) packages(ctx context.Context, names ...string) error {
	_, err := i.apt.get(ctx, append([]string{"install", "-y", "--no-install-recommends"}, names...)...)
	return err
}

// hasLists is false in a fresh container.
func (i installer) hasLists() bool {
	lists, _ := filepath.Glob(below(i.root, "var/lib/apt/lists/*_Packages*"))
	return len(lists) > 0
}

// disable keeps systemd from starting at the next boot what was installed for
// development only. It changes nothing that was installed before.
func (i installer) disable(ctx context.Context, units []string) {
	if !isFolder(below(i.root, "run/systemd/system")) || len(units) == 0 {
		return
	}
	if _, err := exec.LookPath("systemctl"); err != nil {
		return
	}
	if _, err := i.apt.run(ctx, "systemctl", append([]string{"disable", "--quiet"}, units...)...); err != nil {
		i.say("the services %q will start at the next boot: %v", units, err)
	}
}
