//go:build faults

package crowd_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// line is one connection over which requests go one after the other.
type line struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
	over bool // the server, or a fault, has ended it
}

// answer is what a crowd looks at.
type answer struct {
	status     int
	retryAfter string
	code       string // of a problem
	token      string // of a mint
}

// shed reports whether the caller was told to come back later.
func (a answer) shed() bool {
	return (a.status == 429 || a.status == 503) && a.retryAfter != ""
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.code) }

func dial(ctx context.Context, url string) (*line, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	return &line{conn: conn, in: bufio.NewReaderSize(conn, 4<<10), body: make([]byte, 4<<10)}, nil
}

func (l *line) close() { _ = l.conn.Close() } // nothing is written that could be lost

// ask sends one request and reads its answer, within faulttest.Patience.
func (l *line) ask(request []byte) (answer, error) {
	a, err := l.exchange(request)
	if err != nil {
		l.over = true
	}
	return a, err
}

func (l *line) exchange(request []byte) (answer, error) {
	if err := l.conn.SetDeadline(time.Now().Add(faulttest.Patience)); err != nil {
		return answer{}, err
	}
	if _, err := l.conn.Write(request); err != nil {
		return answer{}, err
	}
	return l.read()
}

// errForm is an answer in a form that the service does not use for what is asked
// here: chunked, without a length, or longer than a page.
var errForm = errors.New("crowd: cannot read such an answer")

func (l *line) read() (a answer, err error) {
	status, err := l.in.ReadSlice('\n')
	if err != nil {
		return a, err
	}
	if len(status) < len("HTTP/1.1 200\r\n") {
		return a, errForm
	}
	if a.status, err = strconv.Atoi(string(status[9:12])); err != nil {
		return a, errForm
	}
	length, err := l.headers(&a)
	if err != nil {
		return a, err
	}
	if length < 0 && l.over { // net/http's own refusals end with the connection
		return a, nil
	}
	if length < 0 || length > len(l.body) {
		return a, errForm
	}
	if _, err := io.ReadFull(l.in, l.body[:length]); err != nil {
		return a, err
	}
	a.code, a.token = member(l.body[:length], `"code":"`), member(l.body[:length], `"token":"`)
	return a, nil
}

// headers reads them to their end and returns what Content-Length says, -1 if none.
func (l *line) headers(a *answer) (length int, err error) {
	length = -1
	for {
		header, err := l.in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		header = bytes.TrimRight(header, "\r\n")
		switch name, value, _ := bytes.Cut(header, []byte(": ")); {
		case len(header) == 0:
			return length, nil
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, errForm
			}
		case bytes.EqualFold(name, []byte("Retry-After")):
			a.retryAfter = string(value)
		case bytes.EqualFold(name, []byte("Connection")) && bytes.EqualFold(value, []byte("close")):
			l.over = true
		}
	}
}

// member is the text after name up to the next quotation mark. The values that are
// asked for have none inside.
func member(body []byte, name string) string {
	_, rest, found := bytes.Cut(body, []byte(name))
	if !found {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(value)
}

// lines are the connections to one half, used by whoever is next. They are safe for
// concurrent use.
type lines struct {
	url  string
	most int // open at a time

	mu   sync.Mutex
	idle []*line
	open int
}

// errNoLine is the crowd's own limit, and no answer of the service.
var errNoLine = errors.New("crowd: all lines are busy")

func (l *lines) take(ctx context.Context) (*line, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.idle); n > 0 {
		taken := l.idle[n-1]
		l.idle = l.idle[:n-1]
		return taken, nil
	}
	if l.open >= l.most {
		return nil, errNoLine
	}
	made, err := dial(ctx, l.url) // on loopback: a matter of microseconds
	if err == nil {
		l.open++
	}
	return made, err
}

func (l *lines) put(used *line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if used.over {
		used.close()
		l.open--
		return
	}
	l.idle = append(l.idle, used)
}

// close ends the connections that nobody uses.
func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, each := range l.idle {
		each.close()
	}
	l.open -= len(l.idle)
	l.idle = nil
}

func (l *lines) ask(ctx context.Context, request []byte) (answer, error) {
	used, err := l.take(ctx)
	if err != nil {
		return answer{}, err
	}
	defer l.put(used)
	return used.ask(request)
}
