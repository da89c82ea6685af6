// Package privacy holds the values that must never be printed, and the one
// form in which a network address may be kept.
//
// # Unprintable values
//
// A [Secret] (a key, a bearer token, a password, a URL with a password in it)
// and an [Email] keep their text behind a pointer and answer every formatting,
// JSON, text and slog request with "[redacted]". The pointer matters: fmt
// reaches unexported fields of foreign structs by reflection, where no method
// can be called, and then prints an address instead of the value. Whoever needs
// the text asks for it by name ([Secret.Reveal], [Email.Reveal]), so that every
// place where a secret leaves its type can be found with one search.
//
// # Pseudonyms
//
// A client's address is useful to recognise a series of attempts and is personal
// data (GDPR recital 30). A [Pseudonymizer] turns it into an HMAC-SHA256 under a
// key that changes every UTC day and is derived from an operator's key that is
// not in the database. Within a day equal addresses have equal pseudonyms; days
// do not link without the operator's key; once that key is destroyed the
// pseudonyms can be neither linked nor reversed. A plain hash would not do: all
// of IPv4 is hashed in minutes.
//
// This package never logs, stores or sends anything, and it does not encrypt:
// it only keeps values from being shown by accident. It is no defence against
// code that wants to show them.
package privacy
