// Package peer is how one half speaks to the other where that is elsewhere: a post of JSON
// under the service token, over HTTP.
//
// The bearer opens every hand-off that its finder holds, so a message goes to the
// configured address and nowhere else: not through a proxy of the environment, not after a
// redirect. What comes back is not believed and not quoted: it is bounded, and whatever
// sits in the peer's place may send our own words back, token and bearer among them (I6).
//
// The package knows no message and no answer by its meaning, keeps no time (its callers'
// contexts do), and never repeats a post: who may is decided by what it asked for.
package peer
