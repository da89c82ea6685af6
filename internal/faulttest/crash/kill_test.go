//go:build faults

package crash_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I1, I4, I8: a server is killed at every moment of two hand-offs, one exchanged over
// HTTP and one that arrives in process. Whoever repeats with their key gets their
// answer; no token gives two sessions; what is recorded is what happened.
func TestFaults_I1_I8_AServerIsKilledAtEveryMomentOfAHandoff(t *testing.T) {
	t.Parallel()
	k := newKilling(t)
	k.warm = k.handOffs
	k.travel = func(t *testing.T, r *trip, n int) {
		j := &journey{trip: r}
		if n%4 != 3 {
			j.key = newKey()
		}
		j.run(t)
	}
	moments := k.killEverywhere(t, faulttest.Scale(3, 1))
	k.wantBooks(t)
	faulttest.Report(t, "%d failpoints, %d kills: unresolved with a key %d of %d callers whose answer was lost, without a key %d of %d; slowest answer of a server that lived %s",
		moments, k.kills, k.keyed.unresolved, k.keyed.lost, k.keyless.unresolved, k.keyless.lost, asMS(k.slowest))
	if k.keyed.unresolved > 0 {
		t.Errorf("%d callers with a key did not get their answer", k.keyed.unresolved)
	}
}

// killing is a series of servers, each of which dies, and one that outlives them.
type killing struct {
	*site
	moments  *faulttest.Moments
	survivor *faulttest.Server
	// warm does at a new server, without lines, what will be done, and travel does it, for
	// the nth time.
	warm   func(t *testing.T, server *faulttest.Server)
	travel func(t *testing.T, r *trip, n int)

	kills          int
	keyed, keyless resolution
	slowest        time.Duration
}

func newKilling(t *testing.T) *killing {
	t.Helper()
	k := &killing{site: newSite(t, faulttest.NewStores(t)), moments: faulttest.NewMoments()}
	k.dao.Watch("dao database", k.moments)
	k.fos.Watch("fos database", k.moments)
	k.redis.Watch("redis", k.moments)
	k.survivor = faulttest.Serve(t, k.stores.Environ(), nil)
	return k
}

// killEverywhere kills a server at every moment of the travel, or at each of so many,
// which should be odd, so that both kinds of moment are among them. It returns how many
// moments there are.
func (k *killing) killEverywhere(t *testing.T, each int) int {
	t.Helper()
	var all []faulttest.Moment
	t.Run("dry run", func(t *testing.T) { all = k.dryRun(t) })
	if len(all) < 20 {
		t.Fatalf("only %d moments: %v", len(all), all)
	}
	for round := range faulttest.Scale(1, 10) {
		for i := (len(all) - 1) % each; i < len(all); i += each {
			t.Run(fmt.Sprintf("%v, round %d", all[i], round), func(t *testing.T) { k.killAt(t, all[i], i/2+round) })
		}
	}
	return len(all)
}

// victim is a server whose callers too are on lines that lose messages.
type victim struct {
	*faulttest.Server
	daoURL, fosURL string
	lines          []*faulttest.Line
}

// die is SIGKILL. The kernel closes its connections; of what it had written, the
// message that is the moment's is lost.
func (v victim) die() {
	v.Kill()
	for _, line := range v.lines {
		line.Reset()
	}
}

// serve starts a victim, and has it do everything twice so that its connections are
// there and its statements prepared: otherwise the moments would differ each time.
func (k *killing) serve(t *testing.T) victim {
	t.Helper()
	v := victim{Server: faulttest.Serve(t, k.environ, nil)}
	k.moments.Count()
	for range 2 {
		k.warm(t, v.Server)
	}
	k.awaitTidying(t)
	var dao, fos *faulttest.Line
	dao, v.daoURL = faulttest.LineTo(t, v.DAOURL)
	fos, v.fosURL = faulttest.LineTo(t, v.FOSURL)
	dao.Watch("caller of dao", k.moments)
	fos.Watch("caller of fos", k.moments)
	v.lines = []*faulttest.Line{dao, fos, k.dao, k.fos, k.redis}
	return v
}

// handOffs are two, without any fault.
func (k *killing) handOffs(t *testing.T, server *faulttest.Server) {
	t.Helper()
	one, other := k.token(t, server.DAOURL), k.token(t, server.DAOURL)
	if a := k.exchange(t, server.DAOURL, one, newKey()); !a.OK() {
		t.Fatalf("%v\n%s", a, server.Log())
	}
	if a := k.arrive(t, server.FOSURL, other, newKey()); !a.OK() {
		t.Fatalf("%v\n%s", a, server.Log())
	}
}

func (k *killing) token(t *testing.T, daoURL string) faulttest.Answer {
	t.Helper()
	minted := k.mint(t, daoURL, k.person(k.kills))
	if !minted.OK() {
		t.Fatal(minted)
	}
	return minted
}

// awaitTidying waits for what runs behind the answers of exchanges: for each there is a
// flight to read the claims and one to retire them.
func (k *killing) awaitTidying(t *testing.T) {
	t.Helper()
	until(t, 5*time.Second, "tidy", func() bool {
		heard := strings.Join(k.moments.Heard(), "\n")
		return strings.Count(heard, ": expire") >= strings.Count(heard, ": get")
	})
}

// dryRun returns the moments of a travel that nothing disturbs.
func (k *killing) dryRun(t *testing.T) []faulttest.Moment {
	t.Helper()
	v := k.serve(t)
	k.moments.Count()
	r := &trip{killing: k, server: door{v.daoURL, v.fosURL}}
	k.travel(t, r, 0)
	k.awaitTidying(t)
	if r.lost {
		t.Fatal("an answer was lost")
	}
	t.Log(strings.Join(k.moments.Heard(), "\n"))
	return k.moments.All()
}

// killAt kills a new victim at the moment. Every other travel goes on at a server that
// was started after the kill.
func (k *killing) killAt(t *testing.T, at faulttest.Moment, n int) {
	for range 3 {
		v := k.serve(t)
		come := k.moments.Await(at, v.die)
		k.travel(t, &trip{killing: k, server: door{v.daoURL, v.fosURL}, restart: n%2 == 1}, n)
		// What runs behind the last answer may be what the moment is of.
		if await(come, time.Second) {
			k.kills++
			return
		}
		k.moments.Count()
	}
	t.Error("the moment did not come")
}
