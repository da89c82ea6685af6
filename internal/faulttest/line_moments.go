package faulttest

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/hello-world-co-op/handoff/internal/datastore"
)

// Moment is an exact one in a history of messages: when the N-th flight on a line
// (from 1, since the moments were reset) is on its way to the far end and has not got
// there, or, with Answered, when the far end has answered and the answer has not got
// back. A flight is everything that a client sends on one connection before the far
// end speaks.
//
// Of Postgres an answer says that what was asked has taken effect: the backend keeps
// what it sends back until the end of the (implicit) transaction, so long as it is
// less than 8 KiB (PostgreSQL, "Message Flow").
type Moment struct {
	Line     string
	N        int
	Answered bool
	// What counts only flights whose description (see [Moments.Heard]) begins so; ""
	// counts all. A pool sends others when it likes, to connect, prepare, or ping.
	What string
	// Ends has the connection end with the message; else it goes dead.
	Ends bool
}

func (m Moment) String() string {
	if m.Answered {
		return fmt.Sprintf("%s %d, answered", m.Line, m.N)
	}
	return fmt.Sprintf("%s %d, not sent", m.Line, m.N)
}

// Moments numbers the flights on the lines that it watches, and does something at one
// of them. It is safe for concurrent use.
type Moments struct {
	mu      sync.Mutex
	round   int            // grows when the counting begins again
	counted map[string]int // flights, by line
	matched int            // those that at is of
	heard   []string
	at      Moment
	then    func()
	come    chan struct{}
}

// NewMoments waits for nothing.
func NewMoments() *Moments { return &Moments{counted: map[string]int{}, come: make(chan struct{})} }

// Await counts from here, and does then (not nil) when the moment comes, once: the message
// that makes it is lost, and nothing more passes on its connection. Then may cut lines
// and kill processes. The channel is closed when it has returned.
func (m *Moments) Await(at Moment, then func()) (come <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.round++
	clear(m.counted)
	m.matched, m.heard, m.at, m.then, m.come = 0, nil, at, then, make(chan struct{})
	return m.come
}

// Count counts from here and waits for nothing.
func (m *Moments) Count() { m.Await(Moment{}, nil) }

// Heard is every flight that was counted, in order, as "line n: what it was".
func (m *Moments) Heard() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.heard...)
}

// All are the moments that the flights so far made.
func (m *Moments) All() []Moment {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Moment
	for _, flight := range m.heard {
		line, _, _ := strings.Cut(flight, ":")
		at := strings.LastIndexByte(line, ' ')
		moment := Moment{Line: line[:at]}
		_, _ = fmt.Sscan(line[at+1:], &moment.N)
		all = append(all, moment, Moment{Line: moment.Line, N: moment.N, Answered: true})
	}
	return all
}

// message is a piece of what somebody said.
type message struct {
	line string
	wire *wire
	back bool
	data []byte
}

// hear returns what is to be done if this is the moment, else nil.
func (m *Moments) hear(said message) func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if bytes.Contains(said.data, []byte("application_name\x00"+datastore.Aside)) {
		said.wire.aside = true
	}
	if said.wire.aside { // what nobody waits for comes when it likes
		return nil
	}
	if !said.back && !said.wire.asking {
		m.count(said)
	} else if said.back {
		if !said.wire.asking { // more of an answer that has begun
			return nil
		}
		said.wire.asking = false
	}
	if m.then == nil || said.wire.round != m.round || !m.at.is(said) {
		return nil
	}
	then, come, ends := m.then, m.come, m.at.Ends
	m.then = nil
	return func() {
		defer close(come)
		if then(); ends {
			said.wire.release()
		}
	}
}

// count takes down a flight that begins.
func (m *Moments) count(said message) {
	what := label(said.data)
	m.counted[said.line]++
	m.heard = append(m.heard, fmt.Sprintf("%s %d: %s", said.line, m.counted[said.line], what))
	said.wire.asking, said.wire.asked, said.wire.round = true, 0, m.round
	if said.line == m.at.Line && strings.HasPrefix(what, m.at.What) {
		m.matched++
		said.wire.asked = m.matched
	}
}

func (m Moment) is(said message) bool {
	return m.Line == said.line && m.N == said.wire.asked && m.Answered == said.back
}

// label says what a message is, for people: the first line of an HTTP request, the
// name of a Redis command, the types of Postgres' messages (PostgreSQL, "Message
// Formats").
func label(data []byte) string {
	switch {
	case len(data) > 0 && data[0] == '*':
		if words := bytes.SplitN(data, []byte("\r\n"), 4); len(words) > 2 {
			return string(words[2])
		}
	case bytes.Contains(data, []byte(" HTTP/1.1\r\n")):
		line, _, _ := bytes.Cut(data, []byte(" HTTP"))
		return string(line)
	}
	return postgresLabel(data)
}

func postgresLabel(data []byte) string {
	var types strings.Builder
	for len(data) >= 5 {
		length := int(data[1])<<24 | int(data[2])<<16 | int(data[3])<<8 | int(data[4])
		if length < 4 || len(data) < 1+length {
			break
		}
		types.WriteByte(data[0])
		if data[0] == 'Q' {
			types.WriteString(" " + string(bytes.Trim(data[5:1+length], "\x00")))
		}
		data = data[1+length:]
	}
	return types.String()
}
