// Package audit says what happened, who did it and when, in a closed vocabulary.
//
// An audit row is written in the same statement or transaction as the change it
// records (invariant I4): a change without its row, or a row without its change,
// cannot be committed. Adapters of other packages therefore put [Insert.SQL]
// into their own statement; [Append] is for rows that go into a transaction or stand
// alone, and a [Log] has those that record a refusal, where nothing changes, share commits.
//
// # Limits
//
// A row has fixed fields. There is no free text, no map and no any, because
// every field that takes anything will one day hold a password. The origin is a
// pseudonym (package privacy); the request id leads to the log line.
//
// The package never updates or deletes a row (a trigger refuses both) and never
// stores a token, an address, a user agent or an email.
package audit
