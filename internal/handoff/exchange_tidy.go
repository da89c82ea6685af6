package handoff

import (
	"context"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// tidyingAtOnce bounds the commands that run after their answers (I13). It is several
// times the requests that are worked on: what is not tidied looks like a token that
// came back.
const tidyingAtOnce = 256

// Wait returns when nothing runs behind an answer any more.
func (x *Exchange) Wait() { x.tidying.Wait() }

// tidy runs command behind the answer. It is best effort: the ledger refuses a
// second use whatever Redis holds, and the TTL ends it in any case.
func (x *Exchange) tidy(ctx context.Context, r Redemption, command func(context.Context, token.Digest) error) {
	x.tidying.Do(ctx, func(ctx context.Context) {
		if err := command(ctx, r.Digest); err != nil {
			x.Log.WarnContext(ctx, "a redeemed token stays in redis until its time is over",
				"handoff_id", r.Claims.HandoffID.String(), "error", err)
		}
	})
}
