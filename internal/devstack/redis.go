package devstack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// redisConfig is for the token store as the protocol wants it: no persistence (a
// snapshot would bring consumed tokens back), no eviction (a token must not
// vanish before its time). Tests take one of the 1024 databases each.
const redisConfig = `port %d
bind 127.0.0.1
requirepass %s
save ""
appendonly no
databases 1024
maxmemory-policy noeviction
daemonize no
supervised no
`

// startRedis passes the configuration through standard input and not as
// arguments, which everybody on the machine can read.
func (l *launcher) startRedis(ctx context.Context) (*process, string, error) {
	dir, err := l.home.folder("redis")
	if err != nil {
		return nil, "", fmt.Errorf("devstack: %w", err)
	}
	password := newPassword()
	p, port, err := onFreePort(ctx, func(port int) (*process, error) {
		p, err := l.home.start(command{
			name: "redis", path: l.servers.Redis.Path, libs: l.servers.Redis.Libs,
			args: []string{"-"}, dir: dir, stdin: strings.NewReader(fmt.Sprintf(redisConfig, port, password)),
			gentle: syscall.SIGTERM,
		})
		if err != nil {
			return nil, err
		}
		ready := func() bool { return isRedisReady(ctx, port, p.pid(), password) }
		if err := p.await(ctx, ready); err != nil {
			return nil, err
		}
		return p, nil
	})
	if err != nil {
		return nil, "", err
	}
	return p, redisURL(port, password), nil
}

func redisURL(port int, password string) string {
	address := url.URL{
		Scheme: "redis", User: url.UserPassword("", password),
		Host: net.JoinHostPort(loopback, strconv.Itoa(port)), Path: "/0",
	}
	return address.String()
}

// isRedisReady asks whoever listens for their process id: it may be another
// Redis, which was quicker to take the port.
func isRedisReady(ctx context.Context, port, pid int, password string) bool {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "tcp4", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }() // a connection to ask one question
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return false
	}
	// Inline commands; with QUIT the server closes, so that reading has an end.
	if _, err := io.WriteString(conn, "AUTH "+password+"\r\nINFO server\r\nQUIT\r\n"); err != nil {
		return false
	}
	const most = 64 << 10 // INFO is a few KiB
	answer, err := io.ReadAll(io.LimitReader(conn, most))
	return err == nil && strings.Contains(string(answer), "\nprocess_id:"+strconv.Itoa(pid)+"\r")
}
