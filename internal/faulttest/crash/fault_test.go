//go:build faults

package crash_test

import (
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// fault is something that is away for a while.
type fault struct {
	begin, end func(t *testing.T)
	// dao and fos name the dependency that each half's readiness must say is down; ""
	// is none.
	dao, fos string
	// shut says that no token can be redeemed while it lasts: nor may one be later, for
	// a caller who has given up.
	shut bool
}

// caller is somebody who holds a token and presents it again and again, with the
// same key, or none.
type caller struct {
	token   faulttest.Answer
	key     string
	arrives bool // at the FOS half; else exchanges
	answer  faulttest.Answer
}

// outcome is what callers came to.
type outcome struct {
	callers, lost   int           // those who heard neither yes nor no while it lasted
	keyed, keyless  int           // of them, unresolved in the end
	burnt           int           // refused though nobody was ever told yes and none was redeemed
	slowest, unwell time.Duration // of answers, of readiness
	recovery        time.Duration // until hand-offs went on and all said that they are ready
}

// callers hold n tokens: half of them arrive, and a quarter have no key.
func (s *site) callers(t *testing.T, server *faulttest.Server, n int) []*caller {
	t.Helper()
	all := make([]*caller, n)
	each(n, func(i int) {
		c := &caller{arrives: i%2 == 0 || s.noExchange}
		until(t, 5*time.Second, "minted", func() bool { // a fault may be over just now
			c.token = s.mint(t, server.DAOURL, s.person(i))
			return c.token.OK()
		})
		if i%8 < 6 {
			c.key = newKey()
		}
		all[i] = c
	})
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// crowd is how many call at once: three times as many as a pool has connections. All
// tokens of one fault are presented at once, so that none grows old meanwhile.
const crowd = 48

// each does n things, up to crowd at once.
func each(n int, do func(i int)) {
	slots := make(chan struct{}, crowd)
	var all sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	all.Wait()
}

// add sums up.
func (o outcome) add(more outcome) outcome {
	return outcome{
		callers: o.callers + more.callers, lost: o.lost + more.lost,
		keyed: o.keyed + more.keyed, keyless: o.keyless + more.keyless, burnt: o.burnt + more.burnt,
		slowest: max(o.slowest, more.slowest), unwell: max(o.unwell, more.unwell), recovery: max(o.recovery, more.recovery),
	}
}

// endureAgain is endure, as often as the scale says, and its report.
func (s *site) endureAgain(t *testing.T, server *faulttest.Server, f fault) {
	t.Helper()
	var all outcome
	for range faulttest.Scale(1, 10) {
		all = all.add(s.endure(t, server, f, faulttest.Scale(16, crowd)))
	}
	all.report(t)
}

// endure has n tokens presented while the fault lasts, and again after it.
func (s *site) endure(t *testing.T, server *faulttest.Server, f fault, n int) outcome {
	t.Helper()
	all := s.callers(t, server, n)
	o := outcome{callers: n}
	f.begin(t)
	var asking sync.WaitGroup
	over := make(chan struct{})
	asking.Go(func() { o.unwell = max(wantUnready(t, server, f), feel(t, server, over)) })
	each(n, func(i int) { s.present(t, server, all[i]) })
	close(over)
	asking.Wait()
	for _, c := range all {
		o.slowest = max(o.slowest, c.answer.Took)
		if c.answer.Unknown() {
			o.lost++
			wantClear(t, c.answer)
		}
	}
	f.end(t)
	o.recovery = wantWell(t, time.Now(), func() bool { return s.handsOff(t, server) && isReady(t, server) })
	each(n, func(i int) { s.resolve(t, server, all[i]) })
	for _, c := range all {
		switch {
		case c.answer.OK():
		case c.key != "":
			o.keyed++
			t.Errorf("a caller with a key ends with %v", c.answer)
		case !f.shut && isUsed(c.answer) && s.redeemed(t, c.token.HandoffID):
			o.keyless++
		default:
			o.burnt++
			t.Errorf("a token was burnt: %v", c.answer)
		}
	}
	return o
}

// resolve repeats what was not answered, and, with a key, what was: the answer must
// be the same.
func (s *site) resolve(t *testing.T, server *faulttest.Server, c *caller) {
	first := c.answer
	if first.OK() && c.key == "" || first.Refused() {
		return
	}
	s.present(t, server, c)
	if first.OK() && (first.HandoffID != c.answer.HandoffID || first.Session != c.answer.Session) {
		t.Errorf("I8: %v, and then %v", first, c.answer)
	}
}

func (o outcome) report(t *testing.T) {
	t.Helper()
	faulttest.Report(t, "%d tokens presented while it lasted, %d not answered then; burnt %d, unresolved with a key %d, without %d; slowest answer %s, readiness %s; well again after %s",
		o.callers, o.lost, o.burnt, o.keyed, o.keyless, asMS(o.slowest), asMS(o.unwell), asMS(o.recovery))
}
