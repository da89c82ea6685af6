package handoff_test

import (
	"context"
	"time"

	"pgregory.net/rapid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
)

// passes: time does.
func (m *machine) passes(rt *rapid.T) {
	m.b.clock.Advance(evenly(rt, "time", []time.Duration{
		time.Millisecond, time.Second, 5 * time.Second, 9999 * time.Millisecond, 10 * time.Second, 10001 * time.Millisecond,
		21 * time.Second, time.Minute - time.Millisecond, time.Minute, 31 * time.Minute,
	}))
}

// comesToTheEdge: time passes until a millisecond before a token's minute is over, until
// it is, or until a millisecond after, and somebody shows the token at once.
func (m *machine) comesToTheEdge(rt *rapid.T) {
	j := m.one(rt)
	if j == nil {
		return
	}
	beside := evenly(rt, "beside the edge", []time.Duration{-time.Millisecond, 0, time.Millisecond})
	if left := j.expires.Add(beside).Sub(m.b.clock.Now()); left > 0 {
		m.b.clock.Advance(left)
	}
	m.showsThe(rt, j)
}

// unhurried gives the gate more time than a token has left: the machine's clock stands
// still while Postgres' goes on, and in the last milliseconds of a token's minute it
// would be chance what is told. That the gate is bounded is tested elsewhere
// (TestI2_theGateHasNoMoreTimeThanTheToken).
type unhurried struct{ *moody }

// Redeem is the ledger's.
func (u unhurried) Redeem(ctx context.Context, r handoff.Redemption) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return u.moody.Redeem(ctx, r)
}

// Burn is the ledger's.
func (u unhurried) Burn(ctx context.Context, r handoff.Redemption) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return u.moody.Burn(ctx, r)
}
