package tracing_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/tracing"
)

// The queue holds 2048 spans and a message 512. Of a collector that hangs a message is freed
// after 5 s, so that whoever waited for a place would be here for minutes; and to send what
// waits would keep a process that leaves for 20 s.
func TestAFullQueueDelaysNobody(t *testing.T) {
	t.Parallel()
	const spans, patience = 20_000, 15 * time.Second
	hang := make(chan struct{})
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	t.Cleanup(collector.Close)
	t.Cleanup(func() { close(hang) })
	tracer, err := tracing.New(t.Context(), tracing.Config{Endpoint: collector.URL, Share: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	within(t, patience, "spans end", func() {
		for range spans {
			ctx, answered := tracer.Begin(t.Context(), tracing.Request{Half: "dao", Method: http.MethodGet, Route: "/health"})
			_, end := tracer.Call(ctx, "postgres", "query")
			end(nil)
			answered(tracing.Answer{Status: http.StatusOK})
		}
	})
	within(t, patience, "the process leaves", func() {
		if err := tracer.Close(); err != nil {
			t.Error(err)
		}
	})
}

func within(t *testing.T, patience time.Duration, what string, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s: somebody waits for the collector", what)
	}
}
