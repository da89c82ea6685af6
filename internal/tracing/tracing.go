package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Config is what a Tracer needs.
type Config struct {
	// Endpoint is the collector's base URL; spans go to /v1/traces below it.
	Endpoint string
	// Share of the traces that are recorded, 0 to 1.
	Share       float64
	Version     string
	Environment string
	Log         *slog.Logger
}

// Tracer makes spans and exports them. It is safe for concurrent use, and may be nil.
type Tracer struct {
	tracer   trace.Tracer
	provider *sdk.TracerProvider
	exporter *exporter
}

const (
	// mostWaiting bounds the spans that wait, mostAtOnce one message to the collector.
	mostWaiting, mostAtOnce = 2048, 512
	// exportEvery is when those that wait go, exportTime what a message may take.
	exportEvery, exportTime = 2 * time.Second, 5 * time.Second
	// closeTime is what a process that leaves waits for the last ones.
	closeTime = 2 * time.Second
)

// New makes a Tracer. It does not ask the collector, which may come later.
func New(ctx context.Context, config Config) (*Tracer, error) {
	client, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimSuffix(config.Endpoint, "/")+"/v1/traces"),
		otlptracehttp.WithTimeout(exportTime),
		// What was not taken is old news by the time that it would be sent again.
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}),
	)
	if err != nil {
		return nil, errors.New("tracing: the exporter cannot be made") // its text may quote a header
	}
	t := &Tracer{exporter: &exporter{SpanExporter: client, log: config.Log}}
	t.provider = sdk.NewTracerProvider(
		sdk.WithBatcher(t.exporter, sdk.WithMaxQueueSize(mostWaiting), sdk.WithMaxExportBatchSize(mostAtOnce),
			sdk.WithBatchTimeout(exportEvery), sdk.WithExportTimeout(exportTime)),
		sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(config.Share))),
		// Not the default resource: it has the host's name and the command line.
		sdk.WithResource(resource.NewSchemaless(
			attribute.String("service.name", "handoff"), attribute.String("service.version", config.Version),
			attribute.String("deployment.environment.name", config.Environment),
		)),
		sdk.WithoutPanicRecording(), // a panic's text may be anything
	)
	t.tracer = t.provider.Tracer("handoff")
	return t, nil
}

// Failures is how many messages the collector did not take.
func (t *Tracer) Failures() uint64 { return t.exporter.failures.Load() }

// Close exports what waits, for two seconds at most.
func (t *Tracer) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("tracing: close: %w", err)
	}
	return nil
}

// exporter says once that the collector does not take what it is sent, and once that it
// does again.
type exporter struct {
	sdk.SpanExporter

	log      *slog.Logger
	failing  atomic.Bool
	failures atomic.Uint64
}

// ExportSpans implements sdk.SpanExporter. Its error ends here: the SDK would write it to
// standard error, with whatever the collector has said.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	e.note(ctx, len(spans), e.SpanExporter.ExportSpans(ctx, spans) != nil)
	return nil
}

func (e *exporter) note(ctx context.Context, spans int, failed bool) {
	if failed {
		e.failures.Add(1)
	}
	switch {
	case failed && !e.failing.Swap(true):
		e.log.WarnContext(ctx, "the trace collector does not take spans; they are dropped", "spans", spans)
	case !failed && e.failing.Swap(false):
		e.log.InfoContext(ctx, "the trace collector takes spans again")
	}
}
