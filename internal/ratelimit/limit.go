package ratelimit

import "time"

// Choice is what becomes of a try while Redis cannot be asked.
type Choice int

const (
	// Closed refuses it with an outage: 503, not 429. It is the choice of who made
	// none.
	Closed Choice = iota
	// Open lets it pass uncounted.
	Open
)

// Limit is one budget for each subject: PerMinute tries at once, then one every
// minute/PerMinute.
type Limit struct {
	// Name stands in keys and in headers: lower-case letters and hyphens.
	Name string
	// PerMinute is at least 1.
	PerMinute int
	OnOutage  Choice
}

// window is the time in which an empty budget fills up.
const window = time.Minute

// interval is the time for which one try is counted.
func (l Limit) interval() time.Duration { return window / time.Duration(l.PerMinute) }
