package testkit

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
)

// Link is a line to a server that a test can cut, freeze and mend. It is safe for
// concurrent use.
type Link struct {
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	target string
	state  linkState
	open   map[net.Conn]bool
}

type linkState int

const (
	mended linkState = iota
	cut              // connections are refused or reset: the server is down
	frozen           // connections are taken and nothing passes: the server hangs
)

// NewLink listens on an address of its own and passes everything on to target,
// host:port, until the test ends.
func NewLink(t testing.TB, target string) *Link {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{listener: listener, target: target, open: map[net.Conn]bool{}}
	l.wg.Go(l.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		l.become(cut)
		l.wg.Wait()
	})
	return l
}

// Point makes target, host:port, the one that later connections go to.
func (l *Link) Point(target string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.target = target
}

// to is where connections go.
func (l *Link) to() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.target
}

// Addr is where the link listens, host:port.
func (l *Link) Addr() string { return l.listener.Addr().String() }

// Cut ends every connection and every later one at once.
func (l *Link) Cut() { l.become(cut) }

// Freeze ends every connection; later ones are taken and never answered.
func (l *Link) Freeze() { l.become(frozen) }

// Mend lets later connections through again.
func (l *Link) Mend() { l.become(mended) }

func (l *Link) become(state linkState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = state
	for conn := range l.open {
		_ = conn.Close()
	}
	clear(l.open)
}

// keep registers conn, unless the link is cut.
func (l *Link) keep(conn net.Conn) linkState {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == cut {
		_ = conn.Close()
		return cut
	}
	l.open[conn] = true
	return l.state
}

func (l *Link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		if l.keep(conn) == mended {
			l.wg.Go(func() { l.carry(conn) })
		}
	}
}

func (l *Link) carry(near net.Conn) {
	far, err := new(net.Dialer).DialContext(context.Background(), "tcp", l.to())
	if err != nil || l.keep(far) != mended {
		_ = near.Close()
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			_ = way[0].Close()
			_ = way[1].Close()
		})
	}
	both.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, near)
	delete(l.open, far)
}
