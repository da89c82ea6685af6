package tracing

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// w3c reads and writes traceparent.
var w3c propagation.TraceContext

// Request is a request that begins. Route is its pattern, Method one of those that there are.
type Request struct {
	Half, Method, Route, Stage, RequestID string
	// Traceparent is what came with it. ByPeer: from the other half, whose trace this is.
	Traceparent string
	ByPeer      bool
}

// Answer is what became of it. Code is the problem's, "" for none, HandoffID "" where it is
// not known.
type Answer struct {
	Status          int
	Code, HandoffID string
}

// Begin begins the span of a request; the function ends it.
func (t *Tracer) Begin(ctx context.Context, r Request) (context.Context, func(Answer)) {
	if t == nil {
		return ctx, func(Answer) {}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("handoff.half", r.Half), attribute.String("http.request.method", r.Method),
		attribute.String("http.route", r.Route), attribute.String("request_id", r.RequestID),
	)}
	sent := sentContext(r.Traceparent)
	switch {
	case sent.IsValid() && r.ByPeer:
		ctx = trace.ContextWithRemoteSpanContext(ctx, sent)
	case sent.IsValid():
		options = append(options, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: sent}))
	}
	ctx, span := t.tracer.Start(ctx, r.Method+" "+r.Route, options...) //nolint:spancheck // ended by the function
	if r.Stage != "" {
		span.SetAttributes(attribute.String("handoff.stage", r.Stage))
	}
	return ctx, func(a Answer) {
		span.SetAttributes(attribute.Int("http.response.status_code", a.Status))
		if a.Code != "" {
			span.SetAttributes(attribute.String("handoff.code", a.Code))
		}
		if a.HandoffID != "" {
			span.SetAttributes(attribute.String("handoff_id", a.HandoffID))
		}
		if a.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// sentContext is what a traceparent says, without the tracestate that may come with it.
func sentContext(traceparent string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	carrier := propagation.MapCarrier{"traceparent": traceparent}
	return trace.SpanContextFromContext(w3c.Extract(context.Background(), carrier))
}

// Call begins the span of a question to a dependency, within that of a request; where there
// is none nobody wants to know. command is one of few words, or a path of ours. The function
// ends it.
func (t *Tracer) Call(ctx context.Context, dependency, command string) (context.Context, func(error)) {
	if t == nil || !trace.SpanContextFromContext(ctx).IsValid() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, dependency+" "+command, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes( //nolint:spancheck // ended by the function
		attribute.String("handoff.dependency", dependency), attribute.String("handoff.command", command),
	))
	return ctx, func(err error) { end(span, err) }
}

// end says how it went, and nothing of what an error's text may quote.
func end(span trace.Span, err error) {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		span.SetAttributes(attribute.String("error.type", "timeout"))
		span.SetStatus(codes.Error, "")
	case err != nil:
		span.SetAttributes(attribute.String("error.type", "failed"))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Work is what a half does by itself, behind requests. Name is one of few words, HandoffID ""
// where it is of none, or of several.
type Work struct{ Half, Name, HandoffID string }

// Work begins the span of w, and with it a trace; the function ends it.
func (t *Tracer) Work(ctx context.Context, w Work) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, w.Name, trace.WithNewRoot(), trace.WithAttributes(attribute.String("handoff.half", w.Half))) //nolint:spancheck // ended by the function
	if w.HandoffID != "" {
		span.SetAttributes(attribute.String("handoff_id", w.HandoffID))
	}
	return ctx, func(err error) { end(span, err) }
}

// Inject writes the trace of ctx into the headers of a message to the other half.
func (t *Tracer) Inject(ctx context.Context, header http.Header) {
	if t != nil {
		w3c.Inject(ctx, propagation.HeaderCarrier(header))
	}
}
