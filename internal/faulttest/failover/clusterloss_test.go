//go:build faults

package failover_test

import (
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// A primary of a Cluster is lost after its replica has stopped hearing of it: the used
// tokens that it held come back with the replica's promotion.
func TestFaults_I1_AClustersReplicationLinkIsLostAndThenAPrimary(t *testing.T) {
	t.Parallel()
	cluster := faulttest.NewReplicatedRedisCluster(t)
	d := newDrill(t, cluster.URL())
	stop := d.load(t, 2)
	const place = 0
	primary, replica := cluster.Nodes[place], cluster.Replicas[place]
	d.exposed, d.kept = d.ticketsAt(t, cluster, place, exposedEach), d.ticketsAt(t, cluster, place, keptEach)
	faulttest.AwaitInStep(t, primary, replica)

	cluster.CutReplication(t, place)
	d.useAll(t, d.exposed)
	primary.Kill()
	killed := time.Now()
	cluster.AwaitPromotion(t, place)
	promoted := time.Now()
	t.Logf("promoted %v after its primary was lost", promoted.Sub(killed).Round(time.Millisecond))
	d.over(t, promoted)

	d.lookForAll(t, replica)
	d.useAll(t, d.kept)
	d.presentAll(t)
	d.finish(t, replica, stop)
}

// ticketsAt mints n tokens that one primary of a cluster holds.
func (d *drill) ticketsAt(t *testing.T, cluster *faulttest.RedisCluster, place, n int) []*ticket {
	t.Helper()
	var all []*ticket
	for len(all) < n {
		for _, tick := range d.tickets(t, n) {
			if len(all) < n && cluster.Owner(t, carrierKey(t, tick)) == place {
				tick.number = len(all)
				all = append(all, tick)
			}
		}
	}
	return all
}
