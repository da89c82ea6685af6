//go:build faults

package exact_test

import (
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I4: after many whole hand-offs, minted by one replica and arriving at the other, both
// audit logs say what both databases hold and what every person was told, no row more
// and no row less.
func TestFaults_I4_everyHandoffIsRecordedOnce(t *testing.T) {
	p := newPair(t)
	n := faulttest.Scale(1_000, 100_000)
	people := faulttest.People(t, p.DAO, n/5)
	begun := time.Now()
	atOnce(n, func(i int) {
		minted := p.client.Mint(t.Context(), p.dao(i), people[i%len(people)])
		p.told.Minted(minted)
		p.tally.add("mint", minted)
		if !minted.OK() {
			return
		}
		arrived := p.client.Arrive(t.Context(), p.fos(i+1), minted.Token, "")
		p.told.Arrived(minted.HandoffID, "", arrived)
		p.tally.add("arrive", arrived)
	})
	took := time.Since(begun)
	rows := testkit.Count(t, p.DAO, `SELECT count(*) FROM audit_log`) + testkit.Count(t, p.FOS, `SELECT count(*) FROM audit_log`)
	faulttest.Balance(t, p.Stores, p.told)
	redeemed := p.told.Redemptions()
	faulttest.Report(t, "%d hand-offs over two replicas, %d at once: %v; %d audit rows; %.0f hand-offs/s; slowest answer %v; answers: %s",
		n, callers, redeemed, rows, float64(n)/took.Seconds(), p.tally.slowest.Round(time.Millisecond), &p.tally)
	for _, double := range redeemed.Doubles[:min(20, len(redeemed.Doubles))] {
		t.Error(double)
	}
	if arrived := p.tally.of("arrive 200"); arrived != n {
		t.Errorf("%d of %d arrived", arrived, n)
	}
	// Every hand-off three, every person one more, and one for each session that gave way.
	displaced := testkit.Count(t, p.FOS, `SELECT count(*) FROM sessions WHERE ended_as = 'displaced'`)
	if want := 3*n + len(people) + displaced; rows != want {
		t.Errorf("I4: %d audit rows, want %d", rows, want)
	}
}
