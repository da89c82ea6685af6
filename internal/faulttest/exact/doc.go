// Package exact counts: a great many attempts at a great many tokens, from callers who
// come at once, by both halves and to two replicas, and what the databases hold
// afterwards against what every caller was told. It holds tests only; they run with the
// build tag "faults".
//
// Nothing breaks here. The other packages below faulttest break things and count
// thousands; this one shows what stands behind them, that without a fault one in a
// million is not lost either (I1, I4).
//
// All of it runs on one machine, servers, stores and callers, so that its figures of
// speed are no more than a lower bound.
package exact
