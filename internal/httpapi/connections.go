package httpapi

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// Connections bounds how many connections a listener holds open (I13). When there
// is one too many, the one that has been of no use for longest is closed: an idle one, or
// one whose request does not come to its end. The attack is to open connections, or to
// begin requests, and leave them there; closing the newest, or making it wait, would do
// the attacker's work. A connection whose request is worked on is never closed. It is
// safe for concurrent use.
type Connections struct {
	most    int
	mu      sync.Mutex
	open    map[net.Conn]*list.Element // nil while its request is worked on
	useless *list.List                 // of net.Conn, the longest useless first
	evicted uint64
}

// NewConnections holds up to most connections.
func NewConnections(most int) *Connections {
	return &Connections{most: most, open: map[net.Conn]*list.Element{}, useless: list.New()}
}

// Evicted is how many connections were closed to make room.
func (c *Connections) Evicted() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.evicted
}

type connectionKey struct{}

// opened is http.Server's ConnContext.
func (c *Connections) opened(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = c.useless.PushBack(conn)
	if oldest := c.useless.Front(); len(c.open) > c.most {
		longest, _ := oldest.Value.(net.Conn)
		c.forget(longest)
		c.evicted++
		_ = longest.Close() // its reader sees it
	}
	return context.WithValue(ctx, connectionKey{}, conn)
}

// changed is http.Server's ConnState.
func (c *Connections) changed(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.forget(conn)
	}
}

func (c *Connections) forget(conn net.Conn) {
	if element := c.open[conn]; element != nil {
		c.useless.Remove(element)
	}
	delete(c.open, conn)
}

// working protects the request's connection until done is called.
func (c *Connections) working(r *http.Request) (done func()) {
	conn, _ := r.Context().Value(connectionKey{}).(net.Conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if element := c.open[conn]; element != nil {
		c.useless.Remove(element)
		c.open[conn] = nil
	}
	return func() { c.rest(conn) }
}

func (c *Connections) rest(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, open := c.open[conn]; open && element == nil {
		c.open[conn] = c.useless.PushBack(conn)
	}
}
