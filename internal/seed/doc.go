// Package seed creates or updates accounts by direct SQL, for operators and for
// the demonstration: members of the DAO half, and the three regression accounts
// of the FOS half.
//
// Seeding is idempotent: an account is found by its email and brought to the
// wanted state, its id stays. Account and audit row are committed together.
// Nothing is written to a database whose name is not the one that the operator
// expects: the attack is a mistake, the right command at the wrong URL.
//
// The package never reads a password from anywhere, and never prints one.
package seed
