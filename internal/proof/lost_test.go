//go:build proof

package proof_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I11: a laptop asks for its refresh and falls asleep before the answer has come. An
// hour later it shows the same token again and is signed in, two hundred times. The
// connection is cut when the rotation is in the row or, every other time, as soon as
// the request is written, and then nobody can say whether it will be.
func TestProof_I11_ALaptopSleepsThroughALostAnswer(t *testing.T) {
	const laptops = 200
	half := startFOS(t)
	kept, rotated := 0, 0
	for i := range laptops {
		laptop, seen := half.signIn(t, person), i%2 == 0
		before := rotations(t, half)
		connection := ask(t, half.urls[rand.IntN(2)], laptop)
		if seen {
			awaitRotation(t, half, before)
		}
		hangUp(t, connection)
		half.Clock.Advance(time.Hour)
		wantRefreshed(t, half.refresh(t, rand.IntN(2), laptop))
		if half.look(t, rand.IntN(2), laptop) && half.generation(laptop) == "2" {
			kept++
		}
		if seen { // and from here on the session is like any other
			half.Clock.Advance(time.Hour)
			wantRefreshed(t, half.refresh(t, rand.IntN(2), laptop))
		}
		rotated += rotations(t, half) - before
	}
	lost := half.recorded(t, "converged_late")
	t.Logf("%d of %d stayed signed in; %d times the answer was lost, else the request was (%d came late and converged)",
		kept, laptops, lost, half.recorded(t, "converged"))
	if kept != laptops || rotated != laptops+laptops/2 || lost < laptops/2 {
		t.Errorf("%d of %d kept, %d rotations, %d convergences", kept, laptops, rotated, lost)
	}
}

// ask writes a refresh to a connection and reads nothing.
func ask(t testing.TB, fosURL string, j *jar) net.Conn {
	t.Helper()
	parsed, err := url.Parse(fosURL)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", parsed.Host)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(connection, "POST %srefresh HTTP/1.1\r\nHost: %s\r\nX-Requested-With: proof\r\nContent-Length: 0\r\nCookie: %s\r\n\r\n",
		fosAuth, parsed.Host, j.header())
	if err != nil {
		t.Fatal(err)
	}
	return connection
}

// hangUp resets the connection, as a network that is gone comes to.
func hangUp(t testing.TB, connection net.Conn) {
	t.Helper()
	if tcp, is := connection.(*net.TCPConn); is {
		if err := tcp.SetLinger(0); err != nil {
			t.Fatal(err)
		}
	}
	if err := connection.Close(); err != nil {
		t.Fatal(err)
	}
}

func rotations(t testing.TB, half fos) int {
	t.Helper()
	return testkit.Count(t, half.FOS, `SELECT coalesce(sum(generation - 1), 0)::int FROM sessions`)
}

// awaitRotation asks the table until one more rotation is in it.
func awaitRotation(t testing.TB, half fos, begin int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for rotations(t, half) == begin {
		if ctx.Err() != nil {
			t.Fatal("no rotation")
		}
	}
}
