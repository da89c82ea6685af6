package devstack

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// diesWithParent has the kernel send signal to the process when the thread that
// started it ends (prctl(2), PR_SET_PDEATHSIG): see [process.live] for why that
// is the end of the owner.
func diesWithParent(attr *syscall.SysProcAttr, signal syscall.Signal) {
	attr.Pdeathsig = signal
}

// workingDirectory is where a process of ours is, empty if that cannot be told.
func workingDirectory(pid int) string {
	dir, err := os.Readlink(procFile(pid, "cwd"))
	if err != nil {
		return ""
	}
	return dir
}

// processesOf are the processes of the program whose working directory is dir. Of a zombie the
// kernel shows neither.
func processesOf(program, dir string) (found []int) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil || workingDirectory(pid) != dir {
			continue
		}
		if runs, err := os.Readlink(procFile(pid, "exe")); err == nil && runs == program {
			found = append(found, pid)
		}
	}
	return found
}

// procFile is a file about a process, see proc(5).
func procFile(pid int, name string) string {
	return fmt.Sprintf("/proc/%d/%s", pid, name)
}

// descendants are the processes below pid. A Postgres backend leads a session of
// its own, so that a signal to the postmaster's group does not reach it.
func descendants(pid int) []int {
	children := map[int][]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path) //nolint:gosec // a path of the kernel's
		if err != nil {
			continue // it ended meanwhile
		}
		// "pid (name) state ppid …"; the name may hold spaces and parentheses.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		child, childErr := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if len(fields) < 2 || childErr != nil {
			continue
		}
		if parent, err := strconv.Atoi(string(fields[1])); err == nil {
			children[parent] = append(children[parent], child)
		}
	}
	found := children[pid]
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}
