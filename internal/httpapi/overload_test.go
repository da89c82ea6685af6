package httpapi_test

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

// holding is an endpoint whose requests stay until they are let go.
type holding struct{ inside, let chan struct{} }

func newHolding() holding { return holding{make(chan struct{}, 64), make(chan struct{})} }

func (h holding) route(path string, fresh bool) httpapi.Route {
	return httpapi.Route{Method: http.MethodPost, Paths: []string{path}, Fresh: fresh, Handle: func(c echo.Context) error {
		h.inside <- struct{}{}
		<-h.let
		return c.NoContent(http.StatusNoContent)
	}}
}

// I13: a half works on so many requests at once and on no more. Who comes then is told
// at once to come back; what is under way is finished; what begins something gives way
// first; and whether the process is well can always be asked.
func TestI13_whatIsTooMuchIsTurnedAwayAtOnce(t *testing.T) {
	t.Parallel()
	h := newHolding()
	shed := httpapi.NewAdmission(4)
	e := serve(t, []httpapi.Route{h.route("/next", false), h.route("/first", true)}, func(c *httpapi.Config) { c.Admission = shed })
	answers := make(chan reply, 8)
	take := func(path string) {
		go func() { answers <- e.send(http.MethodPost, path, "") }()
		<-h.inside
	}
	wantShed := func(path string) {
		t.Helper()
		sent := make(chan reply, 1)
		go func() { sent <- e.send(http.MethodPost, path, "") }()
		var away reply
		select {
		case away = <-sent:
		case <-h.inside:
			close(h.let)
			t.Fatalf("%s was taken on", path)
		}
		if away.status != http.StatusServiceUnavailable || away.code() != "dependency_unavailable" || away.header.Get("Retry-After") != "1" {
			t.Errorf("%s: %d %s", path, away.status, away.raw)
		}
	}
	take("/first")
	take("/first")
	wantShed("/first") // half of four
	take("/next")
	take("/next")
	wantShed("/next")
	if well := e.send(http.MethodGet, "/health/live", ""); well.status != http.StatusOK {
		t.Errorf("alive? %d", well.status)
	}
	if said := e.log.String(); strings.Contains(said, `"level":"INFO"`) || strings.Contains(said, `"level":"ERROR"`) {
		t.Errorf("an overload writes to the log: %s", said)
	}
	if n := shed.Shed(); n != 2 {
		t.Errorf("%d counted", n)
	}
	close(h.let)
	for range 4 {
		if done := <-answers; done.status != http.StatusNoContent {
			t.Errorf("was under way: %d %s", done.status, done.raw)
		}
	}
	go func() { answers <- e.send(http.MethodPost, "/first", "") }()
	if again := <-answers; again.status != http.StatusNoContent {
		t.Errorf("afterwards: %d", again.status)
	}
}

// I13: those who wait for somebody else fill their own places, and nobody else's.
func TestI13_whoWaitsForSomebodyElseWaitsApart(t *testing.T) {
	t.Parallel()
	h, shed := newHolding(), httpapi.NewAdmission(2)
	waiting := h.route("/arrive", false)
	waiting.Apart = shed.Apart()
	quick := httpapi.Route{Method: http.MethodPost, Paths: []string{"/next"}, Handle: func(c echo.Context) error { return c.NoContent(http.StatusNoContent) }}
	e := serve(t, []httpapi.Route{waiting, quick}, func(c *httpapi.Config) { c.Admission = shed })
	answers := make(chan reply, 2)
	for range 2 {
		go func() { answers <- e.send(http.MethodPost, "/arrive", "") }()
		<-h.inside
	}
	if away := e.send(http.MethodPost, "/arrive", ""); away.status != http.StatusServiceUnavailable || away.header.Get("Retry-After") != "1" {
		t.Errorf("a third: %d %s", away.status, away.raw)
	}
	if next := e.send(http.MethodPost, "/next", ""); next.status != http.StatusNoContent {
		t.Errorf("somebody else: %d %s", next.status, next.raw)
	}
	if n := shed.Shed(); n != 1 {
		t.Errorf("%d counted", n)
	}
	close(h.let)
	for range 2 {
		if done := <-answers; done.status != http.StatusNoContent {
			t.Errorf("was waiting: %d %s", done.status, done.raw)
		}
	}
}

// I13: who sends a body byte by byte holds a connection, and nobody's place.
func TestI13_aSlowBodyHoldsNoPlace(t *testing.T) {
	t.Parallel()
	h := newHolding()
	close(h.let)
	e := serve(t, []httpapi.Route{h.route("/next", false)}, func(c *httpapi.Config) { c.Admission = httpapi.NewAdmission(1) })
	slow := make([]net.Conn, 0, 8)
	for range 8 {
		conn := e.dial()
		write(t, conn, "POST /next HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n")
		if status := statusOf(t, conn); status != http.StatusContinue { // its body is being read
			t.Fatalf("at the beginning: %d", status)
		}
		write(t, conn, "{")
		slow = append(slow, conn)
	}
	if honest := e.send(http.MethodPost, "/next", "{}"); honest.status != http.StatusNoContent {
		t.Errorf("behind slow ones: %d %s", honest.status, honest.raw)
	}
	for _, conn := range slow {
		write(t, conn, `"a":"bcdef"}`[1:])
		if status := statusOf(t, conn); status != http.StatusNoContent {
			t.Errorf("in the end: %d", status)
		}
	}
}

// I13: of too many connections the one that was of no use for longest goes, never one
// whose request is being worked on.
func TestI13_aFloodOfConnectionsClosesTheUselessOnes(t *testing.T) {
	t.Parallel()
	h := newHolding()
	lines := httpapi.NewConnections(4)
	e := serve(t, []httpapi.Route{h.route("/next", false)}, func(c *httpapi.Config) { c.Connections = lines })
	busy := e.dial()
	write(t, busy, "POST /next HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	<-h.inside
	var flood []net.Conn
	for range 12 {
		conn := e.dial()
		write(t, conn, "GET /health/live HT") // and no more of it
		flood = append(flood, conn)
	}
	for _, conn := range flood[:9] { // three places are left beside the busy one
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("%d bytes to who has sent half a line", n)
		}
	}
	if n := lines.Evicted(); n != 9 {
		t.Errorf("%d closed", n)
	}
	if well := e.send(http.MethodGet, "/health/live", ""); well.status != http.StatusOK {
		t.Errorf("in the flood: %d", well.status)
	}
	close(h.let)
	if status := statusOf(t, busy); status != http.StatusNoContent {
		t.Errorf("the busy one: %d", status)
	}
}

// I13: a request whose body is still awaited is not worked on, also where no place is
// needed: else forms that never end would hold all connections, and nobody else get one.
func TestI13_aFloodOfFormsWithoutEndKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	form := httpapi.Route{Method: http.MethodPost, Paths: []string{"/form"}, Always: true, Handle: func(c echo.Context) error {
		_, err := io.Copy(io.Discard, c.Request().Body)
		return errors.Join(err, c.NoContent(http.StatusNoContent))
	}}
	e := serve(t, []httpapi.Route{form}, func(c *httpapi.Config) { c.Connections = httpapi.NewConnections(4) })
	for range 12 {
		write(t, e.dial(), "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\ntoken")
	}
	for range 12 {
		conn := e.dial()
		write(t, conn, "POST /form HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\ntoken")
		if status := statusOf(t, conn); status != http.StatusNoContent {
			t.Fatalf("beside forms without end: %d", status)
		}
	}
}

// I13: a page is more than the system keeps for later, so that how long it takes to be
// answered is up to who reads it. The attack is to ask for it and read nothing: then all
// connections would be held by requests that are worked on, and the next probe be the one
// that is closed.
func TestI13_pagesThatNobodyReadsKeepNobodyOut(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 12)
	page := httpapi.Route{Method: http.MethodGet, Paths: []string{"/page"}, Page: true, Handle: func(c echo.Context) error {
		asked <- struct{}{}
		return c.Blob(http.StatusOK, "text/javascript", make([]byte, 64<<20))
	}}
	e := serve(t, []httpapi.Route{page}, func(c *httpapi.Config) { c.Connections = httpapi.NewConnections(4) })
	for range 12 {
		write(t, e.dial(), "GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
		select {
		case <-asked:
		case <-time.After(e.patience()):
			t.Fatal("the next one is not listened to")
		}
	}
	for range 3 {
		if well := e.send(http.MethodGet, "/health/live", ""); well.status != http.StatusOK {
			t.Fatalf("beside pages that nobody reads: %d", well.status)
		}
	}
}

// patience is long for an answer and short of what net/http would wait for a body.
func (e *edge) patience() time.Duration {
	return httpapi.Server("", nil, httpapi.NewConnections(1), slog.New(slog.DiscardHandler)).ReadTimeout / 2
}

func (e *edge) dial() net.Conn {
	e.t.Helper()
	conn, err := new(net.Dialer).DialContext(e.t.Context(), "tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func write(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Error(err)
	}
}

func statusOf(t *testing.T, conn net.Conn) int {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

// I13: the attack: a body that is announced as longer than any endpoint takes, sent as
// far as is read, and not ended. net/http would wait for the rest before it sends a long
// answer, in the place of somebody else.
func TestI13_aBodyWithoutEndHoldsNoPlace(t *testing.T) {
	t.Parallel()
	long := httpapi.Route{Method: http.MethodPost, Paths: []string{"/long"}, Handle: func(c echo.Context) error {
		return c.String(http.StatusOK, strings.Repeat("long ", 8<<10))
	}}
	e := serve(t, []httpapi.Route{long}, func(c *httpapi.Config) { c.Admission = httpapi.NewAdmission(1) })
	begun, conn := time.Now(), e.dial()
	write(t, conn, "POST /long HTTP/1.1\r\nHost: x\r\nContent-Length: 20000\r\n\r\n"+strings.Repeat("x", 8<<10+1))
	if status := statusOf(t, conn); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if took := time.Since(begun); took > e.patience() {
		t.Errorf("the place was held for %v", took)
	}
}

// I13: also what asks whether the process is well is not cut off in a flood: else a load
// balancer takes a good replica out, for the attacker.
func TestI13_aProbeIsNotCutOffInAFlood(t *testing.T) {
	t.Parallel()
	h := newHolding()
	probe := h.route("/probe", false)
	probe.Always = true
	e := serve(t, []httpapi.Route{probe}, func(c *httpapi.Config) { c.Connections = httpapi.NewConnections(4) })
	asking := e.dial()
	write(t, asking, "POST /probe HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	<-h.inside
	for range 12 {
		e.dial()
	}
	if well := e.send(http.MethodGet, "/health/live", ""); well.status != http.StatusOK { // all twelve were taken before
		t.Errorf("%d", well.status)
	}
	close(h.let)
	if status := statusOf(t, asking); status != http.StatusNoContent {
		t.Errorf("the probe: %d", status)
	}
}
