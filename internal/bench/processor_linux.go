package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownProcessorTime is what this process has computed so far, in user and in kernel mode.
func ownProcessorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// tick is the kernel's unit in /proc/PID/stat, whatever its own clock (proc(5), USER_HZ).
const tick = 10 * time.Millisecond

// processorTime is what the processes have computed so far, and those below them that have
// ended. The kernel counts a running thread to the nanosecond (schedstat), and what has
// ended in ticks.
func processorTime(pids []int) time.Duration {
	var sum time.Duration
	for _, pid := range pids {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, path := range threads {
			sum += time.Duration(field(path, 0))
		}
		// After the name, which may hold spaces: state is the first field, cutime and
		// cstime are the 14th and 15th.
		stat := fmt.Sprintf("/proc/%d/stat", pid)
		sum += time.Duration(field(stat, 13)+field(stat, 14)) * tick
	}
	return sum
}

// field is the number at a place in a file of the kernel's, 0 if the process has ended.
func field(path string, place int) int64 {
	text, err := os.ReadFile(path) //nolint:gosec // a path of the kernel's
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if place >= len(fields) {
		return 0
	}
	number, err := strconv.ParseInt(fields[place], 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// memoryOf asks the kernel (proc_pid_status(5)), which speaks of kB and means 1024 bytes.
func memoryOf(pid int) resident {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return resident{}
	}
	var m resident
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		into, asked := map[string]*int64{"VmRSS": &m.now, "VmHWM": &m.most, "RssAnon": &m.own}[name]
		if number, _, _ := strings.Cut(strings.TrimSpace(value), " "); asked {
			*into, _ = strconv.ParseInt(number, 10, 64)
			*into *= 1024
		}
	}
	return m
}
