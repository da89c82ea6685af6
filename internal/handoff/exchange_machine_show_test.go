package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// shows: somebody presents any token, rightly or wrongly, and one that is good more
// often than not: of the others little is left to learn.
func (m *machine) shows(rt *rapid.T) {
	j := m.one(rt)
	if j != nil {
		m.showsThe(rt, j)
	}
}

func (m *machine) showsThe(rt *rapid.T, j *journey) {
	s := showing{
		by:       attempt{evenly(rt, "key", []string{"", "the first caller's key", "the second caller's key"}), 0},
		target:   testkit.Target,
		verifier: j.verifier,
		troubles: troubles{in(rt, "get"), atTheGate(rt), in(rt, "find"), in(rt, "note"), in(rt, "tidy"), well, well},
	}
	if rapid.Bool().Draw(rt, "perhaps wrongly") {
		s.target = evenly(rt, "target", []string{testkit.Target, "", testkit.OtherTarget})
		// A verifier that is not asked for is wrong, too.
		s.verifier = evenly(rt, "verifier", []string{j.verifier, j.verifier, "", "another browser's"})
		s.restricted = evenly(rt, "the caller's targets", []string{"", "", testkit.Target, testkit.OtherTarget})
	}
	m.present(rt, j, s)
}

func (m *machine) one(rt *rapid.T) *journey {
	if len(m.tokens) == 0 {
		return nil
	}
	var good []*journey
	for _, j := range m.tokens {
		if j.closed == nil && m.b.clock.Now().Before(j.expires) {
			good = append(good, j)
		}
	}
	if len(good) > 0 && evenly(rt, "one that is good", []bool{true, true, true, false}) {
		return evenly(rt, "good token", good)
	}
	return evenly(rt, "token", m.tokens)
}

// asksAgain: somebody whose answer was lost repeats, up to ten seconds later or just not.
func (m *machine) asksAgain(rt *rapid.T) {
	var gone []*journey
	for _, j := range m.tokens {
		if j.closed != nil && j.closed.by.key != "" {
			gone = append(gone, j)
		}
	}
	if len(gone) == 0 {
		m.shows(rt)
		return
	}
	j := gone[len(gone)-1]
	after := evenly(rt, "after", []time.Duration{0, 0, 9999 * time.Millisecond, 10 * time.Second, 10001 * time.Millisecond})
	if left := j.closed.at.Add(after).Sub(m.b.clock.Now()); left > 0 {
		m.b.clock.Advance(left)
	}
	s := showing{
		by: attempt{j.closed.by.key, 0}, target: testkit.Target,
		verifier: evenly(rt, "verifier", []string{j.verifier, j.verifier, j.verifier, "another browser's"}),
	}
	if j.closed.burnt {
		s.target = testkit.OtherTarget
	}
	m.present(rt, j, s)
}

// present shows a token and compares what is told with the model.
func (m *machine) present(rt *rapid.T, j *journey, s showing) {
	if m.tries++; s.by.key == "" {
		s.by.number = m.tries
	}
	m.moody.troubles = s.troubles
	now, was := m.b.clock.Now(), m.foresee(j, s)
	got, err := m.try(j, s)
	m.exchange.Wait()
	if want := j.present(s, now); got != want {
		rt.Fatalf("%+v: told %s (%v), want %s", s, got, err, want)
	}
	m.note(was, s, got)
	m.judge(rt, j, map[attempt]verdict{s.by: got})
}

// try makes the call.
func (m *machine) try(j *journey, s showing) (verdict, error) {
	request := handoff.ExchangeRequest{
		Token: j.tok, Target: s.target, Verifier: privacy.NewSecret(s.verifier), IdempotencyKey: s.by.key, Caller: handoff.Caller{KeyID: "0a1b2c3d"},
	}
	if s.restricted != "" {
		request.Caller.Targets = []string{s.restricted}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	got, err := m.exchange.Exchange(ctx, request)
	if err == nil && (got.HandoffID != j.id || got.UserID != m.member || got.Target != testkit.Target) {
		return "somebody else's claims", nil
	}
	for cause, told := range map[error]verdict{
		token.ErrUsed: used, token.ErrExpired: expired, token.ErrUnknown: unknown, token.ErrWrongTarget: wrongly, token.ErrBinding: unboundHere,
	} {
		if errors.Is(err, cause) {
			return told, err
		}
	}
	if down := (*outage.Error)(nil); errors.As(err, &down) {
		return outOfOrder, err
	}
	if err != nil {
		return verdict(fmt.Sprintf("error %T", err)), err
	}
	return granted, nil
}

// judge asks what was told, apart from the model: one try at most is ever given the
// claims (I1), and none when the 60 s are over (I2).
func (m *machine) judge(rt *rapid.T, j *journey, answers map[attempt]verdict) {
	for by, what := range answers {
		if what != granted {
			continue
		}
		m.granted[j.id] = append(m.granted[j.id], by)
		if m.granted[j.id][0] != by {
			rt.Fatalf("I1: granted to %v and to %v", m.granted[j.id][0], by)
		}
		if !m.b.clock.Now().Before(j.expires) {
			rt.Fatalf("I2: granted at %v, expired at %v", m.b.clock.Now(), j.expires)
		}
	}
}

// crowd: several present one token at once, all of them properly.
func (m *machine) crowd(rt *rapid.T) {
	j := m.one(rt)
	if j == nil {
		return
	}
	m.moody.troubles = troubles{}
	keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{
		"the first caller's key", "the second caller's key", "the third caller's key", "the fourth caller's key", "the fifth caller's key",
	}), 2, 5, rapid.ID).Draw(rt, "keys")
	opens := j.fate(showing{verifier: j.verifier}, m.b.clock.Now()).opens
	answers, errs := map[attempt]verdict{}, map[string]error{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, key := range keys {
		wg.Go(func() {
			got, err := m.try(j, showing{by: attempt{key, 0}, verifier: j.verifier})
			mu.Lock()
			defer mu.Unlock()
			answers[attempt{key, 0}], errs[key] = got, err
		})
	}
	wg.Wait()
	m.exchange.Wait()
	m.judge(rt, j, answers)
	if opens {
		m.seen[seenCrowd]++
	}
	for _, first := range []bool{true, false} { // the winner, whoever it is, and then the others
		for by, got := range answers {
			if (got == granted && opens) != first {
				continue
			}
			if want := j.present(showing{by: by, verifier: j.verifier}, m.b.clock.Now()); got != want {
				rt.Fatalf("of %d at once %v is told %s, want %s: %v (%v)", len(keys), by, got, want, answers, errs)
			}
		}
	}
}
