// Package tracing tells a collector how long the parts of a request took: OpenTelemetry
// spans over OTLP and HTTP, with W3C trace context between the halves. It is off unless an
// endpoint is configured; a nil [*Tracer] traces nothing, at no cost.
//
// # What a span holds
//
// A span leaves the house, and is kept where others read. So its attributes are few and of
// closed sets (invariant I6): half, method, route pattern, status, code, stage, dependency
// and command. Only the ids of the hand-off and of the request are not, which are in every
// log line, too. No address, user agent, query, statement, argument, key or error text: that
// is why the usual instrumentations of net/http, pgx and go-redis are not here, which record
// these unless they are told, one by one, not to.
//
// # Whom it believes
//
// Whoever asks may send a traceparent. A stranger's would choose our trace ids, mix
// their spans with other people's, and have everything recorded at our cost. So a request
// begins a trace of our own, sampled as we choose, with a link to what was sent, where it can
// be looked for. Only the other half, which shows the service token, goes on with its trace
// here. tracestate and baggage are not read.
//
// # Limits
//
// What comes of a request later, as the news of an end to the other half, is a trace of its
// own: it may be of several requests, and hours after them. The hand-off's id finds both,
// where it is of one.
//
// Ended spans wait in a queue of 2048; for one more nobody waits, it is dropped. A collector
// that is away or slow is waited for behind requests only, and when the process leaves for
// two seconds.
package tracing
