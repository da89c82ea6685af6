// Package app is the composition root: it builds the halves that the
// configuration names from their packages, serves them, and takes them down in
// order. It is the one place where everything meets, used by cmd/server, by the
// demonstration (cmd/demo) and by the tests, which therefore test what is
// shipped.
//
// # Leaving
//
// When its context ends, [App.Run] first makes readiness answer 503, waits for
// the load balancers to notice, then closes the listeners, lets requests in
// flight finish within a deadline, waits for what runs behind answers, and closes
// the stores last.
//
// Nothing here decides anything about tokens, people or sessions.
package app
