package faulttest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// The Redis servers of the rig, each as the service's own client sees it.

func TestASingleRedisForgetsOrComesBackFromThePast(t *testing.T) {
	t.Parallel()
	r := faulttest.NewRedis(t)
	client := open(t, r.URL())
	put(t, client, "early")
	r.Snapshot(t)
	if err := client.Del(t.Context(), "early").Err(); err != nil {
		t.Fatal(err)
	}
	put(t, client, "late")
	r.Kill()
	r.Start(t)
	if got := found(t, r.Client(), "early", "late"); got != "early" {
		t.Errorf("from its snapshot: %q", got)
	}
	r.Kill()
	r.Forget(t)
	r.Start(t)
	if got := found(t, r.Client(), "early", "late"); got != "" {
		t.Errorf("from nothing: %q", got)
	}
}

func TestWhatAReplicaNeverHeardOfIsUndoneByItsPromotion(t *testing.T) {
	t.Parallel()
	set := faulttest.NewRedisSet(t, 3)
	client := open(t, set.URL())
	put(t, client, "early")
	set.AwaitReplication(t)
	primary := set.Primary(t)
	replica := set.Other(primary)
	faulttest.Await(t, func() bool { return found(t, replica.Client(), "early") == "early" }, func() string { return "not replicated" })

	set.CutReplication(t)
	if err := client.Del(t.Context(), "early").Err(); err != nil {
		t.Fatal(err)
	}
	put(t, client, "late")
	primary.Kill()
	begun := time.Now()
	set.AwaitPrimary(t, replica)
	t.Logf("promoted after %v", time.Since(begun))
	if got := found(t, client, "early", "late"); got != "early" {
		t.Errorf("after the failover: %q", got)
	}
	set.MendReplication(t, replica)
	set.Rejoin(t, primary)
	set.AwaitReplication(t)
	begun = time.Now()
	set.Failover(t)
	set.AwaitPrimary(t, primary)
	set.AwaitReplication(t)
	t.Logf("planned failover after %v", time.Since(begun))
	if got := found(t, client, "early", "late"); got != "early" {
		t.Errorf("after the planned one: %q", got)
	}
}

func TestAClusterTakesKeysOfEverySlot(t *testing.T) {
	t.Parallel()
	client := open(t, faulttest.NewRedisCluster(t).URL())
	for _, key := range strings.Fields("a b c d e f g h i j") {
		put(t, client, key)
		if got := found(t, client, key); got != key {
			t.Errorf("%q", got)
		}
	}
}

func TestWhatAClustersReplicaNeverHeardOfIsUndoneByItsPromotion(t *testing.T) {
	t.Parallel()
	cluster := faulttest.NewReplicatedRedisCluster(t)
	client := open(t, cluster.URL())
	put(t, client, "early")
	place := cluster.Owner(t, "early")
	primary, replica := cluster.Nodes[place], cluster.Replicas[place]
	faulttest.AwaitInStep(t, primary, replica)
	cluster.CutReplication(t, place)
	if err := client.Del(t.Context(), "early").Err(); err != nil {
		t.Fatal(err)
	}
	if replica.IsPrimary(t) {
		t.Error("promoted while its primary lives")
	}
	primary.Kill()
	begun := time.Now()
	cluster.AwaitPromotion(t, place)
	t.Logf("promoted after %v", time.Since(begun))
	if got := found(t, replica.Client(), "early"); got != "early" {
		t.Errorf("after the promotion: %q", got)
	}
}

func open(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	client, err := datastore.OpenRedis(privacy.NewSecret(url), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// put sets a key, when the client has found who is in charge.
func put(t *testing.T, client redis.UniversalClient, key string) {
	t.Helper()
	var err error
	faulttest.Await(t, func() bool {
		err = client.Set(t.Context(), key, "x", time.Minute).Err()
		return err == nil
	}, func() string { return err.Error() })
}

// found lists which of the keys are there.
func found(t *testing.T, client redis.UniversalClient, keys ...string) string {
	t.Helper()
	var there []string
	for _, key := range keys {
		var err error
		faulttest.Await(t, func() bool {
			var n int64
			if n, err = client.Exists(context.WithoutCancel(t.Context()), key).Result(); err == nil && n == 1 {
				there = append(there, key)
			}
			return err == nil
		}, func() string { return err.Error() })
	}
	return strings.Join(there, " ")
}
