package handoff_test

import (
	"context"
	"errors"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// moody are the real stores with trouble at single calls.
type moody struct {
	ledger  *handoff.DAOStore
	carrier *token.Carrier
	troubles
}

var errMoody = outage.New("store", errors.New("connection reset"))

// with makes a call in trouble.
func with[T any](t trouble, call func() (T, error)) (T, error) {
	var none T
	if t == refused {
		return none, errMoody
	}
	got, err := call()
	if t == unanswered && err == nil {
		return none, errMoody
	}
	return got, err
}

// withError is with for calls that give nothing.
func withError(t trouble, call func() error) error {
	_, err := with(t, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

func (m *moody) Redeem(ctx context.Context, r handoff.Redemption) (bool, error) {
	return with(m.gate, func() (bool, error) { return m.ledger.Redeem(ctx, r) })
}

func (m *moody) Burn(ctx context.Context, r handoff.Redemption) (bool, error) {
	return with(m.gate, func() (bool, error) { return m.ledger.Burn(ctx, r) })
}

func (m *moody) Find(ctx context.Context, d token.Digest, now time.Time) (*token.Entry, error) {
	return with(m.find, func() (*token.Entry, error) { return m.ledger.Find(ctx, d, now) })
}

func (m *moody) Append(ctx context.Context, r audit.Record) error {
	return withError(m.note, func() error { return m.ledger.Append(ctx, r) })
}

func (m *moody) Mint(ctx context.Context, row handoff.MintRow) (member.Session, member.Member, error) {
	var who member.Member
	session, err := with(m.mint, func() (s member.Session, err error) {
		s, who, err = m.ledger.Mint(ctx, row)
		return s, err
	})
	return session, who, err
}

func (m *moody) Get(ctx context.Context, d token.Digest) ([]byte, error) {
	return with(m.get, func() ([]byte, error) { return m.carrier.Get(ctx, d) })
}

func (m *moody) Put(ctx context.Context, d token.Digest, sealed []byte, ttl time.Duration) error {
	return withError(m.put, func() error { return m.carrier.Put(ctx, d, sealed, ttl) })
}

func (m *moody) Retire(ctx context.Context, d token.Digest) error {
	return withError(m.tidy, func() error { return m.carrier.Retire(ctx, d) })
}

func (m *moody) Drop(ctx context.Context, d token.Digest) error {
	return withError(m.tidy, func() error { return m.carrier.Drop(ctx, d) })
}

func (m *moody) Remaining(ctx context.Context, d token.Digest) (time.Duration, error) {
	return m.carrier.Remaining(ctx, d)
}
