package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func usualOperations(t *testing.T) []operation {
	t.Helper()
	chosen, err := choose(usual)
	if err != nil {
		t.Fatal(err)
	}
	return chosen
}

// Two processes over the same stores: every answer is good and has its row, and neither takes
// what the other has redeemed.
func TestI1_severalProcessesRedeemOnce(t *testing.T) {
	const n = 40
	r := newTestRigOf(t, service, service)
	var looked checks
	for _, op := range usualOperations(t) {
		turn, err := r.checkedTurn(t.Context(), turnOf{op, ours, 4, n, time.Minute, 2}, &looked)
		if err != nil || turn.Answers != n {
			t.Fatalf("%s: %d answers, %v", op.name, turn.Answers, err)
		}
	}
	if looked.rows != 3*n || looked.replays != 2*n {
		t.Errorf("%d rows and %d replays were looked at", looked.rows, looked.replays)
	}
	if n := testkit.Count(t, r.world.dao, `SELECT count(*) FROM audit_log WHERE event = 'handoff.replayed'`); n != looked.replays {
		t.Errorf("the service saw %d replays", n)
	}
}

// Nobody is answered before all have asked, so that each connection has one request.
func TestConnectionsAreDealtOutAmongProcesses(t *testing.T) {
	t.Parallel()
	var all []string
	var heard [3]atomic.Int64
	var asked sync.WaitGroup
	asked.Add(len(heard))
	for i := range heard {
		server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			heard[i].Add(1)
			asked.Done()
			asked.Wait()
		}))
		t.Cleanup(server.Close)
		all = append(all, server.Listener.Addr().String())
	}
	requests := slices.Repeat([][]byte{[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")}, len(heard))
	if d, err := drive(t.Context(), all, len(heard), requests, time.Minute); err != nil || len(d.took) != len(heard) {
		t.Fatalf("%d answers, %v", len(d.took), err)
	}
	for i := range heard {
		if n := heard[i].Load(); n != 1 {
			t.Errorf("process %d was asked %d times", i, n)
		}
	}
}

func TestI1_whatAnotherProcessTakesAgainIsFound(t *testing.T) {
	r := newTestRigOf(t, service)
	requests, err := prepareExchange(t.Context(), r.world, ours, 2) // which nobody has used
	if err != nil {
		t.Fatal(err)
	}
	if n, err := replay(t.Context(), addresses(r.children[service], "dao"), requests); n != 0 || !errors.Is(err, ErrFailed) {
		t.Errorf("%d refused, %v", n, err)
	}
}

func TestI4_anAnswerThatLeftOtherRowsIsFound(t *testing.T) {
	r := newTestRigOf(t, service)
	op := usualOperations(t)[0]
	prepare := op.prepare
	op.prepare = func(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
		testkit.Exec(t, w.dao, `INSERT INTO audit_log (at, event, outcome) VALUES (now(), 'handoff.minted', 'success')`)
		return prepare(ctx, w, by, n)
	}
	if _, err := r.checkedTurn(t.Context(), turnOf{op, ours, 2, 10, time.Minute, 1}, new(checks)); !errors.Is(err, ErrFailed) {
		t.Errorf("%v", err)
	}
}
