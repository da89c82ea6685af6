package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// loopback is the only address that servers listen on.
const loopback = "127.0.0.1"

// portTries bounds how often a lost race for a port is run again.
const portTries = 5

// freePort returns a port that was free a moment ago. Somebody else may take it
// before the server does; the caller tries again with another one.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", loopback+":0")
	if err != nil {
		return 0, fmt.Errorf("devstack: %w", err)
	}
	port, ok := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil || !ok {
		return 0, errors.Join(errors.New("devstack: no free port"), err)
	}
	return port.Port, nil
}
