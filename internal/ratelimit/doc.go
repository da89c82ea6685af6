// Package ratelimit says who may try how often: so many tries a minute for each
// subject of a [Limit], counted in Redis, or in a row of Postgres that the request's
// statement locks anyway ([Rows]), so that all replicas share one count.
//
// # GCRA
//
// A [Limit] of n a minute lets n tries through at once, and then one more every
// minute/n. That is the Generic Cell Rate Algorithm (ITU-T I.371, annex A), a
// leaky bucket that is stored as one number: the time at which the budget will be
// full again. A try moves that time forward by minute/n; it is refused when the
// time would lie more than a minute ahead. Hence
//
//   - no window has an edge at which twice the number passes;
//   - a refused try counts nothing: whoever keeps knocking does not wait longer,
//     and nobody is blocked for more than a minute after the last try that counted;
//   - Retry-After is known exactly, not guessed.
//
// The script is that of go-redis/redis_rate. It reads the clock of Redis, so that
// replicas need not agree on the time. In a row the rule stands in SQL ([FullAtSQL]) and
// goes by the time that the statement is given, like all else that it decides: replicas
// whose clocks differ by a second differ by a second in when they let somebody in.
//
// # When Redis is slow or down
//
// A limit says itself what happens then ([Choice]), after at most
// [Config.Timeout] for the whole question. [Numbers.Limits] lists every limit of
// this service with its choice and the reason. The beginning of an outage is
// logged and its end, not each request of it; [Limiter.Passed] counts the tries
// that nobody counted.
//
// # Keys
//
// A key is "dao:rate:login-failed:" and 32 hexadecimal characters: the prefix by
// which operators let a half into Redis, the name of the limit, and a keyed digest
// of the subject (HMAC-SHA256, cut to 128 bits). No key holds an email, an address
// or a session id, and without the HMAC key a guess at one cannot be tested
// against it (invariants I5, I6). Every key has a TTL of at most a minute. A script
// touches one key, as Redis Cluster demands.
//
// # Logins
//
// [Login] is the rule of both halves for passwords (ASVS 5.0, 6.3.1). A try takes
// from the budget of its address, then from that of the failed tries of this
// account and this address, then from the account's. The order is the defence:
// whoever is stopped by a budget of their own cannot take from one that belongs to
// another. A budget for failures is taken from before the password is looked at
// and emptied when it was right; counting afterwards would let fifty tries at once
// pass a budget of five.
//
// The account's budget, alone, would be a weapon: twenty wrong passwords a minute
// keep its owner out. A browser that has signed in before ([Devices]) therefore
// has a budget of its own (OWASP, "Slow Down Online Guessing Attacks with Device
// Cookies").
//
// # Limits
//
// A person on a new browser competes for the account's budget with whoever attacks
// it. A person who shares an address with an attacker shares its budgets: a good
// login empties the count of failures of that account there. An address is a
// pseudonym that changes at midnight UTC, when budgets begin anew. Tries without a
// known address share one budget: passing them all would be a way around it. A try
// that one budget refuses has been counted by those before it. What Redis forgets
// (a restart, a failover to a replica that lags) is a fresh budget.
//
// What [Rows] remembers is one replica's, and lost with it: then a statement says it again.
//
// The package never decides whether a password is right or an account exists,
// never asks a store other than Redis itself, never repeats a command, and never logs or
// returns a subject.
package ratelimit
