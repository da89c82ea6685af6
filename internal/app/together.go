package app

import (
	"context"
	"errors"
	"time"
)

// closeTime is what Close may take as a whole: less than the five seconds that operators are
// told to leave for it.
const closeTime = 4 * time.Second

// together runs all closers at once, so that none takes the time of another, and returns
// what they said; and how many are not over when ctx ends. The end of the process ends those.
func together(ctx context.Context, closers []func() error) (left int, err error) {
	said := make(chan error, len(closers))
	for _, closer := range closers {
		go func() { said <- closer() }()
	}
	var faults []error
	for left = len(closers); left > 0; left-- {
		select {
		case fault := <-said:
			faults = append(faults, fault)
		case <-ctx.Done():
			return left, errors.Join(faults...)
		}
	}
	return 0, errors.Join(faults...)
}
