//go:build faults

package crash_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// What the service promises of time whatever is away, and what a busy machine may add
// to it: the stories of this package run at once, each with its servers and stores, on
// few cores.
const (
	answered = 3 * time.Second        // every answer has come (I13)
	healthy  = time.Second            // each half has said what it can reach
	well     = 5 * time.Second        // hand-offs go on, since what was away is back
	busy     = 500 * time.Millisecond // more, of an answer
	busier   = 2 * time.Second        // more, until all is well, which takes many answers
)

// wantInTime: nothing hangs (I13).
func wantInTime(t *testing.T, a faulttest.Answer) {
	t.Helper()
	wantWithin(t, a, answered+busy)
}

func wantWithin(t *testing.T, a faulttest.Answer, most time.Duration) {
	t.Helper()
	if a.Took > most {
		t.Errorf("I13: a caller waits for %v: %v", a.Took.Round(time.Millisecond), a)
	}
}

// wantClear is for an answer that says neither yes nor no: it must be 503, and say when
// to come again.
func wantClear(t *testing.T, a faulttest.Answer) {
	t.Helper()
	if a.Status != http.StatusServiceUnavailable || a.Code != "dependency_unavailable" || a.RetryAfter == "" {
		t.Errorf("while it lasted: %v", a)
	}
}

// mint, exchange and arrive are the calls of this package: each is in the history, is
// put beside the books in the end, and must be answered in time.
func (s *site) mint(t *testing.T, daoURL string, who faulttest.Person) faulttest.Answer {
	t.Helper()
	a := s.history.Mint(t.Context(), daoURL, who)
	s.told.Minted(a)
	wantInTime(t, a)
	return a
}

func (s *site) exchange(t *testing.T, daoURL string, minted faulttest.Answer, key string) faulttest.Answer {
	t.Helper()
	a := s.history.Exchange(t.Context(), daoURL, minted.Token, key)
	s.told.Exchanged(minted.HandoffID, attemptOf(key), a)
	wantInTime(t, a)
	return a
}

func (s *site) arrive(t *testing.T, fosURL string, minted faulttest.Answer, key string) faulttest.Answer {
	t.Helper()
	a := s.history.Arrive(t.Context(), fosURL, minted.Token, key)
	s.told.Arrived(minted.HandoffID, attemptOf(key), a)
	wantInTime(t, a)
	return a
}

// attemptOf tells calls apart that are not each other's repeats: without a key none is.
func attemptOf(key string) string {
	if key == "" {
		return "without a key " + newKey()
	}
	return key
}

// present is the caller's next try.
func (s *site) present(t *testing.T, server *faulttest.Server, c *caller) {
	t.Helper()
	if c.arrives {
		c.answer = s.arrive(t, server.FOSURL, c.token, c.key)
	} else {
		c.answer = s.exchange(t, server.DAOURL, c.token, c.key)
	}
}

// handsOff reports whether one more hand-off goes well at the first try.
func (s *site) handsOff(t *testing.T, server *faulttest.Server) bool {
	t.Helper()
	minted := s.mint(t, server.DAOURL, s.person(0))
	if !minted.OK() {
		wantClear(t, minted)
		return false
	}
	arrived := s.arrive(t, server.FOSURL, minted, newKey())
	if !arrived.OK() {
		wantClear(t, arrived)
	}
	return arrived.OK()
}

// wantWell waits until all is well again, hand-offs and readiness together, in one
// budget from when what was away was back, and returns how long that took.
func wantWell(t *testing.T, back time.Time, is func() bool) time.Duration {
	t.Helper()
	until(t, time.Until(back.Add(well+busier)), "well again", is)
	return time.Since(back)
}
