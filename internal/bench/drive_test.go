package bench

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

func (r *rig) carriedBytes(t *testing.T, text string) int64 {
	t.Helper()
	tok, err := token.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	size, err := r.world.redis.StrLen(t.Context(), carriedUnder(tok.Digest())).Result()
	if err != nil || size == 0 {
		t.Fatalf("nothing is carried: %v", err)
	}
	return size
}

func TestTheWireReadsWhatServersSay(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 5000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/chunks":
			_, _ = io.WriteString(w, long) // longer than what is kept to find its length
		default:
			http.Error(w, "who?", http.StatusNotFound)
		}
	}))
	defer server.Close()
	w, err := dial(t.Context(), server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for range 2 { // one connection for all
		for path, want := range map[string]struct {
			status int
			body   string
		}{"/none": {204, ""}, "/chunks": {200, long}, "/else": {404, "who?\n"}} {
			status, body, err := w.do([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"))
			if err != nil || status != want.status || string(body) != want.body {
				t.Errorf("%s: %d, %d bytes, %v", path, status, len(body), err)
			}
		}
	}
}

func TestPercentilesAreExact(t *testing.T) {
	t.Parallel()
	var d driven
	for i := range 200 {
		d.took = append(d.took, time.Duration(i+1))
	}
	if p50, p99, all := d.percentile(50), d.percentile(99), d.percentile(100); p50 != 100 || p99 != 198 || all != 200 {
		t.Errorf("of 1 to 200: %d, %d, %d", p50, p99, all)
	}
	if (driven{}).percentile(99) != 0 {
		t.Error("a percentile of nothing")
	}
}

// The ratio is that of turns beside each other: a round in which the machine was slow for
// both says the same as any other.
func TestRatiosAreMediansOfRounds(t *testing.T) {
	t.Parallel()
	turns := func(rates ...float64) (some []Turn) {
		for _, rate := range rates {
			some = append(some, Turn{Rate: rate})
		}
		return some
	}
	got := ratio(turns(200, 20, 300), turns(100, 10, 50), func(t Turn) float64 { return t.Rate })
	if got != 2 {
		t.Errorf("of 2, 2 and 6 the median is %v", got)
	}
}

// Whatever is not answered with 200 makes the run fail, and is said.
func TestAFailedRequestIsNoFigure(t *testing.T) {
	r := newTestRig(t)
	mint := operations[0]
	w := r.world
	for i := range w.people {
		w.people[i].csrf = "forged"
	}
	_, turn := r.measured(t, turnOf{mint, ours, 2, 10, time.Minute, 1})
	turn.Round = 1
	if turn.Answers != 0 || turn.Failed != 10 || !strings.Contains(turn.Complaint, "csrf_failed") {
		t.Errorf("%d good, %d failed: %s", turn.Answers, turn.Failed, turn.Complaint)
	}
	if n := testkit.Count(t, w.dao, `SELECT count(*) FROM handoffs WHERE redeemed_at IS NULL`); n != 0 {
		t.Errorf("%d tokens were minted", n)
	}
	var out bytes.Buffer
	err := Options{Out: &out}.tell(description{}, []Turn{turn})
	if !errors.Is(err, ErrFailed) || !strings.Contains(out.String(), "10 requests of mint") {
		t.Errorf("%v, and the report says:\n%s", err, out.String())
	}
}
