package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// patience is how long one answer may take. The service's own deadline is 3 s.
const patience = 10 * time.Second

// wire is one keep-alive connection that requests are sent on, one after the other. It
// knows as much of HTTP/1.1 as our servers say: what it costs, it costs both sides, and a
// costly one would hide how they differ.
type wire struct {
	conn net.Conn
	in   *bufio.Reader
	body []byte
}

func dial(ctx context.Context, address string) (*wire, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return &wire{conn: conn, in: bufio.NewReaderSize(conn, 8<<10)}, nil
}

func (w *wire) close() { _ = w.conn.Close() }

// do sends a request and returns the status and the body of its answer, which is good
// until the next one.
func (w *wire) do(request []byte) (status int, body []byte, err error) {
	if err := w.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, nil, err
	}
	if _, err := w.conn.Write(request); err != nil {
		return 0, nil, err
	}
	line, err := w.line()
	if err != nil {
		return 0, nil, err
	}
	if len(line) < len("HTTP/1.1 200") || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, nil, errNotHTTP
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, nil, errNotHTTP
	}
	length, err := w.headers()
	if err != nil {
		return 0, nil, err
	}
	w.body = w.body[:0]
	if length < 0 {
		err = w.chunks()
	} else {
		err = w.read(length)
	}
	return status, w.body, err
}

var errNotHTTP = errors.New("bench: the answer is not HTTP/1.1")

// line is the next line without its end.
func (w *wire) line() ([]byte, error) {
	line, err := w.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err
}

// headers reads to the empty line and returns the body's length, -1 for chunks.
func (w *wire) headers() (length int, err error) {
	for {
		line, err := w.line()
		if err != nil || len(line) == 0 {
			return length, err
		}
		switch name, value, _ := bytes.Cut(line, []byte(": ")); {
		case isHeader(name, "Content-Length"):
			if length, err = strconv.Atoi(string(value)); err != nil || length < 0 {
				return 0, errNotHTTP
			}
		case isHeader(name, "Transfer-Encoding"):
			length = -1
		}
	}
}

func isHeader(name []byte, is string) bool { return bytes.EqualFold(name, []byte(is)) }

// read adds length bytes to the body.
func (w *wire) read(length int) error {
	begin := len(w.body)
	w.body = append(w.body, make([]byte, length)...)
	_, err := io.ReadFull(w.in, w.body[begin:])
	return err
}

// chunks reads a body that came without its length (RFC 9112, 7.1).
func (w *wire) chunks() error {
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(line), 16, 24)
		if err != nil {
			return errNotHTTP
		}
		if err := w.read(int(size)); err != nil {
			return err
		}
		if line, err = w.line(); err != nil || len(line) != 0 {
			return errors.Join(errNotHTTP, err)
		}
		if size == 0 {
			return nil
		}
	}
}
