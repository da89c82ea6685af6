// Package crash ends processes and loses messages at exact moments, and takes the
// stores and the other half away, and asks what became of the tokens. It holds tests
// only; they run with the build tag "faults".
//
// # Exact moments
//
// Between the service and each of its stores, and between it and its callers, is a
// [faulttest.Line]. A dry run of one hand-off numbers every message on every line; each
// makes two moments: it has not been sent yet, and its answer has not come back. At
// each of them, in turn, the server gets SIGKILL. The line loses the message as well,
// since the kernel would still deliver what a killed process had written.
//
// The same is done with a person's sessions: sign-in by password, refreshes, sign-out.
// A replica is also stopped (SIGSTOP) with its statement on the way to Postgres, and
// woken when it is too late.
//
// # What is asked
//
// Afterwards the callers repeat, with their key or without, at a server that lives:
// with a key everybody must get their answer, and the same one; without, a caller may
// hear that the token is used although nobody told them that it was theirs: counted as
// unresolved. The [faulttest.History] of all calls must be one that a single,
// never-failing ledger could have produced, and [faulttest.Balance] compares the
// databases with what callers were told: what they heard is there, with its row in the
// audit log, and what is there they heard, unless an answer was lost.
//
// Time is asked for throughout: every answer within 3 s, what /health says within 1 s,
// and all well within 5 s of the return of what was away, hand-offs and readiness
// together. A busy machine is allowed 0.5 s more for an answer and 2 s for a recovery.
//
// # What it never shows
//
// A crash of the machine or of a disk: Postgres runs without fsync here. And nothing
// of TCP below the proxy: a packet is lost as the bytes of one write are lost.
package crash
