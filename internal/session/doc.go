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
// # Refreshing
//
// Every refresh makes the next generation current. The one before still leads to
// that same successor for [ConvergenceTime], and for as long as nothing of the
// successor was ever shown here; any older one is a copy that somebody kept, and
// ends the session ([RefreshOutcomeSQL], invariant I11). Rotating and ending take the
// same row's lock, so that no pair is signed for a session that ends meanwhile.
//
// # One hand-off, one session
//
// The hand-off's id is unique among sessions. Who inserts second is given the
// first one's session only when they show a mark that it has ([Arrival]), which means:
// the same browser, whose answer was lost ([Insert], invariants I1 and I8).
//
// # Limits
//
// An access token cannot be called back: an ended session is noticed where the row
// is read, else when the token expires. An access token that is shown to other
// services only is not seen here: then a copy of the refresh token before can
// converge for longer than [ConvergenceTime].
//
// # Assurance
//
// A session that came by hand-off never gains assurance by itself: "auth_time" and "amr"
// are those of the sign-in on the DAO half, and a founder or admin acts as member
// ([ActingRole], I10). They gain it by proving themselves here ([ElevateSQL]): the
// session, and in it the tokens made from then on ([Session.ProvedAt]).
//
// The package never decides who a person is, writes no audit row, sets no cookie
// and never sees a request.
package session
