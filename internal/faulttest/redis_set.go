package faulttest

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// RedisSet is a primary, its replica and the sentinels that watch them.
type RedisSet struct {
	Nodes     [2]*Redis
	Sentinels []*Redis
}

// setName is the primary's name among the sentinels.
const setName = "handoff"

// Sentinel's own times, in milliseconds, made short so that a failover takes about a
// second. What it does is not changed by them.
const (
	downAfter       = "400"
	failoverTimeout = "1500"
)

// NewRedisSet runs a primary, a replica and n sentinels, more than half of which must
// agree, until the test ends. It returns when the replica is in step and every
// sentinel knows it.
func NewRedisSet(t testing.TB, n int) *RedisSet {
	t.Helper()
	s := &RedisSet{}
	for i := range s.Nodes {
		s.Nodes[i] = newRedis(t, "repl-timeout 5", "repl-ping-replica-period 1")
	}
	s.Nodes[0].Start(t)
	s.Nodes[1].Start(t, replicaOf(s.Nodes[0]))
	s.AwaitReplication(t)
	host, port, err := net.SplitHostPort(s.Nodes[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		sentinel := newRedis(t)
		_, own, _ := strings.Cut(sentinel.Addr, ":")
		sentinel.config = []string{
			"bind 127.0.0.1", "port " + own, "dir " + sentinel.dir, "requirepass " + redisPassword, "sentinel sentinel-pass " + redisPassword,
			"sentinel monitor " + setName + " " + host + " " + port + " " + strconv.Itoa(n/2+1),
			"sentinel auth-pass " + setName + " " + redisPassword,
			"sentinel down-after-milliseconds " + setName + " " + downAfter,
			"sentinel failover-timeout " + setName + " " + failoverTimeout,
			"sentinel parallel-syncs " + setName + " 1",
		}
		s.Sentinels = append(s.Sentinels, sentinel)
		sentinel.start(t, []string{"--sentinel"})
	}
	for _, sentinel := range s.Sentinels {
		sentinel.await(t, sentinel.isUp, "answer")
		hasten(t, sentinel)
		sentinel.await(t, func(ctx context.Context) bool { return knowsSet(ctx, sentinel, n) }, "knowledge of the set")
	}
	return s
}

// hasten shortens the times between a sentinel's questions (Redis 7.0: SENTINEL
// DEBUG), in milliseconds; the defaults are 1 to 10 s.
func hasten(t testing.TB, sentinel *Redis) {
	t.Helper()
	err := sentinel.client.Do(t.Context(), "SENTINEL", "DEBUG",
		"INFO-PERIOD", "200", "PING-PERIOD", "200", "ASK-PERIOD", "200", "PUBLISH-PERIOD", "250").Err()
	if err != nil {
		t.Fatal(err)
	}
}

// knowsSet reports whether a sentinel would and could fail over.
func knowsSet(ctx context.Context, sentinel *Redis, sentinels int) bool {
	state := redis.NewMapStringStringCmd(ctx, "SENTINEL", "MASTER", setName)
	err := sentinel.client.Process(ctx, state)
	of := state.Val()
	return err == nil && of["flags"] == "master" && of["num-slaves"] == "1" &&
		of["num-other-sentinels"] == strconv.Itoa(sentinels-1)
}

// URL is REDIS_URL for the set, in go-redis' form for Sentinel: the password of the
// sentinels stands before the host, that of the servers in the query.
func (s *RedisSet) URL() string {
	query := url.Values{"master_name": {setName}, "password": {redisPassword}}
	for _, sentinel := range s.Sentinels[1:] {
		query.Add("addr", sentinel.Addr)
	}
	return "redis://:" + redisPassword + "@" + s.Sentinels[0].Addr + "/0?" + query.Encode()
}

// Primary is who the first sentinel says it is.
func (s *RedisSet) Primary(t testing.TB) *Redis {
	t.Helper()
	primary := s.primary(t.Context())
	if primary == nil {
		t.Fatal("faulttest: the sentinel names no primary")
	}
	return primary
}

func (s *RedisSet) primary(ctx context.Context) *Redis {
	told, err := s.Sentinels[0].client.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", setName).StringSlice()
	if err != nil || len(told) != 2 {
		return nil
	}
	for _, node := range s.Nodes {
		if node.Addr == net.JoinHostPort(told[0], told[1]) {
			return node
		}
	}
	return nil
}

// Other is the node that is not this one.
func (s *RedisSet) Other(node *Redis) *Redis {
	if node == s.Nodes[0] {
		return s.Nodes[1]
	}
	return s.Nodes[0]
}

// AwaitPrimary waits until the sentinels agree that node is the primary and node
// does, too.
func (s *RedisSet) AwaitPrimary(t testing.TB, node *Redis) {
	t.Helper()
	for i := range s.Sentinels {
		seen := &RedisSet{Nodes: s.Nodes, Sentinels: s.Sentinels[i:]}
		s.Sentinels[i].await(t, func(ctx context.Context) bool { return seen.primary(ctx) == node }, "new primary named by the sentinel")
	}
	node.await(t, func(ctx context.Context) bool { return info(ctx, node)["role"] == "master" }, "promotion")
}

// AwaitReplication waits until one node is the other's replica, has all that it has,
// and the sentinels have heard of it.
func (s *RedisSet) AwaitReplication(t testing.TB) {
	t.Helper()
	Await(t, func() bool { return s.inStep(t.Context()) }, func() string {
		return "the replica is not in step:\n" + lastOf(s.Nodes[0].Log()) + "\n" + lastOf(s.Nodes[1].Log())
	})
	for _, sentinel := range s.Sentinels {
		sentinel.await(t, func(ctx context.Context) bool { return knowsSet(ctx, sentinel, len(s.Sentinels)) }, "knowledge of the set")
	}
}

func (s *RedisSet) inStep(ctx context.Context) bool {
	a, b := info(ctx, s.Nodes[0]), info(ctx, s.Nodes[1])
	if a["role"] == "slave" {
		a, b = b, a
	}
	return a["role"] == "master" && b["role"] == "slave" && b["master_link_status"] == "up" &&
		a["connected_slaves"] == "1" && a["master_replid"] == b["master_replid"] && strings.Contains(a["slave0"], "state=online")
}

// AwaitInStep waits until a replica has all that its primary has written so far.
func AwaitInStep(t testing.TB, primary, replica *Redis) {
	t.Helper()
	Await(t, func() bool {
		here, there := info(t.Context(), primary), info(t.Context(), replica)
		return there["role"] == "slave" && there["master_link_status"] == "up" && here["master_replid"] == there["master_replid"] &&
			here["master_repl_offset"] == there["slave_repl_offset"]
	}, func() string { return "the replica is not in step:\n" + lastOf(replica.Log()) })
}

// IsPrimary reports whether a node believes that it is one, and false where it does not
// say.
func (r *Redis) IsPrimary(t testing.TB) bool {
	t.Helper()
	return info(t.Context(), r)["role"] == "master"
}

// info is INFO replication, empty when there is no answer.
func info(ctx context.Context, node *Redis) map[string]string {
	fields := map[string]string{}
	text, err := node.client.Info(ctx, "replication").Result()
	if err != nil {
		return fields
	}
	for line := range strings.Lines(text) {
		if name, value, is := strings.Cut(strings.TrimSpace(line), ":"); is {
			fields[name] = value
		}
	}
	return fields
}

// CutReplication ends the link between primary and replica, and it does not come back
// before [RedisSet.MendReplication]: the replica no longer knows the password. (Its
// address stays the same, or the sentinels would correct it.) What the primary does
// from here on the replica never hears.
func (s *RedisSet) CutReplication(t testing.TB) {
	t.Helper()
	primary := s.Primary(t)
	cutLink(t, primary, s.Other(primary))
}

// cutLink is [RedisSet.CutReplication] between any two.
func cutLink(t testing.TB, primary, replica *Redis) {
	t.Helper()
	if err := replica.client.ConfigSet(t.Context(), "masterauth", "lost").Err(); err != nil {
		t.Fatal(err)
	}
	Await(t, func() bool {
		// On both sides: one alone may see it end only later.
		_ = primary.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "replica").Err()
		_ = replica.client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "master").Err()
		return info(t.Context(), replica)["master_link_status"] == "down" && info(t.Context(), primary)["connected_slaves"] == "0"
	}, func() string { return "the replication link stays up" })
}

// MendReplication gives a node the password again.
func (s *RedisSet) MendReplication(t testing.TB, node *Redis) {
	t.Helper()
	if err := node.client.ConfigSet(t.Context(), "masterauth", redisPassword).Err(); err != nil {
		t.Fatal(err)
	}
}

// Rejoin starts a node that was killed, empty, as the replica of the other.
func (s *RedisSet) Rejoin(t testing.TB, node *Redis) {
	t.Helper()
	node.Start(t, replicaOf(s.Other(node)))
}

func replicaOf(primary *Redis) string {
	host, port, _ := strings.Cut(primary.Addr, ":")
	return "replicaof " + host + " " + port
}

// Failover has the first sentinel do one as an operator orders it, and returns when it
// names the new primary: the old one is well, and loses its role while clients write
// to it.
func (s *RedisSet) Failover(t testing.TB) {
	t.Helper()
	target := s.Other(s.Primary(t))
	var ordered time.Time
	var err error
	Await(t, func() bool {
		if s.primary(t.Context()) == target {
			return true
		}
		// It may be busy with the last one, or not have heard of the replica for a while,
		// also after it had said yes: it is asked again.
		if time.Since(ordered) > 250*time.Millisecond {
			err = s.Sentinels[0].client.Do(t.Context(), "SENTINEL", "FAILOVER", setName).Err()
			ordered = time.Now()
		}
		return false
	}, func() string { return fmt.Sprintf("no failover: %v\n%s", err, lastOf(s.Sentinels[0].Log())) })
}
