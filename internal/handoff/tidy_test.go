package handoff_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// stuck is a carrier whose tidying does not come to an end before it is let go.
type stuck struct {
	*token.Carrier
	begun   atomic.Int32
	release chan struct{}
}

func (s *stuck) Retire(context.Context, token.Digest) error {
	s.begun.Add(1)
	<-s.release
	return nil
}

// I13: what runs behind the answers is bounded, and no answer waits for it; the
// process, when it leaves, does.
func TestI13_tidyingUpIsBoundedAndNobodyWaitsForIt(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	b.minter = b.replica(t, 1000)
	sealer, err := token.NewSealer([]privacy.Key{testkit.Key(t, testkit.SealingKey)}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	carrier := &stuck{Carrier: b.carrier, release: make(chan struct{})}
	exchange := handoff.NewExchange(handoff.ExchangeConfig{
		Ledger: b.DAOStore, Carrier: carrier, Sealer: sealer, Now: b.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	})
	for range 300 {
		minted := b.mintedToken(t)
		if claims, err := exchange.Exchange(inTime(t), presented(minted.Token, ownKey)); err != nil || claims.HandoffID != minted.HandoffID {
			t.Fatal(err)
		}
	}
	var left atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		exchange.Wait()
		left.Store(true)
	})
	if left.Load() {
		t.Error("the process leaves while commands are on their way")
	}
	close(carrier.release)
	wg.Wait()
	if n := carrier.begun.Load(); n != 256 {
		t.Errorf("%d commands ran behind 300 answers, want 256", n)
	}
}
