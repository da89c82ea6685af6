package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// hangingCollector takes what it is sent, says so on asked, and never answers.
func hangingCollector(t testing.TB) (url string, asked <-chan struct{}) {
	t.Helper()
	hang, came := make(chan struct{}), make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	return server.URL, came
}

// Nobody waits for a collector that is away or hangs, while requests run or when the process
// leaves; and somebody is told that traces are missing. (How many spans may wait: package
// tracing.)
func TestACollectorThatHangsDelaysNobody(t *testing.T) {
	t.Parallel()
	hanging, asked := hangingCollector(t)
	s := testkit.Start(t, testkit.Options{})
	for name, endpoint := range map[string]string{"is away": "http://127.0.0.1:1", "hangs": hanging} {
		a, err := build(t, s, measuredWith(map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}))
		if err != nil {
			t.Fatal(err)
		}
		metricsURL := "http://" + a.Addr("metrics") + "/metrics"
		p, b := run(t, a), s.Browser(t)
		for range 10 {
			if answer := b.Get(p.dao + "/api/auth/session"); answer.Status != http.StatusOK {
				t.Fatalf("%s: %d %s", name, answer.Status, answer.Raw)
			}
		}
		if name == "hangs" {
			<-asked
		} else {
			eventually(t, func() string {
				if strings.Contains(b.Get(metricsURL).Raw, "handoff_trace_export_failures_total 0\n") {
					return "no failure is counted"
				}
				return ""
			})
			if lines := s.Log.Lines("the trace collector does not take spans"); len(lines) != 1 || strings.Contains(lines[0], "127.0.0.1") {
				t.Errorf("the log says %q", lines)
			}
		}
		p.leave() // within ten seconds
		if err := p.gone(t); err != nil {
			t.Error(name, err)
		}
	}
}
