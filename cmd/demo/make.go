package main

import (
	"os"
	"time"
)

// watchMake calls abandon when the make that started this program is gone, or the
// terminal that both had. make passes SIGTERM on to us and no other signal: killed,
// or left behind by a broken ssh connection, it would leave us and our servers
// running. Started by hand this program may outlive whoever started it.
func watchMake(abandon func()) {
	if os.Getenv("MAKELEVEL") == "" {
		return
	}
	parent, terminal := os.Getppid(), hasTerminal()
	for range time.Tick(500 * time.Millisecond) {
		if os.Getppid() != parent || hasTerminal() != terminal {
			abandon()
			return
		}
	}
}

// hasTerminal reports whether there is a controlling terminal (tty(4)).
func hasTerminal() bool {
	terminal, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	_ = terminal.Close()
	return true
}
