package handoff

import (
	"context"
	"time"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// tidyingSlots bounds the commands that run after their answers (I13).
const tidyingSlots = 64

// Wait returns when nothing runs behind an answer any more.
func (x *Exchange) Wait() { x.tidying.Wait() }

// tidy runs command behind the answer. It is best effort: the ledger refuses a
// second use whatever Redis holds, and the TTL ends it in any case.
func (x *Exchange) tidy(ctx context.Context, r Redemption, command func(context.Context, token.Digest) error) {
	select {
	case x.slots <- struct{}{}:
	default:
		return
	}
	x.tidying.Go(func() {
		defer func() { <-x.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if err := command(ctx, r.Digest); err != nil {
			x.Log.WarnContext(ctx, "a redeemed token stays in redis until its time is over",
				"handoff_id", r.Claims.HandoffID.String(), "error", err)
		}
	})
}
