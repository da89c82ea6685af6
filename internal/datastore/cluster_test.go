package datastore_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I13: of two masters of a Cluster one takes connections and answers nothing. Who sends
// commands to the other one does not notice.
func TestI13_aDeadMasterTakesNobodysCommandsAlong(t *testing.T) {
	t.Parallel()
	well, err := redis.ParseURL(testkit.RedisURL(t).Reveal())
	if err != nil {
		t.Fatal(err)
	}
	dead, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dead.Close() }()
	client := redis.NewClusterClient(&redis.ClusterOptions{
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{
				{Start: 0, End: 8191, Nodes: []redis.ClusterNode{{Addr: well.Addr}}},
				{Start: 8192, End: 16383, Nodes: []redis.ClusterNode{{Addr: dead.Addr().String()}}},
			}, nil
		},
		Username: well.Username, Password: well.Password, MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: time.Second, ReadTimeout: time.Second, WriteTimeout: time.Second,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	defer func() { _ = client.Close() }()
	datastore.Share(client)
	if err := client.Set(t.Context(), "{b}", 1, time.Minute).Err(); err != nil { // the driver knows the masters now
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // a request's time
	defer cancel()
	var gone sync.WaitGroup
	for i := range 60 {
		gone.Go(func() {
			if i%6 == 0 {
				_ = client.Set(ctx, fmt.Sprintf("{a}%d", i), 1, time.Minute).Err() // slot 15495: nobody answers
				return
			}
			if err := client.Set(ctx, fmt.Sprintf("{b}%d", i), 1, time.Minute).Err(); err != nil { // slot 3300
				t.Error(err)
			}
		})
	}
	gone.Wait()
}
