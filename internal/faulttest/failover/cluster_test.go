//go:build faults

package failover_test

import (
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// go-redis' Cluster client sends a command again that had no answer within a second,
// whatever MaxRetries says. For the SET NX of a mint the second finds the first's work
// done, which must be no fault: the person gets a token that is good.
func TestFaults_I1_ACommandThatTheClusterClientRepeatsIsOneMint(t *testing.T) {
	t.Parallel()
	cluster := faulttest.NewRedisCluster(t)
	s := serve(t, cluster.URL())
	s.MayHear() // nobody does anything here that is to be refused
	s.awaitReady(t)
	answers := make([]faulttest.Answer, faulttest.Scale(16, 60))
	var mints sync.WaitGroup
	for i := range answers { // so that there are connections on which a command can be lost
		mints.Go(func() { s.journey(t.Context(), i) })
	}
	mints.Wait()
	for _, node := range cluster.Nodes {
		node.Pause(t)
	}
	begun := time.Now()
	for i := range answers {
		who, _ := s.next()
		mints.Go(func() { answers[i] = s.Mint(t.Context(), s.replicas[i%2].DAOURL, who) })
	}
	// The driver gives up on an answer after a second, and sends again.
	faulttest.Await(t, func() bool { return time.Since(begun) > 1300*time.Millisecond }, func() string { return "no time passes" })
	for _, node := range cluster.Nodes {
		node.Wake(t)
	}
	mints.Wait()
	minted := 0
	for i, a := range answers {
		switch {
		case a.OK():
			minted++
			if arrived := s.Arrive(t.Context(), s.replicas[i%2].FOSURL, a.Token, ""); !arrived.OK() {
				t.Errorf("a token that was minted late: %v", arrived)
			}
		case a.Status != 503:
			t.Errorf("a late answer of redis is no fault of ours: %v", a)
		}
	}
	if minted == 0 {
		t.Error("nobody was minted for: this shows nothing")
	}
	s.recovered(t, time.Now())
	s.audit(t)
	faulttest.Report(t, "%d of %d mints went well that waited for a cluster that was stopped for 1.3 s", minted, len(answers))
}
