package faulttest

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// wire is one connection through a [Line].
type wire struct {
	line     *Line
	dead     bool          // half open; under the line's mutex
	released chan struct{} // closed when both ends are to hear that it is over
	once     sync.Once

	// asking says that the client spoke last, in that round, in flight number asked of
	// those that the awaited moment is of; under the mutex of the moments.
	asking       bool
	aside        bool // see [datastore.Aside]
	asked, round int
}

// release closes the connection, at both ends.
func (w *wire) release() { w.once.Do(func() { close(w.released) }) }

// lineToxic does to one direction what its line says. The line's own toxic is there
// from the beginning: those of toxiproxy are put in and taken out while data flows,
// and lose or flush some of it.
type lineToxic struct {
	Line int64 `json:"line"`
	Back bool  `json:"back"` // from the far end
}

func init() { toxics.Register("handoff_line", new(lineToxic)) }

func (l *Line) addToxic(direction string) error {
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
		`{"type":"handoff_line","name":%q,"stream":%q,"attributes":{"line":%d,"back":%t}}`,
		direction, direction, l.id, direction == stream.Downstream.String())))
	return err
}

// NewState gives both directions of a connection one wire. Toxiproxy sets a
// connection's two directions up one after the other, and one connection after the
// other.
func (x *lineToxic) NewState() any {
	found, _ := lines.Load(x.Line)
	l, _ := found.(*Line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !x.Back {
		l.newest = &wire{line: l, released: make(chan struct{})}
		l.open[l.newest] = true
	}
	return l.newest
}

// Pipe implements [toxics.Toxic].
func (x *lineToxic) Pipe(stub *toxics.ToxicStub) {
	w, _ := stub.State.(*wire)
	l := w.line
	defer func() {
		w.release()
		l.change(func() { delete(l.open, w) })
		stub.Close()
		for chunk := range stub.Input { // else who feeds it would wait for ever
			_ = chunk
		}
	}()
	for {
		select {
		case <-w.released:
			return
		case chunk, more := <-stub.Input:
			if !more {
				l.end(w)
				return
			}
			if !x.pass(l, w, chunk) {
				continue
			}
			select {
			case stub.Output <- chunk:
			case <-w.released:
				return
			}
		}
	}
}

// pass says whether chunk goes on, and when, by returning.
func (x *lineToxic) pass(l *Line, w *wire, chunk *stream.StreamChunk) bool {
	l.wait(w)
	l.mu.Lock()
	dead, garbage, delay, moments, name := w.dead, l.garbage && x.Back, l.delay, l.moments, l.name
	l.mu.Unlock()
	if dead {
		return false
	}
	if delay > 0 && x.Back {
		select {
		case <-time.After(delay):
		case <-w.released:
			return false
		}
	}
	if garbage {
		for i := range chunk.Data {
			chunk.Data[i] = '\xfe'
		}
	}
	if moments == nil {
		return true
	}
	then := moments.hear(message{line: name, wire: w, back: x.Back, data: chunk.Data})
	if then == nil {
		return true
	}
	l.change(func() { w.dead = true })
	then()
	return false
}

// end is one end's farewell: the other hears of it, but not over a dead line.
func (l *Line) end(w *wire) {
	l.wait(w)
	l.mu.Lock()
	dead := w.dead
	l.mu.Unlock()
	if dead {
		<-w.released
	}
}
