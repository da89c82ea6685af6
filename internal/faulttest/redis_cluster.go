package faulttest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
)

// RedisCluster is three primaries that share the slots, and a replica of each if it
// has any.
type RedisCluster struct {
	Nodes    [3]*Redis
	Replicas [3]*Redis // by their primaries' places; nil without
}

// slots is how many a cluster has.
const slots = 16384

// nodeTimeout is after how many milliseconds a silent primary may be replaced; the
// default is 15 s.
const nodeTimeout = "1000"

// NewRedisCluster runs a cluster of three primaries until the test ends. It returns when
// every node says that it is whole.
func NewRedisCluster(t testing.TB) *RedisCluster {
	t.Helper()
	c := &RedisCluster{}
	for i := range c.Nodes {
		c.Nodes[i] = newClusterNode(t)
	}
	for i, node := range c.Nodes {
		first, last := slots*i/len(c.Nodes), slots*(i+1)/len(c.Nodes)-1
		if err := node.client.ClusterAddSlotsRange(t.Context(), first, last).Err(); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			c.meet(t, node)
		}
	}
	c.awaitWhole(t, c.Nodes[:]...)
	return c
}

// NewReplicatedRedisCluster is NewRedisCluster with a replica of each primary, which is
// promoted when that has been silent for a second, however old what it knows is. It
// returns when the replicas are in step.
func NewReplicatedRedisCluster(t testing.TB) *RedisCluster {
	t.Helper()
	c := NewRedisCluster(t)
	for i := range c.Replicas {
		c.Replicas[i] = newClusterNode(t)
		c.meet(t, c.Replicas[i])
	}
	c.awaitWhole(t, append(c.Nodes[:], c.Replicas[:]...)...)
	for i, replica := range c.Replicas {
		id, err := c.Nodes[i].client.Do(t.Context(), "CLUSTER", "MYID").Text()
		if err != nil {
			t.Fatal(err)
		}
		if err := replica.client.ClusterReplicate(t.Context(), id).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for i, replica := range c.Replicas {
		AwaitInStep(t, c.Nodes[i], replica)
	}
	// A primary is replaced only if the others know that it has a replica.
	for _, node := range c.Nodes {
		node.await(t, func(ctx context.Context) bool {
			nodes, err := node.client.ClusterNodes(ctx).Result()
			return err == nil && strings.Count(nodes, "slave ") == len(c.Replicas)
		}, "knowledge of the replicas")
	}
	return c
}

func newClusterNode(t testing.TB) *Redis {
	t.Helper()
	node := newRedis(t, "cluster-enabled yes", "cluster-port "+strconv.Itoa(redisPort(t)), "cluster-config-file nodes.conf",
		"cluster-node-timeout "+nodeTimeout, "cluster-replica-validity-factor 0", "repl-timeout 5", "repl-ping-replica-period 1")
	node.Start(t)
	return node
}

// awaitWhole waits until each of these says that the cluster is whole, and has them all.
func (c *RedisCluster) awaitWhole(t testing.TB, nodes ...*Redis) {
	t.Helper()
	for _, node := range nodes {
		node.await(t, func(ctx context.Context) bool {
			state, err := node.client.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(state, "cluster_state:ok") && strings.Contains(state, "cluster_known_nodes:"+strconv.Itoa(len(nodes))+"\r")
		}, "whole cluster")
	}
}

// Owner is the place of the primary that a key belongs to, while nobody was promoted.
func (c *RedisCluster) Owner(t testing.TB, key string) int {
	t.Helper()
	slot, err := c.Nodes[0].client.ClusterKeySlot(t.Context(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Nodes {
		if int(slot) < slots*(i+1)/len(c.Nodes) {
			return i
		}
	}
	t.Fatalf("faulttest: slot %d", slot)
	return 0
}

// CutReplication ends the link between one primary and its replica, and it does not come
// back: see [RedisSet.CutReplication].
func (c *RedisCluster) CutReplication(t testing.TB, place int) {
	t.Helper()
	cutLink(t, c.Nodes[place], c.Replicas[place])
}

// AwaitPromotion waits until the replica at this place is a primary, and the other
// primaries and it say that the cluster is whole.
func (c *RedisCluster) AwaitPromotion(t testing.TB, place int) {
	t.Helper()
	replica := c.Replicas[place]
	replica.await(t, func(ctx context.Context) bool { return info(ctx, replica)["role"] == "master" }, "promotion")
	for i, node := range c.Nodes {
		if i == place {
			node = replica
		}
		node.await(t, func(ctx context.Context) bool {
			state, err := node.client.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(state, "cluster_state:ok")
		}, "whole cluster")
	}
}

// meet introduces a node to the first.
func (c *RedisCluster) meet(t testing.TB, node *Redis) {
	t.Helper()
	host, port, err := net.SplitHostPort(node.Addr)
	if err != nil {
		t.Fatal(err)
	}
	bus, err := node.client.ConfigGet(t.Context(), "cluster-port").Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Nodes[0].client.Do(t.Context(), "CLUSTER", "MEET", host, port, bus["cluster-port"]).Err(); err != nil {
		t.Fatal(err)
	}
}

// URL is REDIS_URL for the cluster, in go-redis' form.
func (c *RedisCluster) URL() string {
	return "redis://:" + redisPassword + "@" + c.Nodes[0].Addr + "?addr=" + c.Nodes[1].Addr + "&addr=" + c.Nodes[2].Addr
}
