package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/metrics"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const allowed = "https://think-tank.test"

// edge is a half with routes of a test's making, served as it is shipped.
type edge struct {
	t    testing.TB
	addr string
	log  *logBuffer
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func configOf(t testing.TB, log io.Writer) httpapi.Config {
	t.Helper()
	key, err := privacy.NewKey([]byte(strings.Repeat("p", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return httpapi.Config{
		Half: "dao", AllowedOrigins: []string{allowed}, Pseudonyms: privacy.NewPseudonymizer(key),
		Health: health.New(nil), Metrics: metrics.New("test"),
		Log:       slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Now:       func() time.Time { return noon },
		Admission: httpapi.NewAdmission(64), Connections: httpapi.NewConnections(64),
	}
}

// serve runs an edge with these routes until the test ends.
func serve(t testing.TB, routes []httpapi.Route, change ...func(*httpapi.Config)) *edge {
	t.Helper()
	e := &edge{t: t, log: &logBuffer{}}
	config := configOf(t, e.log)
	for _, alter := range change {
		alter(&config)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.addr = listener.Addr().String()
	server := httpapi.Server(e.addr, httpapi.New(config, routes), config.Connections, config.Log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return e
}

// reply is an answer and its body.
type reply struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (r reply) code() string {
	code, _ := r.body["code"].(string)
	return code
}

// send sends one request; headers are "Name: value" lines, as many of a name as
// are given. A Content-Type of application/json goes with a body unless there is
// another.
func (e *edge) send(method, path, body string, headers ...string) reply {
	e.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, "http://"+e.addr+path, strings.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Host":
			request.Host = value
		case "Content-Type":
			request.Header.Set(name, value)
		default:
			request.Header.Add(name, value)
		}
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.read(response)
}

// sendRaw sends bytes that no decent client would.
func (e *edge) sendRaw(text string) reply {
	e.t.Helper()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, text); err != nil {
		e.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		e.t.Fatal(err)
	}
	return e.read(response)
}

func (e *edge) read(response *http.Response) reply {
	e.t.Helper()
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	r := reply{status: response.StatusCode, header: response.Header, raw: string(text)}
	_ = json.Unmarshal(text, &r.body) // what is no object has no members
	return r
}

// route is one endpoint that answers as handle does.
func route(method, path string, handle echo.HandlerFunc, guards ...httpapi.Guard) httpapi.Route {
	return httpapi.Route{Method: method, Paths: []string{path}, Guards: guards, Handle: handle}
}

func ok(c echo.Context) error { return httpapi.JSON(c, http.StatusOK, map[string]bool{"ok": true}) }

// lines are the log's lines of one message, decoded.
func (e *edge) lines(message string) []map[string]any {
	e.t.Helper()
	var found []map[string]any
	for line := range strings.Lines(e.log.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			e.t.Fatalf("a log line that is no JSON: %s", line)
		}
		if entry["msg"] == message {
			found = append(found, entry)
		}
	}
	return found
}
