package password

import "errors"

// None of these errors quotes the hash or the password: errors end up in logs.
var (
	// ErrMalformed: the stored hash is not one that this package reads. That
	// includes other functions (argon2i, bcrypt $2$ and $2x$), Argon2 versions
	// other than 19, and every second spelling of a readable hash.
	ErrMalformed = errors.New("password: stored hash is malformed or of an unknown kind")

	// ErrTooCostly: the stored hash asks for more memory, passes, lanes or rounds
	// than this package, or this Hasher, is willing to spend on it.
	ErrTooCostly = errors.New("password: stored hash asks for too much work")

	// ErrTooLong: the password to hash has more than MaxLength characters.
	ErrTooLong = errors.New("password: longer than 4096 characters")

	// ErrBusy: the Hasher is full, or the caller's context ended before there was a
	// result. What was computed nobody learns; the same call may succeed a second later (HTTP 503
	// with Retry-After). When the context ended, its cause is wrapped as well.
	ErrBusy = errors.New("password: too many computations at once")
)
