package password

import "unicode/utf8"

// MaxLength is the largest number of characters (Unicode code points) that a
// password may have. It is passlib's own limit, counted the same way, so that
// neither side makes a hash that the other will not verify.
const MaxLength = 4096

// Result is the outcome of a verification.
type Result struct {
	// Match says that the password is the one that was hashed.
	Match bool
	// NeedsRehash says that the stored hash should be replaced: it is bcrypt, or
	// Argon2id with other numbers than Hash uses, or with a salt or digest under
	// 16 bytes (128 bits, RFC 9106, section 4). Only ever true together with Match.
	//
	// A 16-byte digest is no reason. passlib on argon2-cffi before 21.2 makes such
	// digests and replaces those of any other length: two servers on one table would
	// rewrite each other's hashes at every login.
	NeedsRehash bool

	// Behind a pointer, because fmt prints unexported strings too and results
	// get logged.
	replacement *string
}

// Replacement is a new hash of the password that was just verified, to be stored
// in place of the old one; empty unless NeedsRehash. Store it with the old hash in
// the WHERE clause, or a password that is changed at the same moment is undone.
func (r Result) Replacement() string {
	if r.replacement == nil {
		return ""
	}
	return *r.replacement
}

// Hash makes an Argon2id PHC string of the password with a new random salt. It
// takes 64 MiB and about 0.2 s. The error is ErrTooLong or nil; the empty password
// is hashed like any other.
func Hash(plain string) (string, error) {
	if tooLong(plain) {
		return "", ErrTooLong
	}
	return newEngine().hash(plain), nil
}

// Verify says whether plain is the password that encoded was made of. A wrong
// password is a Result without Match and no error; the errors are about the stored
// hash, ErrMalformed and ErrTooCostly. Arguments given in the wrong order are
// ErrMalformed, not a mismatch.
//
// It takes what [Hash] takes, and what an older hash asks for on top, up to 1 GiB.
func Verify(encoded, plain string) (Result, error) {
	return newEngine().verify(encoded, plain)
}

// VerifyNothing does the work of one verification and has no outcome. Call it
// where there is no hash to verify against (unknown account, account without a
// password), before answering as for a wrong password; otherwise the quick answer
// says that the account does not exist.
func VerifyNothing(plain string) {
	newEngine().verifyNothing(plain)
}

// tooLong bounds the work before a single character is counted: no character
// takes more than utf8.UTFMax bytes.
func tooLong(plain string) bool {
	if len(plain) <= MaxLength {
		return false
	}
	return len(plain) > MaxLength*utf8.UTFMax || utf8.RuneCountInString(plain) > MaxLength
}
