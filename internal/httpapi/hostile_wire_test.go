package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// wire is a request as it is on the wire, so that it may be one that no client
// library sends.
type wire struct {
	addr, method, path string
	headers            []string // "Name: value"
	body               string
	// short is how much of the body is sent and no more, 0 for all of it.
	short int
}

// set replaces a header, or takes it away with "".
func (w wire) set(name, value string) wire {
	w.headers = slices.DeleteFunc(slices.Clone(w.headers), func(line string) bool {
		return strings.HasPrefix(strings.ToLower(line), strings.ToLower(name)+":")
	})
	if value != "" {
		w.headers = append(w.headers, name+": "+value)
	}
	return w
}

// add puts one more header behind the others.
func (w wire) add(line string) wire {
	w.headers = append(slices.Clone(w.headers), line)
	return w
}

func (w wire) say(body string) wire {
	w.body = body
	return w
}

// walk changes the path, and leaves the query as it is.
func (w wire) walk(change func(path string) string) wire {
	path, query, has := strings.Cut(w.path, "?")
	if w.path = change(path); has {
		w.path += "?" + query
	}
	return w
}

// header is the value of the first header of that name.
func (w wire) header(name string) string {
	for _, line := range w.headers {
		if value, is := strings.CutPrefix(line, name+": "); is {
			return value
		}
	}
	return ""
}

// String is the request's text. The body's length is added unless a header says how
// the body is framed.
func (w wire) String() string {
	lines := append([]string{w.method + " " + w.path + " HTTP/1.1", "Host: " + w.addr, "Connection: close"}, w.headers...)
	framed := slices.ContainsFunc(w.headers, func(line string) bool {
		return strings.HasPrefix(line, "Content-Length") || strings.HasPrefix(line, "Transfer-Encoding")
	})
	if !framed {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(w.body)))
	}
	body := w.body
	if w.short > 0 {
		body = body[:w.short]
	}
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// send says it and reads every answer that comes until the server closes, or has
// given one and waits.
func (w wire) send(t testing.TB) reply {
	t.Helper()
	answers := speak(t, w.addr, w.String(), false)
	if len(answers) == 0 {
		t.Errorf("%s %s: no answer", w.method, w.path)
		return reply{}
	}
	return answers[0]
}

// speak says text on a connection of its own, and with end no more after it, and
// returns all answers. Without a "Connection: close" in the text it needs end.
func speak(t testing.TB, addr, text string, end bool) []reply {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, text) // the server may have closed in the middle of it, and answered
	if half, is := conn.(*net.TCPConn); is && end {
		_ = half.CloseWrite()
	}
	var answers []reply
	reader := bufio.NewReader(conn)
	for {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			return answers
		}
		answers = append(answers, (&edge{t: t}).read(response))
		if response.Close {
			return answers
		}
	}
}
