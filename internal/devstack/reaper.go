package devstack

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
)

// reaperScript reads lines from the owner: "SIGNAL pid" for a server that was
// started, "over" when the owner has cleaned up itself. The end of the pipe means
// that the owner is gone without a word, by SIGKILL, by os.Exit, by a panic. Then
// the script asks the servers to end (on Linux the kernel has done so already),
// gives each ten seconds, and removes $1, the ephemeral data, if there is any. It
// ignores Ctrl-C, since it must outlive the owner. A zombie has ended, though kill
// still finds it: as process 1 many containers have one that never reaps. The
// kernel shows its program no more.
const reaperScript = `
trap '' INT HUP
runs() {
	kill -0 "$1" 2>/dev/null && { [ ! -e /proc/self/exe ] || [ -e "/proc/$1/exe" ]; }
}
servers=
while read -r signal pid; do
	[ "$signal" != over ] || exit 0
	servers="$servers $signal:$pid"
done
for server in $servers; do kill -"${server%:*}" "${server#*:}" 2>/dev/null; done
for server in $servers; do
	tries=0
	while runs "${server#*:}"; do
		tries=$((tries + 1))
		if [ "$tries" -gt 100 ]; then kill -KILL "${server#*:}"; break; fi
		sleep 0.1
	done
done
if [ -n "$1" ]; then rm -rf -- "$1"; fi
`

// reaper is the shell process that cleans up after an owner that cannot.
type reaper struct {
	cmd  *exec.Cmd
	pipe io.WriteCloser
}

func startReaper(h *home) (*reaper, error) {
	ephemeral := ""
	if h.ephemeral {
		ephemeral = h.dir
	}
	cmd := exec.Command("/bin/sh", "-c", reaperScript, "handoff-devstack-reaper", ephemeral) //nolint:noctx // it has to outlive everything here
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + systemPath}
	cmd.SysProcAttr = attributes(account{})
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("devstack: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("devstack: %w", errors.Join(err, pipe.Close()))
	}
	return &reaper{cmd: cmd, pipe: pipe}, nil
}

// watch adds a server that was started. Lines this short reach a pipe whole.
func (r *reaper) watch(p *process) error {
	_, err := fmt.Fprintf(r.pipe, "%d %d\n", int(p.gentle), p.pid())
	return err
}

// dismiss tells the reaper that there is nothing left to do.
func (r *reaper) dismiss() error {
	if r == nil {
		return nil
	}
	_, err := io.WriteString(r.pipe, "over\n")
	return errors.Join(err, r.pipe.Close(), r.cmd.Wait())
}
