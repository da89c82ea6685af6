//go:build faults

package crash_test

import (
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I1, I8: Postgres has committed, and its answer is lost: the connection ends, the
// whole line is cut so that the service cannot even ask what became of it, or the
// connection goes dead without a word. Whoever has a key gets their answer.
func TestFaults_I1_I8_TheAnswerOfACommitIsLost(t *testing.T) {
	t.Parallel()
	s := newSite(t, faulttest.NewStores(t))
	l := &losing{site: s, server: faulttest.Serve(t, s.environ, nil), moments: faulttest.NewMoments()}
	s.dao.Watch("dao", l.moments)
	s.fos.Watch("fos", l.moments)
	for name, how := range losses {
		t.Run(name, func(t *testing.T) {
			rounds := faulttest.Scale(4, 40)
			if how.slow {
				rounds = faulttest.Scale(1, 10)
			}
			l.keyed, l.keyless, l.slowest = resolution{}, resolution{}, 0
			for _, commit := range l.commits() {
				for round := range rounds {
					commit.keyed = round%4 != 3
					l.lose(t, commit, how)
				}
			}
			faulttest.Report(t, "of %d callers with a key %d were not answered at once, unresolved %d; of %d without %d, unresolved %d; slowest answer %s",
				l.keyed.callers, l.keyed.lost, l.keyed.unresolved, l.keyless.callers, l.keyless.lost, l.keyless.unresolved, asMS(l.slowest))
		})
	}
	s.wantBooks(t)
}

// loss is how an answer is lost.
type loss struct {
	ends, slow bool
	then       func(*faulttest.Line)
}

var losses = map[string]loss{
	"the connection ends":      {ends: true, then: func(*faulttest.Line) {}},
	"all connections end":      {then: (*faulttest.Line).Reset},
	"the line is cut":          {then: (*faulttest.Line).Cut},
	"the connection goes dead": {slow: true, then: func(*faulttest.Line) {}},
}

// resolution counts callers.
type resolution struct{ callers, lost, unresolved int }

type losing struct {
	*site
	server         *faulttest.Server
	moments        *faulttest.Moments
	keyed, keyless resolution
	slowest        time.Duration
}

// commit is where something is committed.
type commit struct {
	at             faulttest.Moment
	line           *faulttest.Line
	arrives, keyed bool
	// unlinked: the arrival is of somebody who has to be linked first, in a transaction.
	unlinked bool
}

// commits are where something is committed: at the gate, which is the first statement
// that an exchange runs on the DAO database, and by an arrival: in its one statement, or at
// the end of its transaction.
func (l *losing) commits() []commit {
	gate := faulttest.Moment{Line: "dao", N: 1, What: "B", Answered: true}
	usual := faulttest.Moment{Line: "fos", N: 1, What: "B", Answered: true}
	end := faulttest.Moment{Line: "fos", N: 1, What: "Q commit", Answered: true}
	return []commit{
		{at: gate, line: l.dao}, {at: gate, line: l.dao, arrives: true},
		{at: usual, line: l.fos, arrives: true}, {at: end, line: l.fos, arrives: true, unlinked: true},
	}
}

// lose loses the answer of one commit.
func (l *losing) lose(t *testing.T, of commit, how loss) {
	t.Helper()
	c := &caller{token: l.mint(t, l.server.DAOURL, l.person(0)), arrives: of.arrives}
	who := &l.keyless
	if of.keyed {
		c.key, who = newKey(), &l.keyed
	}
	if of.unlinked {
		l.unlink(t)
	}
	of.at.Ends = how.ends
	come := l.moments.Await(of.at, func() { how.then(of.line) })
	l.present(t, l.server, c)
	if !await(come, time.Second) {
		t.Errorf("%v did not come: %v", of.at, l.moments.Heard())
	}
	of.line.Mend(t)
	who.callers++
	l.slowest = max(l.slowest, c.answer.Took)
	if c.answer.Unknown() {
		who.lost++
		wantClear(t, c.answer)
		l.present(t, l.server, c)
	}
	switch {
	case c.answer.OK():
	case c.key == "" && isUsed(c.answer) && l.redeemed(t, c.token.HandoffID):
		who.unresolved++
	default:
		who.unresolved++
		t.Errorf("%v, with a key: %t: %v", of.at, of.keyed, c.answer)
	}
}

// unlink has everybody linked anew when they arrive, which takes a transaction.
func (s *site) unlink(t *testing.T) {
	t.Helper()
	if _, err := s.stores.FOS.Exec(t.Context(), `DELETE FROM identity_link`); err != nil {
		t.Fatal(err)
	}
}

// I8, I13: the machine of a replica vanishes in the middle of an arrival, so that
// Postgres hears nothing and keeps its transaction and its locks. The person, who
// repeats at another replica with their key, is not held up by a ghost for longer than
// their token lives.
func TestFaults_I8_AGhostHoldsItsLocks(t *testing.T) {
	t.Parallel()
	k := newKilling(t)
	k.warm = k.handOffs
	v := k.serve(t)
	c := &caller{token: k.token(t, v.DAOURL), key: newKey(), arrives: true}
	k.unlink(t)
	come := k.moments.Await(faulttest.Moment{Line: "fos database", N: 7}, func() {
		for _, line := range []*faulttest.Line{k.dao, k.fos, k.redis} {
			line.HalfOpen()
		}
		v.Kill()
	})
	if k.present(t, v.Server, c); c.answer.Err == nil || !await(come, time.Second) {
		t.Fatalf("the moment did not come: %v", c.answer)
	}
	begun := time.Now()
	held := wantWell(t, begun, func() bool {
		k.present(t, k.survivor, c)
		return !c.answer.Unknown()
	})
	faulttest.Report(t, "the next replica let the person in after %s: %v", asMS(held), c.answer)
	if !c.answer.OK() {
		t.Errorf("held up by a ghost: %v", c.answer)
	}
	k.wantBooks(t)
}
