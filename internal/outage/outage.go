package outage

import "fmt"

// Error says that a dependency is down, slow or refusing.
type Error struct {
	// Dependency is "postgres", "redis" or "peer".
	Dependency string
	cause      error
}

// New says that dependency failed with cause.
func New(dependency string, cause error) error {
	return &Error{Dependency: dependency, cause: cause}
}

// Unasked is New for a dependency that was not asked anything: there was no connection
// to ask on, or it said that it had not come to it. It returns nil for nil.
func Unasked(dependency string, cause error) error {
	if cause == nil {
		return nil
	}
	return New(dependency, unasked{cause})
}

type unasked struct{ error }

// Unwrap gives the cause.
func (u unasked) Unwrap() error { return u.error }

// Error gives the cause, for the log.
func (e *Error) Error() string { return fmt.Sprintf("%s unavailable: %v", e.Dependency, e.cause) }

// Unwrap gives the cause, so that a cancelled context stays recognisable.
func (e *Error) Unwrap() error { return e.cause }
