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
	unused  map[net.Conn]bool          // nothing was sent on them yet
	evicted uint64
}

// NewConnections holds up to most connections.
func NewConnections(most int) *Connections {
	return &Connections{most: most, open: map[net.Conn]*list.Element{}, useless: list.New(), unused: map[net.Conn]bool{}}
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
	c.open[conn], c.unused[conn] = c.useless.PushBack(conn), true
	if oldest := c.useless.Front(); len(c.open) > c.most {
		longest, _ := oldest.Value.(net.Conn)
		c.forget(longest)
		c.evicted++
		_ = longest.Close() // its reader sees it
	}
	return context.WithValue(ctx, connectionKey{}, conn)
}

// changed is http.Server's ConnState. A connection on which a request begins is of
// some use again.
func (c *Connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateActive:
		delete(c.unused, conn)
		if element := c.open[conn]; element != nil {
			c.useless.MoveToBack(element)
		}
	case http.StateClosed, http.StateHijacked:
		c.forget(conn)
	case http.StateNew, http.StateIdle: // see opened and rest
	}
}

func (c *Connections) forget(conn net.Conn) {
	if element := c.open[conn]; element != nil {
		c.useless.Remove(element)
	}
	delete(c.open, conn)
	delete(c.unused, conn)
}

// CloseUnused closes the connections on which nothing was sent yet. http.Server, when it
// shuts down, would wait five seconds for something to come.
func (c *Connections) CloseUnused() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.unused {
		_ = conn.Close() // its reader sees it
	}
}

// working calls handle while the request's connection is protected. What came on one
// that was closed in the meantime is not worked on: its token would be redeemed for
// nobody.
func (c *Connections) working(r *http.Request, handle func() error) error {
	conn, known := r.Context().Value(connectionKey{}).(net.Conn)
	if !known {
		return handle()
	}
	if !c.protect(conn) {
		return ErrOverloaded
	}
	defer c.rest(conn)
	return handle()
}

func (c *Connections) protect(conn net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	element, open := c.open[conn]
	if element != nil {
		c.useless.Remove(element)
		c.open[conn] = nil
	}
	return open
}

func (c *Connections) rest(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if element, open := c.open[conn]; open && element == nil {
		c.open[conn] = c.useless.PushBack(conn)
	}
}

// Protect is working for a handler that is none of echo's.
func (c *Connections) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = c.working(r, func() error { next.ServeHTTP(w, r); return nil }) // else nobody is there to be told
	})
}
