// Package failover shows that a token gives one session at most while Redis is lost,
// promoted, paused and brought back from the past.
//
// A token that was used comes back to life in all these cases: the promoted replica
// never heard of its end, the paused primary wakes with it, the snapshot is older. The
// tests look into Redis to see that the sealed claims are there again, so that each
// cycle proves something, and present them again at both replicas of the service, with
// another key and with the same. The ledger refuses them (I1); a second answer under the
// same key is the same session (I8). Where the old primary wakes, a further replica of
// the service that never heard of the failover speaks to it, and is shown the tokens.
//
// What callers were told decides: how many attempts, by different keys, heard that they
// redeemed one token, and how many sessions. Each story names the refusals that may be
// heard in it.
//
// # What it never does
//
// It does not fail the databases over: package crash restarts them. It does not show
// that nothing is lost: tokens minted in the moment of a failover may go with the
// primary, and their owners click again.
package failover
