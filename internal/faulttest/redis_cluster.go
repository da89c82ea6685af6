package faulttest

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"
)

// RedisCluster is three primaries that share the slots.
type RedisCluster struct{ Nodes [3]*Redis }

// slots is how many a cluster has.
const slots = 16384

// NewRedisCluster runs a cluster until the test ends. It returns when every node
// says that it is whole.
func NewRedisCluster(t testing.TB) *RedisCluster {
	t.Helper()
	c := &RedisCluster{}
	for i := range c.Nodes {
		node := newRedis(t, "cluster-enabled yes", "cluster-port "+strconv.Itoa(redisPort(t)),
			"cluster-config-file nodes.conf")
		node.Start(t)
		c.Nodes[i] = node
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
	for _, node := range c.Nodes {
		node.await(t, func(ctx context.Context) bool {
			state, err := node.client.ClusterInfo(ctx).Result()
			return err == nil && strings.Contains(state, "cluster_state:ok") && strings.Contains(state, "cluster_known_nodes:3")
		}, "whole cluster")
	}
	return c
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
