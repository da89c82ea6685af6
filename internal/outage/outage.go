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

// Error gives the cause, for the log.
func (e *Error) Error() string { return fmt.Sprintf("%s unavailable: %v", e.Dependency, e.cause) }

// Unwrap gives the cause, so that a cancelled context stays recognisable.
func (e *Error) Unwrap() error { return e.cause }
