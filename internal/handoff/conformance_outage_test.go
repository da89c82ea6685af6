package handoff_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// patience is the protocol's 3 s, and half a second for a machine that is busy with
// other tests.
const patience = 3500 * time.Millisecond

// wantOutage demands an outage in time, in an error that gives nothing away.
func wantOutage(t testing.TB, p handoff.Presentation, err error, begun time.Time) {
	t.Helper()
	var down *outage.Error
	if !errors.As(err, &down) {
		t.Fatalf("got %v, want an outage", err)
	}
	if took := time.Since(begun); took > patience {
		t.Errorf("took %v", took)
	}
	wantSilent(t, p, err)
}

// I1: a token is still redeemable after everything that went wrong before its gate.
func TestI1_bothSeamsKeepATokenThroughAnOutage(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		ada := s.Member(t, "ada@example.org")
		tokens := []minted{s.mint(t, ada, nil), s.mint(t, ada, nil), s.mint(t, ada, nil), s.mint(t, ada, nil)}
		for i, trouble := range []struct {
			name string
			of   func()
		}{
			{"redis is down", s.RedisLink.Cut},
			{"redis hangs", s.RedisLink.Freeze},
			{"postgres is down", s.DAOPostgres.Cut},
			{"postgres hangs", s.DAOPostgres.Freeze},
		} {
			m := tokens[i]
			trouble.of()
			begun := time.Now()
			_, err := s.show(t, m.Presentation)
			wantOutage(t, m.Presentation, err, begun)

			s.RedisLink.Mend()
			s.DAOPostgres.Mend()
			if err := s.showUntilUp(t, m.Presentation); err != nil {
				t.Errorf("%s, and then it was there again: %v", trouble.name, err)
			}
		}
	})
}

// showUntilUp repeats what a person repeats who is told to try again. A pool has
// some connections that died in the outage, each of which costs one try.
func (s seam) showUntilUp(t testing.TB, p handoff.Presentation) (err error) {
	t.Helper()
	for range 40 {
		var down *outage.Error
		if _, err = s.show(t, p); !errors.As(err, &down) {
			return err
		}
	}
	return err
}

func TestBothSeamsEndWithTheCallersPatience(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		m := s.mint(t, s.Member(t, "ada@example.org"), nil)
		s.DAOPostgres.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		begun := time.Now()
		_, err := s.Exchange(ctx, m.Presentation)
		if err == nil || time.Since(begun) > time.Second {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
		wantSilent(t, m.Presentation, err)
	})
}

// I3: a half without a service token exchanges nothing, and says so both ways.
func TestI3_bothSeamsSayThatExchangeIsDisabled(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	m := seam{nil, &testkit.Linked{Service: s}}.mint(t, s.Member(t, "ada@example.org"), nil)
	closed := s.Process(t, map[string]string{"HANDOFF_HALVES": "dao", "CROSS_DOMAIN_SERVICE_TOKEN": ""})
	for name, exchanger := range map[string]handoff.Exchanger{
		"in process": handoff.Disabled{}, "over HTTP": peerOf(t, closed.DAOURL),
	} {
		_, err := exchanger.Exchange(t.Context(), m.Presentation)
		if !errors.Is(err, handoff.ErrDisabled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := peerOf(t, s.DAOURL).Exchange(t.Context(), m.Presentation); err != nil {
		t.Errorf("the token was touched: %v", err)
	}
}

// A wrong bearer is our fault, not the person's: their token stays good.
func TestAPeerWithAWrongBearerIsAnOutage(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	m := seam{nil, &testkit.Linked{Service: s}}.mint(t, s.Member(t, "ada@example.org"), nil)
	stranger := peerOf(t, s.DAOURL, func(c *handoff.PeerConfig) {
		c.ServiceToken = privacy.NewSecret("not-the-token-that-the-other-half-knows")
	})
	begun := time.Now()
	_, err := stranger.Exchange(t.Context(), m.Presentation)
	wantOutage(t, m.Presentation, err, begun)
	if errors.Is(err, token.ErrUnknown) {
		t.Error("the person would be told that their link is not valid")
	}
	if _, err := peerOf(t, s.DAOURL).Exchange(t.Context(), m.Presentation); err != nil {
		t.Errorf("the token was touched: %v", err)
	}
}
