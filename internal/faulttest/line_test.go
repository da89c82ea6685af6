package faulttest_test

import (
	"bufio"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// echo answers every line with itself.
func echo(t *testing.T) (at string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewReader(conn); ; {
					said, err := lines.ReadString('\n')
					if err != nil {
						return
					}
					if _, err := conn.Write([]byte(said)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "tcp://" + listener.Addr().String()
}

// caller is one connection to an echo.
type caller struct {
	conn  net.Conn
	lines *bufio.Reader
}

func call(t *testing.T, through string) (*caller, error) {
	t.Helper()
	at, err := url.Parse(through)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", at.Host)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &caller{conn, bufio.NewReader(conn)}, nil
}

func mustCall(t *testing.T, through string) *caller {
	t.Helper()
	c, err := call(t, through)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// hear says word and returns what comes back within a time: "silence" when nothing
// does, "end" when the connection ends.
func (c *caller) hear(word string, within time.Duration) string {
	if _, err := c.conn.Write([]byte(word + "\n")); err != nil {
		return "end"
	}
	return c.listen(within)
}

func (c *caller) listen(within time.Duration) string {
	_ = c.conn.SetReadDeadline(time.Now().Add(within))
	said, err := c.lines.ReadString('\n')
	if slow, is := err.(net.Error); is && slow.Timeout() { //nolint:errorlint // as net gives it
		return "silence"
	}
	if err != nil {
		return "end"
	}
	return said[:len(said)-1]
}

func want(t *testing.T, what, got, wanted string) {
	t.Helper()
	if got != wanted {
		t.Errorf("%s: %q, want %q", what, got, wanted)
	}
}

const (
	soon   = 5 * time.Second       // for what must come
	enough = 50 * time.Millisecond // for what must not
)

func TestLine_cutHangsHalfOpenAndMends(t *testing.T) {
	t.Parallel()
	line, through := faulttest.LineTo(t, echo(t))
	first := mustCall(t, through)
	want(t, "a whole line", first.hear("one", soon), "one")

	line.Hang()
	want(t, "a line that hangs", first.hear("two", enough), "silence")
	late := mustCall(t, through)
	want(t, "a later connection", late.hear("three", enough), "silence")
	line.Mend(t)
	want(t, "what was said meanwhile", first.listen(soon), "two")
	want(t, "by the later connection", late.listen(soon), "three")

	if n := line.HalfOpen(); n != 2 {
		t.Errorf("%d connections went dead, of 2", n)
	}
	want(t, "a dead connection", first.hear("four", enough), "silence")
	want(t, "a new one", mustCall(t, through).hear("five", soon), "five")
	line.Mend(t)
	want(t, "a dead connection after the end", first.listen(soon), "end")

	second := mustCall(t, through)
	want(t, "before the cut", second.hear("six", soon), "six")
	line.Cut()
	want(t, "a line that was cut", second.hear("seven", soon), "end")
	if _, err := call(t, through); err == nil {
		t.Error("a cut line takes connections")
	}
	line.Mend(t)
	want(t, "a mended line", mustCall(t, through).hear("eight", soon), "eight")
}

func TestLine_delaysAndGarbles(t *testing.T) {
	t.Parallel()
	line, through := faulttest.LineTo(t, echo(t))
	c := mustCall(t, through)
	line.Delay(2 * enough)
	begun := time.Now()
	want(t, "a slow line", c.hear("one", soon), "one")
	if took := time.Since(begun); took < 2*enough {
		t.Errorf("it came after %v", took)
	}
	line.Mend(t)
	line.GarbageAnswers()
	want(t, "garbage", c.hear("two", enough), "silence") // not even an end of line
	line.Mend(t)
	want(t, "a mended line", mustCall(t, through).hear("three", soon), "three")
}

// Every message makes two moments: before it gets there, and before its answer gets
// back.
func TestLine_exactMoments(t *testing.T) {
	t.Parallel()
	to := echo(t)
	line, through := faulttest.LineTo(t, to)
	moments := faulttest.NewMoments()
	line.Watch("echo", moments)

	c := mustCall(t, through)
	want(t, "a word", c.hear("one", soon), "one")
	want(t, "a word", c.hear("two", soon), "two")
	if n := len(moments.All()); n != 4 {
		t.Errorf("%d moments: %v", n, moments.All())
	}

	for _, answered := range []bool{false, true} {
		ended := false
		come := moments.Await(faulttest.Moment{Line: "echo", N: 2, Answered: answered}, func() { ended = true })
		one, two := mustCall(t, through), mustCall(t, through)
		want(t, "the first", one.hear("one", soon), "one")
		want(t, "the second", two.hear("two", enough), "silence")
		select {
		case <-come:
		case <-time.After(soon):
			t.Fatal("the moment did not come")
		}
		if !ended {
			t.Error("nothing was done")
		}
		want(t, "the first goes on", one.hear("three", soon), "three")
		want(t, "the second does not", two.hear("four", enough), "silence")
	}
}
