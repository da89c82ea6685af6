// Package leaving is the end of a hand-off, told to the other half: who signs out on one
// site is signed out of what came of it on the other.
//
//	DAO.End      DAO: a member ends one of their own hand-offs
//	DAO.Ended    DAO: hears which hand-offs' sessions have ended on the FOS half
//	FOS.End      FOS: hears which hand-offs are over, and ends their sessions
//	Courier      both: tells the other half
//
// # The outbox
//
// Whatever ends a session or a membership, this service or another program by SQL, a
// trigger of the database puts its hand-offs into the table handoff_endings, in the same
// transaction. A [Courier] in every process takes rows from there, tells the other half,
// and deletes them when it has heard: nothing is lost in an outage of either, and all of
// it arrives within five seconds of its end. Rows may be told twice; telling is idempotent.
//
// Between the halves stands one seam, [Teller]: in process ([InProcess]) or over HTTP
// ([Peer]). What one half hears it does not tell back.
//
// A hand-off that was redeemed and opens no session, since nobody says yes or nobody is let
// in, has a row there for later: when it is due, and the FOS half still has no session of it,
// the DAO half is told too.
//
// # Overtaking
//
// The news can be quicker than the arrival, whose exchange was let through a moment
// before. So the FOS half keeps it (handoffs_ended), and the session's insert looks there,
// under a lock that both take.
//
// # Limits
//
// An end means: for this service and those who ask it. An access token that was issued
// before is a signature, and whoever checks nothing else accepts it until it expires.
// Sessions that expire by themselves end nothing on the other half.
package leaving
