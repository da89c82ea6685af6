package leaving

import (
	"context"
	"time"
)

// FOSConfig is what the FOS half's side needs.
type FOSConfig struct {
	Store fosStore
	Now   func() time.Time
}

type fosStore interface {
	// EndSourced ends the sessions that came of the hand-offs, bars later ones, and
	// records each hand-off that this is the end of, together.
	EndSourced(ctx context.Context, news News, now time.Time) error
}

// FOS hears from the DAO half.
type FOS struct{ FOSConfig }

// NewFOS makes the use case.
func NewFOS(config FOSConfig) *FOS { return &FOS{config} }

// End ends what came of hand-offs whose source has ended: the session where there is one,
// and every arrival that is still on its way. To say it again changes nothing, and unknown
// hand-offs may be the ones whose arrival is overtaken. Its errors are outages.
func (f *FOS) End(ctx context.Context, news News) error {
	return f.Store.EndSourced(ctx, news, f.Now())
}
