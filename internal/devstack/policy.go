package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// precautions are the two files that keep packages from starting servers while
// they are installed. Both are marked, so that a copy that was left by a killed
// process is known and taken away by the next one; nobody else's is touched.
type precautions struct {
	// policy is asked by invoke-rc.d whether a service may start
	// (/usr/share/doc/init-system-helpers/README.policy-rc.d.gz).
	policy string
	// cluster is read by postgresql-common before it makes the cluster "main".
	cluster string
	lock    string
}

// marker is in both files.
const marker = "handoff devstack:"

// policyScript refuses (101) only while the installing process or its apt holds
// the lock. A forgotten policy-rc.d would else keep every service of the machine
// from starting, for good, without a word.
const policyScript = `#!/bin/sh
# ` + marker + ` refuses to start services while it installs packages, that is
# while somebody holds the lock below. May be deleted at any time.
flock --nonblock --conflict-exit-code 42 '%s' true
[ $? -eq 42 ] && exit 101
exit 0
`

const clusterConfig = "# " + marker + " there only while it installs packages. May be deleted.\ncreate_main_cluster = false\n"

func (i installer) precautions() precautions {
	p := precautions{
		policy:  below(i.root, "usr/sbin/policy-rc.d"),
		cluster: below(i.root, "etc/postgresql-common/createcluster.d/handoff-devstack.conf"),
	}
	if i.apt.lock != nil {
		p.lock = i.apt.lock.Name()
	}
	return p
}

// isLeft says that a process was killed between take and lift, for root only:
// nobody else installs, or could take anything away.
func (p precautions) isLeft() bool {
	return os.Geteuid() == 0 && (isMarked(p.policy) || isMarked(p.cluster))
}

func (p precautions) take() error {
	if err := p.lift(); err != nil { // what a killed process left
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.cluster), 0o755); err != nil { //nolint:gosec // configuration that everybody reads
		return err
	}
	//nolint:gosec // read by maintainer scripts
	if err := os.WriteFile(p.cluster, []byte(clusterConfig), 0o644); err != nil {
		return err
	}
	return p.placePolicy()
}

// placePolicy makes the file whole and executable before it has its name, and
// leaves one that is there alone: an administrator's, or a container image's.
func (p precautions) placePolicy() error {
	half, err := os.CreateTemp(filepath.Dir(p.policy), ".policy-rc.d-")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(half, policyScript, p.lock)
	// invoke-rc.d runs it
	err = errors.Join(err, half.Chmod(0o755), half.Close())
	if err == nil {
		if err = os.Link(half.Name(), p.policy); errors.Is(err, os.ErrExist) {
			err = nil
		}
	}
	return errors.Join(err, os.Remove(half.Name()))
}

// lift removes both files if they are ours, and the folders that this made.
func (p precautions) lift() error {
	_, err := removeMarked(p.policy)
	removed, clusterErr := removeMarked(p.cluster)
	if removed {
		// A folder that is in use is not empty and stays: that is no error.
		_ = os.Remove(filepath.Dir(p.cluster))
		_ = os.Remove(filepath.Dir(filepath.Dir(p.cluster)))
	}
	return errors.Join(err, clusterErr)
}

func isMarked(path string) bool {
	text, err := os.ReadFile(path) //nolint:gosec // the two paths above
	return err == nil && bytes.Contains(text, []byte(marker))
}

func removeMarked(path string) (removed bool, err error) {
	if !isMarked(path) {
		return false, nil
	}
	return true, os.Remove(path)
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
