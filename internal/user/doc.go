// Package user is who a person is on the FOS half, and how somebody who arrives
// by hand-off becomes one of its users.
//
// # The question
//
// An [Arrival] says who the DAO half holds the person to be: a subject, an email
// address, perhaps a principal of the Internet Computer. The FOS half may know
// that person by an earlier arrival, by the principal, by the address of an
// account they made here themselves, or not at all. [Decide] is section 5 of the
// protocol, row by row and free of I/O; [Resolve] feeds it under row locks and
// carries out what it says, in the caller's transaction.
//
//	link (dao, subject) exists      → that user                 entered
//	principal is linked             → that user                 linked
//	the email is somebody's, proven → that user                 linked
//	                                  unproven account: emptied  reclaimed
//	none of these                   → a new user                created
//
// # Why it is strict
//
// Every row after the first gives one account to whoever controls another. The
// known takeovers are named beside the rule that stops each: accounts made in
// advance under a stranger's address (Sudhodanan and Paverd, "Pre-hijacked
// Accounts", USENIX Security 2022), unproven addresses at the other side, Unicode
// folding of addresses (package privacy), and a founder's address turned into a
// founder's session.
//
// # Concurrency
//
// Users that an arrival could be are locked in the order of their ids; everybody
// who could give them another way in waits for that lock. Users that do not exist
// cannot be locked: there the unique constraints decide, and who loses gets
// [ErrRaced] and begins anew.
//
// # Never
//
// An arrival never changes the role of an existing user, nor the email or display
// name of a user whose account was proven. The package opens no session, writes
// no audit row, computes no hash (package password does) and never sees a request.
package user
