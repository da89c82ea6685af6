//go:build faults

package exact_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// batch is how many tokens are minted at a time: they live 60 s, and are used up long
// before.
const batch = 100

// perToken is how many attempts each token gets.
const perToken = 50

// progress is after how many attempts a line says how far it is, for whoever waits
// ("go test -v" prints it at once).
const progress = 100_000

// attempt is one way to try for a token.
type attempt struct {
	arrives bool
	key     string // "": none, and no repeat of any other
}

// crowdOf are the attempts at one token, in an order of their own: other servers each
// with a key of theirs, one server that repeats its own, some without any, browsers
// with an arrival key and without, and two tabs that have the same.
func crowdOf() []attempt {
	var crowd []attempt
	for i := range 20 {
		crowd = append(crowd, attempt{false, fmt.Sprintf("exchange-%02d-of-its-own", i)})
	}
	for range 10 {
		crowd = append(crowd, attempt{false, "exchange-that-repeats"}, attempt{true, "arrival-that-repeats"})
	}
	for range 5 {
		crowd = append(crowd, attempt{false, ""}, attempt{true, ""})
	}
	rand.Shuffle(len(crowd), func(i, j int) { crowd[i], crowd[j] = crowd[j], crowd[i] })
	return crowd
}

// I1: whoever tries for a token, at once, at both halves and by two replicas, one of
// them gets it, and only one.
func TestFaults_I1_oneOfAMillionAttempts(t *testing.T) {
	p := newPair(t)
	tokens := faulttest.Scale(400, 20_000)
	people := faulttest.People(t, p.DAO, tokens)
	begun := time.Now()
	batches := 0
	for some := range slices.Chunk(people, batch) {
		minted := p.mint(t.Context(), some)
		p.besiege(t, minted)
		if batches++; batches*batch*perToken%progress == 0 {
			t.Logf("after %v: %d attempts; %v", time.Since(begun).Round(time.Second), batches*batch*perToken, p.told.Redemptions())
		}
	}
	took := time.Since(begun)
	redeemed := p.told.Redemptions()
	attempts := tokens * perToken
	faulttest.Report(t, "%d attempts at %d tokens over two replicas, %d at once: %v; %.0f attempts/s; slowest answer %v",
		attempts, tokens, callers, redeemed, float64(attempts)/took.Seconds(), p.tally.slowest.Round(time.Millisecond))
	faulttest.Report(t, "answers: %s", &p.tally)
	if redeemed.Handoffs != tokens {
		t.Errorf("I1: %d of %d tokens redeemed", redeemed.Handoffs, tokens)
	}
	for _, double := range redeemed.Doubles[:min(20, len(redeemed.Doubles))] {
		t.Error(double)
	}
	if wins := p.tally.of("exchange 200") + p.tally.of("arrive 200"); wins < tokens*2 {
		t.Errorf("%d successes for %d tokens: nobody has repeated anything", wins, tokens)
	}
	if n := p.tally.of("exchange unanswered") + p.tally.of("arrive unanswered"); n > 0 {
		t.Errorf("%d calls hang", n)
	}
	faulttest.Balance(t, p.Stores, p.told)
}

// besiege makes all attempts at the tokens of one batch, those at one token one upon
// the other.
func (p *pair) besiege(t *testing.T, minted []faulttest.Answer) {
	crowds := make([][]attempt, len(minted))
	for i := range crowds {
		crowds[i] = crowdOf()
	}
	atOnce(len(minted)*perToken, func(i int) {
		m, try := minted[i/perToken], crowds[i/perToken][i%perToken]
		name := try.key
		if name == "" {
			name = fmt.Sprint("without a key ", i)
		}
		if try.arrives {
			got := p.client.Arrive(t.Context(), p.fos(i), m.Token, try.key)
			p.told.Arrived(m.HandoffID, name, got)
			p.tally.add("arrive", got)
			return
		}
		got := p.client.Exchange(t.Context(), p.dao(i), m.Token, try.key)
		p.told.Exchanged(m.HandoffID, name, got)
		p.tally.add("exchange", got)
	})
}
