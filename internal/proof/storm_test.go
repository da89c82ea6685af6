//go:build proof

package proof_test

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	storm = 200 // logins at once
	waves = 4
	// container is the memory of a small one, in bytes; within it the storm must stay
	// below storm's high water. collector is the limit that the server gives itself there.
	container = 256 << 20
	highWater = 220 << 20
	collector = "GOMEMLIMIT=153MiB"
)

// I13: 200 people sign in at the same moment, at both halves of one process with
// 256 MiB, four times over; every other one mistypes the password. Each is answered
// about their password or told when to come back, the process keeps within its
// memory, and the next to come is served.
func TestProof_I13_AStormOfLoginsIsServedOrToldToComeBack(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	s.UserWithPassword(t, person)
	s.Member(t, person, func(a *member.Account) { a.PasswordHash = privacy.NewSecret(testkit.PasswordHash()) })
	small := serve(t, s, collector)
	w := newWire(t)
	atRest := small.peakKiB(t)

	all := tally{}
	begun := time.Now()
	for wave := range waves {
		got := small.storm(t, w)
		t.Logf("wave %d: %v", wave+1, got)
		all.add(got)
	}
	took := time.Since(begun)
	if all.other > 0 || all.right+all.wrong+all.busy != waves*storm {
		t.Errorf("not every login was answered as it should be: %v", all)
	}
	if all.right+all.wrong == 0 || all.busy == 0 {
		t.Errorf("a storm that tests nothing: %v", all)
	}
	peak := small.peakKiB(t)
	t.Logf("%d logins in %v: %v; the process held at most %d MiB, %d before", waves*storm, took.Round(time.Millisecond), all, peak>>10, atRest>>10)
	if peak<<10 >= highWater {
		t.Errorf("the process held %d MiB of %d, want less than %d", peak>>10, container>>20, highWater>>20)
	}

	after := time.Now()
	for _, url := range []string{small.daoURL, small.fosURL} {
		if ready := w.get(t, newJar(), url+"/health"); ready.Status != http.StatusOK {
			t.Errorf("after the storm: %d %s", ready.Status, ready.Raw)
		}
	}
	for _, login := range []string{small.daoURL + daoAuth + "login", small.fosURL + fosAuth + "login"} {
		if in := signInAt(t, w, login, testkit.Password); in.Status != http.StatusOK {
			t.Errorf("after the storm: %d %s", in.Status, in.Raw)
		}
	}
	t.Logf("ready, and two more logins served, %v after it", time.Since(after).Round(time.Millisecond))
}

// tally counts answers.
type tally struct{ right, wrong, busy, other int }

func (c tally) String() string {
	return fmt.Sprintf("%d signed in, %d refused, %d told to come back, %d otherwise", c.right, c.wrong, c.busy, c.other)
}

func (c *tally) add(more tally) {
	c.right, c.wrong, c.busy, c.other = c.right+more.right, c.wrong+more.wrong, c.busy+more.busy, c.other+more.other
}

// storm is one wave.
func (r *server) storm(t *testing.T, w wire) tally {
	t.Helper()
	var mu sync.Mutex
	var counted tally
	var people sync.WaitGroup
	gate := make(chan struct{})
	for i := range storm {
		login, plain, right := r.daoURL+daoAuth+"login", "mistyped", i%4 < 2
		if i%2 == 1 {
			login = r.fosURL + fosAuth + "login"
		}
		if right {
			plain = testkit.Password
		}
		people.Go(func() {
			<-gate
			answer := signInAt(t, w, login, plain)
			mu.Lock()
			defer mu.Unlock()
			seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
			switch {
			case answer.Status == http.StatusOK && right:
				counted.right++
			case answer.Status == http.StatusUnauthorized && answer.Code() == "invalid_credentials" && !right:
				counted.wrong++
			case answer.Status == http.StatusServiceUnavailable && answer.Code() == "dependency_unavailable" && seconds > 0:
				counted.busy++
			default:
				counted.other++
				t.Errorf("right %v: %d %s", right, answer.Status, answer.Raw)
			}
		})
	}
	close(gate)
	people.Wait()
	return counted
}

func signInAt(t testing.TB, w wire, login, plain string) testkit.Answer {
	return w.post(t, newJar(), login, credentials(t, person, plain))
}
