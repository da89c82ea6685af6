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
	k := &killing{site: newSite(t, faulttest.NewStores(t)), moments: faulttest.NewMoments()}
	k.dao.Watch("dao database", k.moments)
	k.fos.Watch("fos database", k.moments)
	k.redis.Watch("redis", k.moments)
	k.survivor = faulttest.Serve(t, k.stores.Environ(), nil)

	var all []faulttest.Moment
	t.Run("dry run", func(t *testing.T) { all = k.dryRun(t) })
	if len(all) < 20 {
		t.Fatalf("only %d moments: %v", len(all), all)
	}
	every := faulttest.Scale(3, 1) // odd, so that both kinds of moment are among them
	for round := range faulttest.Scale(1, 10) {
		for i := (len(all) - 1) % every; i < len(all); i += every {
			t.Run(fmt.Sprintf("%v, round %d", all[i], round), func(t *testing.T) { k.killAt(t, all[i], i/2+round) })
		}
	}
	k.wantBooks(t)
	faulttest.Report(t, "%d failpoints, %d kills: unresolved with a key %d of %d callers whose answer was lost, without a key %d of %d; slowest answer of a server that lived %s",
		len(all), k.kills, k.keyed.unresolved, k.keyed.lost, k.keyless.unresolved, k.keyless.lost, asMS(k.slowest))
	if k.keyed.unresolved > 0 {
		t.Errorf("%d callers with a key did not get their answer", k.keyed.unresolved)
	}
}

// killing is a series of servers, each of which dies, and one that outlives them.
type killing struct {
	*site
	moments  *faulttest.Moments
	survivor *faulttest.Server

	kills          int
	keyed, keyless resolution
	slowest        time.Duration
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
		one, other := k.mint(t, v.DAOURL), k.mint(t, v.DAOURL)
		if a := k.history.Exchange(t.Context(), v.DAOURL, one.Token, newKey()); !a.OK() {
			t.Fatalf("%v\n%s", a, v.Log())
		}
		if a := k.arrive(t.Context(), v.FOSURL, other.Token, newKey()); !a.OK() {
			t.Fatalf("%v\n%s", a, v.Log())
		}
	}
	k.awaitTidying(t, 4)
	var dao, fos *faulttest.Line
	dao, v.daoURL = faulttest.LineTo(t, v.DAOURL)
	fos, v.fosURL = faulttest.LineTo(t, v.FOSURL)
	dao.Watch("caller of dao", k.moments)
	fos.Watch("caller of fos", k.moments)
	v.lines = []*faulttest.Line{dao, fos, k.dao, k.fos, k.redis}
	return v
}

func (k *killing) mint(t *testing.T, daoURL string) faulttest.Answer {
	t.Helper()
	minted := k.history.Mint(t.Context(), daoURL, k.person(k.kills))
	if !minted.OK() {
		t.Fatal(minted)
	}
	return minted
}

// awaitTidying waits for what runs behind the answers of n exchanges.
func (k *killing) awaitTidying(t *testing.T, n int) {
	t.Helper()
	until(t, 5*time.Second, "tidy", func() bool {
		return strings.Count(strings.Join(k.moments.Heard(), "\n"), ": expire") >= n
	})
}

// dryRun returns the moments of two hand-offs that nothing disturbs.
func (k *killing) dryRun(t *testing.T) []faulttest.Moment {
	t.Helper()
	v := k.serve(t)
	k.moments.Count()
	j := &journey{killing: k, key: newKey(), server: door{v.daoURL, v.fosURL}}
	j.run(t)
	k.awaitTidying(t, 2)
	if j.lost {
		t.Fatal("an answer was lost")
	}
	t.Log(strings.Join(k.moments.Heard(), "\n"))
	return k.moments.All()
}

// killAt kills a new victim at the moment. Every fourth journey is of callers without
// keys, and every other goes on at a server that was started after the kill.
func (k *killing) killAt(t *testing.T, at faulttest.Moment, n int) {
	for range 3 {
		v := k.serve(t)
		come := k.moments.Await(at, v.die)
		j := &journey{killing: k, server: door{v.daoURL, v.fosURL}, restart: n%2 == 1}
		if n%4 != 3 {
			j.key = newKey()
		}
		j.run(t)
		// What runs behind the last answer may be what the moment is of.
		if await(come, time.Second) {
			k.kills++
			return
		}
		k.moments.Count()
	}
	t.Error("the moment did not come")
}
