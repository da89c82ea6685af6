// Package bench measures what the service costs beside the stores that it cannot do
// without. It is `make bench`, and no part of what is shipped.
//
// # What is compared
//
// Each operation is done by two programs in turns, A/B/A/B, over the same tables and the
// same Redis: by the service as it is shipped, and by a floor, a bare echo handler that
// does only the Redis commands and Postgres statements (one for each step, prepared) and
// the signatures that the operation is made of. The floor has no rate limit, no CSRF
// value, no log, no metrics, no sealing, no check beyond what its statement says. It is
// what somebody would write in an afternoon, and what the service's figures are ratios of.
//
// Both get the same bytes as requests, from one load generator in a third process: closed
// loops over keep-alive connections of loopback. Each request is a good one, with a token
// or a session of its own that was made just before. Whatever is answered otherwise than
// with 200 is counted and makes the run fail.
//
// # What is measured
//
// Throughput, exact percentiles of the time from the first byte sent to the last one read,
// and for each request the allocations of the program and the processor time of the
// program, of Postgres (the postmaster and all below it) and of Redis. On a machine that
// others use, the processor time is the steadier figure. A round is a turn of each; what
// is printed are medians over the rounds, and ratios are medians of the rounds' ratios.
package bench
