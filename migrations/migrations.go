// Package migrations carries the SQL that makes the two databases, one folder
// for each half: dao/ (members, their sessions, the ledger of hand-offs) and
// fos/ (users, their links, their sessions). The halves share no table; both
// have an audit_log of the same shape.
//
// Files are goose migrations, applied in the order of their numbers, each with
// its way back. A migration that has been released is never edited: a new one
// follows it. Code that runs during a rolling upgrade meets both shapes, so a
// column is added in one release and demanded in a later one.
package migrations

import "embed"

// DAO holds the migrations of the DAO half's database, below "dao".
//
//go:embed dao/*.sql
var DAO embed.FS

// FOS holds the migrations of the FOS half's database, below "fos".
//
//go:embed fos/*.sql
var FOS embed.FS
