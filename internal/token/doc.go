// Package token is what a hand-off token is: how it is made, read, sealed, and
// how it ends.
//
// A token is 32 random bytes that carry one hand-off through a browser, for 60
// seconds and one use. Whoever holds it is taken for the member who asked for
// it, so its text is unprintable ([Token]) and only its digest ([Digest]) is ever
// stored or logged.
//
// # Two places, two jobs
//
// The ledger ([Entry], a row in Postgres) decides whether a token is still good.
// Redis ([Carrier]) carries what the token stands for ([Claims]) and forgets it in
// time. The order at exchange is therefore: read from Redis, redeem in the
// ledger, answer, then let Redis forget. With a consuming read first (GETDEL), a
// consumed token came back after a failover to a lagging replica, and every
// hiccup of Postgres burnt one.
//
// What Redis holds is sealed ([Sealer]) under a key derived from a server key and
// the token: who reads Redis learns nothing, who writes Redis forges nothing.
//
// # States
//
//	minted → exchanged            (once; the same attempt may repeat for 10 s)
//	minted → burnt                (shown for the wrong target)
//	minted → expired              (60 s after the mint, by the stored time)
//	minted → dead                 (its session ended or its member was deactivated)
//
// [Judge] is this table. The package never decides who a person is, never opens
// a session and never sees a request.
package token
