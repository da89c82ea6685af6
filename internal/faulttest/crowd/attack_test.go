//go:build faults

package crowd_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// attacker is a client that means no good, over one connection.
type attacker struct {
	name    string
	opening string        // sent at once; "" is nothing
	drip    string        // sent then, again and again
	every   time.Duration // between two of them
	deaf    bool          // reads nothing, and sends its opening again and again
	bound   time.Duration // within which the server gives the connection up
}

const (
	arriving = "POST /api/v1/auth/cross-domain-login HTTP/1.1\r\nHost: crowd\r\nX-Requested-With: crowd\r\nContent-Type: application/json\r\n"
	minting  = "POST /api/staging_token/mint HTTP/1.1\r\nHost: crowd\r\nContent-Type: application/json\r\n"
)

// slow are those who take their time. The bounds are the server's.
var slow = []attacker{
	{name: "headers a byte at a time (Slowloris)", opening: arriving + "X-Long: ", drip: "x", every: time.Second, bound: 5 * time.Second},
	{name: "half a request, then nothing", opening: minting, every: time.Minute, bound: 5 * time.Second},
	{name: "bodies a byte at a time", opening: arriving + "Content-Length: 4000\r\n\r\n{", drip: " ", every: time.Second, bound: 10 * time.Second},
	{name: "endless bodies a byte at a time", opening: minting + "Transfer-Encoding: chunked\r\n\r\n", drip: "1\r\n \r\n", every: time.Second, bound: 10 * time.Second},
}

// reader asks for page after page and reads none.
var reader = attacker{
	name: "pages that nobody reads", opening: strings.Repeat("GET /assets/base.css HTTP/1.1\r\nHost: crowd\r\n\r\n", 100),
	deaf: true, bound: 40 * time.Second,
}

// deaf asks for more than all buffers between here and there take. The bound counts
// from when these are full, which takes the server some seconds.
var deaf = attacker{
	name: "refusals that nobody reads", opening: strings.Repeat(arriving+"Content-Length: 2\r\n\r\n{}", 100),
	deaf: true, bound: 40 * time.Second,
}

// attack goes on until the server ends the connection, and returns how long it
// lived, or until ctx does.
func (a attacker) attack(ctx context.Context, url string) (lived time.Duration, err error) {
	dialer := &net.Dialer{}
	if a.deaf {
		dialer.Control = smallBuffer
	}
	conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	for text := a.opening; err == nil; {
		// To a deaf one the server does not listen any more either, once all buffers are
		// full: this takes until it has ended the connection.
		if _, err = conn.Write([]byte(text)); err == nil && !a.deaf {
			text, err = a.drip, a.rest(conn)
		}
	}
	return time.Since(begun), ctx.Err()
}

// smallBuffer makes the kernel take little of what is not read. It must be told before
// the connection is there: a window that shrinks confuses both ends.
func smallBuffer(_, _ string, raw syscall.RawConn) error {
	var failed error
	err := raw.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
	})
	return errors.Join(err, failed)
}

// rest waits until it is time for the next byte, or the server has ended the
// connection.
func (a attacker) rest(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(a.every)); err != nil {
		return err
	}
	var heard [512]byte
	for {
		if _, err := conn.Read(heard[:]); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
	}
}

// gush is a client that sends without end.
type gush struct {
	name, opening, more string
	status              int // the answer
}

var gushes = []gush{
	{"a body of 1 GB", arriving + "Content-Length: 1073741824\r\n\r\n{\"token\":\"", strings.Repeat("0", 64<<10), 413},
	{"a chunked body without an end", arriving + "Transfer-Encoding: chunked\r\n\r\n", "10000\r\n" + strings.Repeat(" ", 64<<10) + "\r\n", 413},
	{"headers of 1 MB", arriving + "X-Long: ", strings.Repeat("x", 64<<10), 431},
}

// enough is what a gush sends at most, in bytes; tolerable, what the server and the kernels'
// buffers may take of it.
const (
	enough    = 64 << 20
	tolerable = 16 << 20
)

// pour sends until the server has enough, and returns its answer, and how many bytes
// went out.
func (g gush) pour(ctx context.Context, url string) (a answer, sent int, err error) {
	l, err := dial(ctx, url)
	if err != nil {
		return a, 0, err
	}
	poured := make(chan int)
	go func() {
		n := 0
		defer func() { poured <- n }()
		for text := []byte(g.opening); n < enough; text = []byte(g.more) {
			wrote, err := l.conn.Write(text)
			n += wrote
			if err != nil {
				return
			}
		}
	}()
	if err = l.conn.SetReadDeadline(time.Now().Add(prompt * 4)); err == nil {
		a, err = l.read()
	}
	// It goes on after the answer, until the server closes or it is too much.
	if late := l.conn.SetWriteDeadline(time.Now().Add(prompt * 4)); err == nil {
		err = late
	}
	sent = <-poured
	l.close()
	return a, sent, err
}
