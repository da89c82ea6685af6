//go:build faults

package crowd_test

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// contained is a server that has so much memory and no more: by a cgroup, and then
// nobody tells it (package app's BoundMemory has to find out), or else, where the test
// may not make one, as far as GOMEMLIMIT goes.
type contained struct {
	*faulttest.Server
	group *cgroup
	why   error // there is no cgroup
	most  atomic.Int64
}

func (c *contained) String() string {
	if c.group == nil {
		return fmt.Sprintf("with GOMEMLIMIT=%s and no cgroup (%v)", collector, c.why)
	}
	return fmt.Sprintf("in a cgroup (%s) of %d MiB without swap and without GOMEMLIMIT, at most %d MiB of them anonymous",
		c.group.version, c.group.limit>>20, c.most.Load()>>20)
}

// contain runs a server with limit bytes of memory.
func contain(t testing.TB, stores *faulttest.Stores, limit int64) *contained {
	t.Helper()
	c := &contained{}
	if c.group, c.why = newCgroup(limit); c.why != nil {
		t.Logf("no cgroup: %v", c.why)
		c.Server = faulttest.Serve(t, stores.Environ(), small)
		return c
	}
	t.Cleanup(func() { c.group.remove(t) })
	faulttest.Serve(t, stores.Environ(), small).Leave(t) // so that it is built: a compiler needs more
	untold := maps.Clone(small)
	delete(untold, "GOMEMLIMIT")
	// A process is where its parent was, and looks at its beginning.
	c.group.during(t, func() { c.Server = faulttest.Serve(t, stores.Environ(), untold) })
	c.watch(t)
	return c
}

// watch notes the most anonymous memory, every few milliseconds to the end of the test:
// the kernel has no peak of it, and the page cache, which it would give back, is in the
// peak that it has.
func (c *contained) watch(t testing.TB) {
	t.Helper()
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for tick := time.NewTicker(5 * time.Millisecond); ; {
			if now, err := c.group.figure("memory.stat", c.group.anonymous); err == nil && now > c.most.Load() {
				c.most.Store(now)
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	t.Cleanup(func() { close(done); watching.Wait() })
}

// wantWithin demands that the server has never held more than most bytes, found its
// bound by itself, and was never in danger.
func (c *contained) wantWithin(t testing.TB, most int64) {
	t.Helper()
	if c.group == nil {
		wantWithin(t, c.Server, most)
		return
	}
	if held := c.most.Load(); held == 0 || held > most {
		t.Errorf("the process held %d MiB, want at most %d", held>>20, most>>20)
	}
	if killed, err := c.group.figure(c.group.events, "oom_kill"); err != nil || killed != 0 {
		t.Errorf("the kernel killed %d times: %v", killed, err)
	}
	if told := fmt.Sprintf(`"collector_mib":%d`, c.group.limit>>21); !strings.Contains(c.Log(), told) {
		t.Errorf("the server did not find out what it has (%s):\n%s", told, c.Log())
	}
}

// cgroup is a memory cgroup for one process (cgroups(7)).
type cgroup struct {
	version           string
	limit             int64
	dir, home         string // home is where this process belongs
	most, swap        string // names of the files with the limits
	none              string // as the limit of swap
	events, anonymous string // names of a file, and in memory.stat
}

// newCgroup makes a cgroup with so many bytes and no swap, or says why it may not.
func newCgroup(limit int64) (*cgroup, error) {
	g, err := whereCgroup(limit)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return nil, err
	}
	err = g.write(filepath.Join(g.dir, g.most), strconv.FormatInt(limit, 10))
	if swap := g.write(filepath.Join(g.dir, g.swap), g.none); !errors.Is(swap, fs.ErrNotExist) { // a kernel without it
		err = errors.Join(err, swap)
	}
	if err == nil {
		err = errors.Join(g.move(g.dir), g.move(g.home)) // may we?
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(g.dir))
	}
	return g, nil
}

// whereCgroup is where one could be made: in the hierarchy of version 1 where it has the
// memory, else in that of version 2.
func whereCgroup(limit int64) (*cgroup, error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("handoff-test-%d", os.Getpid())
	var found *cgroup
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[1] == "memory":
			home := filepath.Join("/sys/fs/cgroup/memory", fields[2])
			return &cgroup{
				version: "v1", limit: limit, dir: filepath.Join(home, name), home: home, most: "memory.limit_in_bytes",
				swap: "memory.memsw.limit_in_bytes", none: strconv.FormatInt(limit, 10), // memory and swap together
				events: "memory.oom_control", anonymous: "total_rss",
			}, nil
		case fields[0] == "0":
			found = &cgroup{ // not below home: where there are processes, what is below has no limits
				version: "v2", limit: limit, dir: filepath.Join("/sys/fs/cgroup", name), home: filepath.Join("/sys/fs/cgroup", fields[2]),
				most: "memory.max", swap: "memory.swap.max", none: "0", events: "memory.events", anonymous: "anon",
			}
		}
	}
	if found == nil {
		return nil, errors.New("this process is in no cgroup")
	}
	return found, nil
}

// write writes to a file that the kernel has made, and makes none.
func (*cgroup) write(name, value string) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.WriteString(value)
	return errors.Join(err, file.Close())
}

// move puts this process into a cgroup.
func (g *cgroup) move(to string) error {
	return g.write(filepath.Join(to, "cgroup.procs"), strconv.Itoa(os.Getpid()))
}

// during is f in the cgroup: what it starts stays there.
func (g *cgroup) during(t testing.TB, f func()) {
	t.Helper()
	if err := g.move(g.dir); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := g.move(g.home); err != nil {
			t.Error(err)
		}
	}()
	f()
}

// figure is the number that a file has behind a name.
func (g *cgroup) figure(file, name string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(g.dir, file))
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(strings.NewReader(string(text))); lines.Scan(); {
		if value, is := strings.CutPrefix(lines.Text(), name+" "); is {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("%s does not say %s", file, name)
}

// remove waits until the kernel has seen the last process leave.
func (g *cgroup) remove(t testing.TB) {
	t.Helper()
	var err error
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if err = os.Remove(g.dir); err == nil {
			return
		}
	}
	t.Error(err)
}
