//go:build faults

package crash_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I4, I11: a server is killed at every moment of a person's sessions: they sign in by
// password, refresh at both halves and leave. Who repeats what they have no answer to,
// with what their browser had before, is signed in, and stays so; every 200 is recorded
// once.
func TestFaults_I4_I11_AServerIsKilledAtEveryMomentOfASession(t *testing.T) {
	t.Parallel()
	k, d := newKilling(t), newActs()
	k.warm = func(t *testing.T, server *faulttest.Server) {
		k.stayOver(t, &trip{killing: k, server: door{server.DAOURL, server.FOSURL}}, d)
	}
	lost := 0
	k.travel = func(t *testing.T, r *trip, _ int) { lost += k.stayOver(t, r, d) }
	moments := k.killEverywhere(t, faulttest.Scale(7, 1))
	k.wantActs(t, d)
	k.wantBooks(t)
	faulttest.Report(t, "%d failpoints, %d kills, %d sign-ins, refreshes and sign-outs that were not answered, and repeated", moments, k.kills, lost)
}

// stayOver is a whole stay, by somebody whose server may die, and how many answers they
// did not hear.
func (k *killing) stayOver(t *testing.T, r *trip, d *acts) (lost int) {
	t.Helper()
	y := k.newStay(t, d)
	for i, a := range y.all(t) {
		answer := y.do(t, a, r.server)
		if answer.Err != nil {
			lost++
			r.goOn(t)
			answer = y.do(t, a, r.server)
		}
		if answer = y.insist(t, a, r.server, answer); !answer.OK() {
			t.Errorf("%d, %s at the %s half: %v", i, a.event, a.half, answer)
		}
	}
	y.wantLeft(t, k.survivor)
	return lost
}

// I4, I11, I13: as for hand-offs, Postgres has committed and its answer is lost.
func TestFaults_I4_I11_TheAnswerOfASessionsCommitIsLost(t *testing.T) {
	t.Parallel()
	l := &losingStays{site: newSite(t, faulttest.NewStores(t)), acts: newActs(), moments: faulttest.NewMoments()}
	l.dao.Watch("dao", l.moments)
	l.fos.Watch("fos", l.moments)
	server := faulttest.Serve(t, l.environ, nil)
	l.at = door{server.DAOURL, server.FOSURL}
	commits := l.commits(t)
	for name, how := range losses {
		t.Run(name, func(t *testing.T) {
			l.lost, l.slowest = 0, 0
			for range faulttest.Scale(1, 10) {
				y := l.newStay(t, l.acts)
				for i, a := range y.all(t) {
					if how.slow && i%3 != 0 && faulttest.Scale(0, 1) == 0 { // in short only one of each half
						y.do(t, a, l.at)
						continue
					}
					l.lose(t, y, i, commits[i].by(how))
				}
				y.wantLeft(t, server)
			}
			faulttest.Report(t, "%d sign-ins, refreshes and sign-outs that were committed and not answered, and repeated; slowest answer %s", l.lost, asMS(l.slowest))
		})
	}
	l.wantActs(t, l.acts)
	l.wantBooks(t)
}

// losingStays are stays at one server, each act of which loses its commit's answer.
type losingStays struct {
	*site
	acts    *acts
	moments *faulttest.Moments
	at      door

	lost    int
	slowest time.Duration
}

// lostCommit is the moment of a commit, and how its answer is lost.
type lostCommit struct {
	faulttest.Moment
	how loss
}

func (c lostCommit) by(how loss) lostCommit {
	c.how, c.Ends = how, how.ends
	return c
}

// lose loses the answer to the commit of the nth act.
func (l *losingStays) lose(t *testing.T, y *stay, n int, commit lostCommit) {
	t.Helper()
	a := y.all(t)[n]
	line := map[string]*faulttest.Line{"dao": l.dao, "fos": l.fos}[a.half]
	come := l.moments.Await(commit.Moment, func() { commit.how.then(line) })
	answer := y.do(t, a, l.at)
	if !await(come, 0) {
		answer = y.insist(t, a, l.at, answer)
	}
	if !await(come, time.Second) {
		t.Errorf("%v, %s, did not come: %v", commit.Moment, commit.What, l.moments.Heard())
	}
	line.Mend(t)
	l.slowest = max(l.slowest, answer.Took)
	if answer.Unknown() {
		l.lost++
		wantClear(t, answer)
		answer = y.do(t, a, l.at)
	}
	if !answer.OK() {
		t.Errorf("%d, %s at the %s half: %v", n, a.event, a.half, answer)
	}
}

// commits finds out in a stay that nothing disturbs with which flight each act is
// committed: the last to its half's database, counted among those of its kind, since a
// pool also prepares and pings.
func (l *losingStays) commits(t *testing.T) []lostCommit {
	t.Helper()
	var all []lostCommit
	for range 2 { // the first prepares the statements
		all = nil
		y := l.newStay(t, l.acts)
		for i, a := range y.all(t) {
			l.moments.Count()
			if answer := y.insist(t, a, l.at, y.do(t, a, l.at)); !answer.OK() {
				t.Fatalf("%d, %s at the %s half: %v", i, a.event, a.half, answer)
			}
			last := faulttest.Moment{Line: a.half, Answered: true}
			kinds := map[string]int{}
			for _, flight := range l.moments.Heard() {
				if name, what, _ := strings.Cut(flight, ": "); strings.HasPrefix(name, a.half+" ") {
					kinds[what]++
					last.What, last.N = what, kinds[what]
				}
			}
			all = append(all, lostCommit{Moment: last})
		}
	}
	return all
}
