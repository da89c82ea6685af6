// Package password hashes and verifies passwords for the accounts of both
// halves, and for any program that writes such an account by SQL (a seeder).
//
// # What is stored
//
// [Hash] makes an Argon2id string in PHC form with the numbers of the platform's
// Python side (passlib, memory_cost=65536, time_cost=3, parallelism=4), which
// are the second recommended option of RFC 9106, section 4:
//
//	$argon2id$v=19$m=65536,t=3,p=4$<16-byte salt>$<32-byte digest>
//
// Salt and digest are standard base64 without padding. Whoever writes a hash
// with other numbers into users.password_hash writes one that has to be replaced
// at the next login, so a seeder calls Hash and chooses nothing.
//
// [Verify] reads that, Argon2id strings with other numbers, and the bcrypt hashes
// ($2a$, $2b$, $2y$) that the platform held before. When a right password was
// checked against an older hash, the [Result] carries its replacement.
//
// # Bounds
//
// A stored hash says how much work its verification takes, so a damaged or
// planted one could take the process down. Decoding is strict (one spelling per
// Argon2id hash) and bounded: at most 1 GiB, 16 passes, 255 lanes, bcrypt cost 14
// (1.3 s where this was measured). Past that the answer is [ErrTooCostly], and
// anything that is not exactly a known form is [ErrMalformed]. No input panics.
//
// One Argon2id computation holds 64 MiB, so a hundred people who sign in at once
// are 6.4 GiB. A server uses a [Hasher], which lets a fixed number compute and a
// fixed number wait, and answers [ErrBusy] to the rest; it verifies as many a second
// as the bare computation would (BenchmarkVerifyAgainstTheBareHash). The package-level
// functions have no such bound: they are for programs that hash one password at a time.
//
// # Time tells nothing about the account
//
// The attack: a stranger sends any password to many addresses and sorts the
// addresses by the time of the answer (OWASP ASVS 5.0, 6.3.8). So that they learn
// neither which accounts exist nor how old they are, every verification does the
// same work, and the tests count that work:
//
//   - an account that is unknown or has no password: [VerifyNothing];
//   - a current hash: its own Argon2id computation;
//   - an older and cheaper Argon2id hash: its own, and what is missing to one
//     with current numbers;
//   - a bcrypt hash: its own, and one Argon2id computation, which makes the
//     replacement, so that the login that replaces a hash takes no longer than
//     one that fails;
//   - a hash that cannot be read: as for an unknown account, then the error.
//
// That leaves the bcrypt computation, which only bcrypt accounts do. While the
// table holds such hashes, [Hasher.WithLegacyBcrypt] is told their highest cost and
// every verification does one of that cost too. What remains visible: a stored
// hash that costs more than the current numbers, or a bcrypt cost above that one,
// until its owner signs in once. The owner of an older Argon2id hash waits longer,
// once, at the login that replaces it. Passwords that are too long are turned away
// before any work, whatever the account.
//
// # Which passwords are the same
//
// The bytes are taken as they come: no trimming, no case folding, no Unicode
// normalisation (ASVS 5.0, 6.2.8; passlib does none either, and a hash made over
// other bytes would not verify there). The empty password is a password: passlib
// hashes it, so it verifies here. Whether people may choose it, or a short one, is
// the caller's policy, not this package's.
//
// A password has at most [MaxLength] characters, counted as passlib counts.
//
// bcrypt reads 72 bytes and the platform's bcrypt drops the rest silently, so a
// bcrypt hash matches every password with the same first 72 bytes, here as there;
// the replacement is made of the whole password as typed. A bcrypt library repeats
// its input behind a NUL, so that "a" and "a\x00a" have one hash, or stops at it,
// depending on who wrote it. passlib refuses a NUL, and here a password with a NUL
// never matches a bcrypt hash.
//
// # What it never does
//
// It does not log, store, or quote a password or a hash in an error. It does not
// limit tries, rule on strength, or know accounts. It cannot wipe a password from
// memory (Go strings are immutable and may be copied by the collector), and it
// cannot interrupt a computation: a caller who leaves is only noticed while waiting.
package password
