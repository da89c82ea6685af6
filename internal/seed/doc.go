// Package seed creates or updates accounts by direct SQL, for operators and for
// the demonstration: members of the DAO half, and the three regression accounts
// of the FOS half.
//
// Seeding is idempotent: an account is found by its email and brought to the
// wanted state, its id stays. Account and audit row are committed together.
// Nothing is written to a database whose name is not the one that the operator
// expects: the attack is a mistake, the right command at the wrong URL.
//
// Seeding with another password rotates it: the old one signs nobody in any more. It
// ends no session, since the accounts of the regression tests are seeded anew while
// tests are signed in to them. After a leak a stranger may still be: on the FOS half,
// sign in with the new password and POST /api/v1/auth/logout-all; on the DAO half,
//
//	UPDATE sessions SET ended_at = now(), ended_as = 'logout' WHERE member_id = '…' AND ended_at IS NULL;
//
// The package never reads a password from anywhere, and never prints one.
package seed
