// Package member is the DAO half's session authority: who has an account, and
// which browser is signed in as whom.
//
// # Sessions
//
// A session is a row in Postgres and a cookie. The cookie holds 32 random bytes
// ([Cookie]), the row their SHA-256: a dump of the database signs nobody in. A
// session ends three ways: nobody used it for [IdleTTL], it is [AbsoluteTTL] old,
// or somebody ended it.
//
// # Refreshing
//
// A refresh gives the session another cookie and begins its idle time anew, also
// when that had run out. The cookie before stays good for [PreviousTTL] and leads to
// the same successor, so that tabs which refresh at the same moment do not sign each
// other out ([Rotation]). As long as it is good the session keeps its cookie: the
// tab that is a little later, with the new one, must not make the older one worthless
// to those whose requests are still on their way.
//
// # Cross-site request forgery
//
// Another site can make a browser send this cookie, not read it. Unsafe requests
// therefore carry a value ([CSRF]) that only a page of ours could read, bound to
// the session so that a value planted from a sibling subdomain does not pass.
//
// The package never computes a hash (package password does), never mints a token, and knows nothing of the FOS half.
package member
