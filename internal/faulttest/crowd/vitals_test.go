//go:build faults

package crowd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// vitals are what a server holds at a moment.
type vitals struct{ files, goroutines int }

func (v vitals) String() string {
	return fmt.Sprintf("%d open files, %d goroutines", v.files, v.goroutines)
}

// patient is a server that is watched.
type patient struct {
	*faulttest.Server
	metrics string
}

// watched is a server whose metrics can be asked for.
func watched(t testing.TB, stores *faulttest.Stores, env map[string]string) *patient {
	t.Helper()
	environ := stores.Environ()
	environ["METRICS_ENABLED"], environ["METRICS_ADDR"] = "true", "127.0.0.1:0"
	p := &patient{Server: faulttest.Serve(t, environ, env)}
	until(t, 5*time.Second, "metrics", func() bool {
		p.metrics = listening(p.Log(), "metrics")
		return p.metrics != ""
	})
	return p
}

// listening is where a log says that something listens, "" if it does not.
func listening(log, what string) string {
	for line := range strings.Lines(log) {
		var said struct{ Msg, Half, Addr string }
		if json.Unmarshal([]byte(line), &said) == nil && said.Msg == "listening" && said.Half == what {
			return "http://" + said.Addr
		}
	}
	return ""
}

// vitals asks the kernel and the server itself.
func (p *patient) vitals(t testing.TB) vitals {
	t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.metrics+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true // or its connection would be counted
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	for lines := bufio.NewScanner(io.LimitReader(response.Body, 1<<20)); lines.Scan(); {
		if text, is := strings.CutPrefix(lines.Text(), "go_goroutines "); is {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return vitals{len(files), n}
		}
	}
	t.Fatal("the metrics do not say go_goroutines")
	return vitals{}
}

// wantRecovered demands that the server holds no more than before, but for what its
// pools keep, soon.
func (p *patient) wantRecovered(t testing.TB, before vitals) {
	t.Helper()
	const pools = 64
	var now vitals
	defer func() { t.Logf("before: %v; afterwards: %v", before, now) }()
	until(t, 10*time.Second, "what a flood took is given back", func() bool {
		now = p.vitals(t)
		return now.files <= before.files+pools && now.goroutines <= before.goroutines+pools
	})
}

// honest is an errand: one journey over connections of its own, as of somebody who
// has just come.
func (p *patient) honest(people []*traveller) errand {
	return func(ctx context.Context, due time.Time, to *tally) {
		alone := &road{dao: &lines{url: p.DAOURL, most: 1}, fos: &lines{url: p.FOSURL, most: 1}, people: people}
		alone.next.Store(due.UnixNano() & 0xffff)
		alone.handoff(ctx, due, to)
		alone.dao.close()
		alone.fos.close()
	}
}

// wantHonest demands that those who meant well were served, and soon. On a busy
// machine there may be a moment at which all places are taken; it must pass.
func wantHonest(t testing.TB, got *tally) {
	t.Helper()
	if len(got.faults) > 0 || got.unasked > 0 || len(got.shed)*4 > got.done() {
		t.Errorf("people who meant well were not served: %v", got)
	}
	for request, took := range got.good {
		if worst := took.at(1); worst > bearable {
			t.Errorf("%s took up to %v", request, worst)
		}
	}
}
