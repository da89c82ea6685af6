package handoff_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// I2: a statement that waits for its turn must not redeem when the token's minute has
// ended meanwhile: the gate gets no more time than the token has. Until its last
// millisecond it is asked, and then no more.
func TestI2_theGateHasNoMoreTimeThanTheToken(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{100 * time.Millisecond, time.Millisecond, 0} {
		b, trouble := newBench(t)
		minted := b.mintedToken(t)
		b.clock.Advance(token.TTL - left)
		asked := 0
		trouble.redeem = func(ctx context.Context, _ handoff.Redemption) (bool, error) {
			asked++
			if deadline, limited := ctx.Deadline(); !limited || time.Until(deadline) > left {
				t.Errorf("until %v for a token of %v", deadline, left)
			}
			return true, nil
		}
		_, err := b.exchange.Exchange(inTime(t), presented(minted.Token, ownKey))
		switch {
		case left > 0 && (err != nil || asked != 1):
			t.Errorf("%v left: the gate was asked %d times, %v", left, asked, err)
		case left == 0 && (!errors.Is(err, token.ErrExpired) || asked != 0):
			t.Errorf("at the end: the gate was asked %d times, %v", asked, err)
		}
	}
}

// I2, I7: a wrong target in the last moment is a token that has expired, and no outage.
func TestI2_aTokenThatExpiresWhileItIsBurntHasExpired(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	minted := b.mintedToken(t)
	trouble.burn = func(context.Context, handoff.Redemption) (bool, error) {
		b.clock.Advance(token.TTL)
		return false, outage.New("postgres", context.DeadlineExceeded)
	}
	request := presented(minted.Token, ownKey)
	request.Target = testkit.OtherTarget
	if _, err := b.exchange.Exchange(inTime(t), request); !errors.Is(err, token.ErrExpired) {
		t.Errorf("%v, want expired", err)
	}
}

// full is a database that takes nothing.
type full struct{}

func (full) Arrive(context.Context, handoff.Arrival) (handoff.Arrived, error) {
	return handoff.Arrived{}, outage.Unasked("postgres", context.DeadlineExceeded)
}

func (full) Append(context.Context, audit.Record) error                        { return nil }
func (full) Revoke(context.Context, audit.Record, session.Arrival) error       { return nil }
func (full) AppendUnopened(context.Context, audit.Record, time.Duration) error { return nil }

// exchanged is the other half's answer, whatever is asked.
type exchanged struct {
	claims token.Claims
	err    error
}

func (e exchanged) Exchange(context.Context, handoff.Presentation) (token.Claims, error) {
	return e.claims, e.err
}

// I8: once the token is redeemed, or may be, who has no key cannot have it again; who
// has one can, and before the gate nothing is lost.
func TestI8_anArrivalThatCannotAskAgainIsCounted(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	minted := b.mintedToken(t)
	redeemed := exchanged{claims: token.Claims{Target: testkit.Target, ExpiresAt: minted.ExpiresAt}}
	for name, row := range map[string]struct {
		exchanger exchanged
		key       string
		want      uint64
	}{
		"redeemed, and no database here": {redeemed, "", 1},
		"the same, with a key":           {redeemed, ownKey, 0},
		"no answer from the peer":        {exchanged{err: outage.New("peer", errors.New("broke off"))}, "", 1},
		"no redis over there":            {exchanged{err: outage.New("redis", errors.New("refused"))}, "", 0},
		"no database over there":         {exchanged{err: outage.Unasked("postgres", context.DeadlineExceeded)}, "", 0},
		"nobody over there":              {exchanged{err: outage.Unasked("peer", errors.New("refused"))}, "", 0},
	} {
		login := handoff.NewLogin(handoff.LoginConfig{
			Exchanger: row.exchanger, Store: full{}, Signer: (&testkit.Service{Clock: b.clock}).Signer(t), Target: testkit.Target,
			Now: b.clock.Now, Random: rand.Reader,
		})
		_, err := login.Login(inTime(t), handoff.LoginRequest{Token: minted.Token, ArrivalKey: row.key})
		if err == nil || login.Unresolved() != row.want {
			t.Errorf("%s: %d, want %d; %v", name, login.Unresolved(), row.want, err)
		}
	}
}
