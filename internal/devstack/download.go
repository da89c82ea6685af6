package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// downloader fetches packages as an ordinary user and unpacks them below dir,
// one folder for each server. apt checks signatures and hashes as always; the
// lists and the cache are private, what is installed is read from the system.
type downloader struct {
	apt apt
	dir string
	say func(format string, args ...any)
}

func unpackedRoot(dir string) string { return filepath.Join(dir, "debs-root") }

func (d downloader) download(ctx context.Context, missing []kind) (err error) {
	work := filepath.Join(d.dir, "apt")
	// Lists of many megabytes, of no use once the servers are there.
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := d.prepare(work); err != nil {
		return err
	}
	d.say("downloading the package lists, this once (no root needed)")
	// One broken source is no reason to stop; without any list the next step fails.
	updateErr := d.apt.update(ctx)
	for _, k := range missing {
		if fetchErr := d.server(ctx, work, k); fetchErr != nil {
			err = errors.Join(err, fetchErr)
		}
	}
	if err == nil {
		return nil
	}
	return errors.Join(updateErr, err)
}

// prepare points apt at folders of ours.
func (d *downloader) prepare(work string) error {
	lists, cache := filepath.Join(work, "lists"), filepath.Join(work, "cache")
	d.apt.options = []string{"-q"}
	for _, option := range []string{
		"Dir::State=" + work, "Dir::State::lists=" + lists, "Dir::State::status=/var/lib/dpkg/status",
		"Dir::Cache=" + cache, "Dir::Log=" + work,
		"Acquire::Languages=none", "Acquire::Retries=3", "APT::Install-Recommends=false", "APT::Install-Suggests=false",
	} {
		d.apt.options = append(d.apt.options, "-o", option)
	}
	//nolint:gosec // public packages
	return errors.Join(
		os.RemoveAll(work),
		os.MkdirAll(filepath.Join(lists, "partial"), 0o755),
		os.MkdirAll(below(cache, "archives/partial"), 0o755),
		os.MkdirAll(unpackedRoot(d.dir), 0o755),
	)
}

// server fetches one server under the first package name that works. The error is
// that of the usual name.
func (d downloader) server(ctx context.Context, work string, k kind) (err error) {
	for i, name := range k.packages {
		fetchErr := d.fetch(ctx, work, name)
		if fetchErr == nil {
			return nil
		}
		if i == 0 {
			err = fetchErr
		}
	}
	return err
}

// fetch downloads a package with what it depends on and is not installed, and
// unpacks all of it. The rename comes last: a folder is either whole or not there.
func (d downloader) fetch(ctx context.Context, work, name string) error {
	plan, err := d.apt.get(ctx, "-s", "install", name)
	if err != nil {
		return err
	}
	packages := planned(plan)
	if len(packages) == 0 {
		return fmt.Errorf("apt has nothing to download for %s: it is installed, but its programs are not where they should be", name)
	}
	d.say("downloading %s and what it needs, %d packages", name, len(packages))
	debs := filepath.Join(work, "debs-"+name)
	if err := os.Mkdir(debs, 0o755); err != nil { //nolint:gosec // public packages
		return err
	}
	d.apt.dir = debs // apt-get download puts files into the working directory
	if _, err := d.apt.get(ctx, append([]string{"download"}, packages...)...); err != nil {
		return err
	}
	target := filepath.Join(unpackedRoot(d.dir), name)
	half := target + ".new"
	if err := errors.Join(os.RemoveAll(half), os.RemoveAll(target)); err != nil {
		return err
	}
	if err := d.unpack(ctx, debs, half); err != nil {
		return err
	}
	return os.Rename(half, target)
}

func (d downloader) unpack(ctx context.Context, debs, into string) error {
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil || len(files) == 0 {
		return errors.Join(errors.New("apt-get download left no packages"), err)
	}
	for _, file := range files {
		if output, err := d.apt.run(ctx, "dpkg-deb", "--extract", file, into); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", filepath.Base(file), err, strings.TrimSpace(output))
		}
	}
	return nil
}

// planLine is one line of "apt-get -s install": "Inst name [old] (new origin [arch])".
var planLine = regexp.MustCompile(`(?m)^Inst (\S+) (?:\[[^]]*\] )?\((\S+) `)

// planned returns "name=version" of all that apt would install, but the C
// library: another one than the running system's, found through LD_LIBRARY_PATH,
// makes every program crash.
func planned(plan string) []string {
	var packages []string
	for _, match := range planLine.FindAllStringSubmatch(plan, -1) {
		name, _, _ := strings.Cut(match[1], ":")
		if !slices.Contains([]string{"libc6", "libc-bin", "locales"}, name) {
			packages = append(packages, match[1]+"="+match[2])
		}
	}
	return packages
}

// libraries are the folders of shared libraries that were unpacked together with
// program.
func libraries(program, root string) []string {
	below, err := filepath.Rel(root, program)
	if err != nil {
		return nil
	}
	server, _, _ := strings.Cut(below, string(filepath.Separator))
	var found []string
	for _, pattern := range []string{"usr/lib/*-linux-*", "lib/*-linux-*", "usr/lib", "lib"} {
		matches, _ := filepath.Glob(filepath.Join(root, server, pattern))
		found = append(found, slices.DeleteFunc(matches, func(path string) bool { return !isFolder(path) })...)
	}
	return found
}
