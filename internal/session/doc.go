// Package session is a user's stay on the FOS half: the row that decides whether
// it lasts, and the pair of tokens that a browser shows for it.
//
// # Row and pair
//
// A [Session] is a row in Postgres: whose it is, how and when the person proved
// who they are, which refresh token is current (its generation), when it ends at
// the latest. A [Pair] is two JWTs (RFC 7519, RFC 7515) that a [Signer] makes from
// it, signed with HMAC-SHA256:
//
//	access   says who and in which role, for minutes; verified without a store
//	refresh  says which generation, until the session's end; good for nothing but
//	         being exchanged for the next pair
//
// Neither passes for the other: their "type" and "aud" differ and both are checked.
// The pair is made after the row is committed and is stored nowhere.
//
// # States
//
//	live → ended    (signed out, revoked, reclaimed: ended_at, ended_as)
//	live → expired  (expires_at, absolute: refreshing does not move it)
//
// # One hand-off, one session
//
// The hand-off's id is unique among sessions. Who inserts second is given the
// first one's session only when they show the same arrival key, which means: the
// same browser, whose answer was lost ([Insert], invariants I1 and I8).
//
// # Limits
//
// An access token cannot be called back: an ended session is noticed where the row
// is read, else when the token expires. A session that came by hand-off never
// gains assurance: "auth_time" and "amr" are those of the sign-in on the DAO half,
// and a founder or admin acts as member ([ActingRole], I10).
//
// The package never decides who a person is, writes no audit row, sets no cookie
// and never sees a request.
package session
