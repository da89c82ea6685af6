package ratelimit

import (
	"errors"
	"fmt"
	"time"
)

// ErrExceeded is what every [*Exceeded] is: 429 at the edge.
var ErrExceeded = errors.New("ratelimit: too many tries")

// Exceeded says which budget is used up, and for how long. It holds no subject.
type Exceeded struct {
	// Limit is the one to wait for. Where several budgets are involved, it is the
	// one with the longest wait, so that whoever waits RetryAfter meets none of them.
	Limit Limit
	// RetryAfter is when the next try will pass, if nobody else takes it.
	RetryAfter time.Duration
}

// Error names the limit and the wait.
func (e *Exceeded) Error() string {
	return fmt.Sprintf("%v: %s, retry after %d s", ErrExceeded, e.Limit.Name, e.RetryAfterSeconds())
}

// Unwrap gives [ErrExceeded].
func (*Exceeded) Unwrap() error { return ErrExceeded }

// RetryAfterSeconds is the value of Retry-After (RFC 9110, 10.2.3): whole seconds,
// rounded up, since who comes a moment early is refused again; at least 1, since 0
// means at once.
func (e *Exceeded) RetryAfterSeconds() int {
	return max(1, int((e.RetryAfter+time.Second-1)/time.Second))
}

// RateLimitHeader is the value of RateLimit (draft-ietf-httpapi-ratelimit-headers-10,
// 4): nothing remains, and t is the time until more is there, the same as
// Retry-After.
func (e *Exceeded) RateLimitHeader() string {
	return fmt.Sprintf("%q;r=0;t=%d", e.Limit.Name, e.RetryAfterSeconds())
}

// PolicyHeader is the value of RateLimit-Policy (same draft, 3).
func (e *Exceeded) PolicyHeader() string {
	return fmt.Sprintf("%q;q=%d;w=%d", e.Limit.Name, e.Limit.PerMinute, int(window/time.Second))
}
