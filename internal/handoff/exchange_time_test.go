package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/handoff"
)

// I2: a statement that waits for its turn must not redeem when the token's minute has
// ended meanwhile: the gate gets no more time than the token has.
func TestI2_theGateHasNoMoreTimeThanTheToken(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	minted := b.mintedToken(t)
	b.clock.Advance(59900 * time.Millisecond)
	var left time.Duration
	trouble.redeem = func(ctx context.Context, r handoff.Redemption) (bool, error) {
		deadline, _ := ctx.Deadline()
		left = time.Until(deadline)
		return b.Redeem(ctx, r)
	}
	if _, err := b.exchange.Exchange(inTime(t), presented(minted.Token, ownKey)); err != nil && left > 0 {
		t.Log(err) // a slow machine
	}
	if left > 100*time.Millisecond {
		t.Errorf("%v for a token of 100 ms", left)
	}
}
