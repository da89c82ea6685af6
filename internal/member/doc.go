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
// # Cross-site request forgery
//
// Another site can make a browser send this cookie, not read it. Unsafe requests
// therefore carry a value ([CSRF]) that only a page of ours could read, bound to
// the session so that a value planted from a sibling subdomain does not pass.
//
// The package never checks a password (package password does, through package
// signin), never mints a token, and knows nothing of the FOS half.
package member
