package datastore_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/batch"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// gate stands between a client and the line: what is sent waits until it is opened.
type gate struct {
	open  chan struct{} // lets one trip pass, or when it is closed all
	first chan struct{} // closed when something waits
	after func()        // called when a pipeline has its answers; nil for nothing

	waits sync.Once
	mu    sync.Mutex
	trips []int // how many commands each had
	stuck int   // how many commands wait here
}

func (g *gate) pass(commands int) {
	g.mu.Lock()
	g.trips = append(g.trips, commands)
	g.stuck += commands
	g.mu.Unlock()
	g.waits.Do(func() { close(g.first) })
	<-g.open
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuck -= commands
}

// most is how many commands have gone together.
func (g *gate) most() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Max(g.trips)
}

// away is how many commands wait here.
func (g *gate) away() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stuck
}

func (*gate) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if command.Name() == "set" {
			g.pass(1)
		}
		return next(ctx, command)
	}
}

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		if commands[0].Name() == "set" { // the driver greets each connection's server in one
			g.pass(len(commands))
			if g.after != nil {
				defer g.after()
			}
		}
		return next(ctx, commands)
	}
}

// gated is a client whose first command waits at the gate.
func gated(t *testing.T, watch datastore.Watch) (redis.UniversalClient, *gate) {
	t.Helper()
	client, err := datastore.OpenRedis(testkit.RedisURL(t), watch)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	g := &gate{open: make(chan struct{}), first: make(chan struct{})}
	client.AddHook(g)
	return client, g
}

// Commands that come while one of their kind is on its way share trips, each gets its own
// answer, and an error is that of one. Each is watched.
func TestRedis_commandsShareTheirTrips(t *testing.T) {
	t.Parallel()
	var watched atomic.Int64
	client, g := gated(t, func(ctx context.Context, name string) (context.Context, func(error)) {
		if name == "set" {
			watched.Add(1)
		}
		return ctx, func(error) {}
	})
	const all = 200
	var gone sync.WaitGroup
	set := func(key string, i int) error {
		return client.SetArgs(t.Context(), key, i, redis.SetArgs{Mode: "NX", TTL: time.Minute}).Err()
	}
	gone.Go(func() {
		if err := set("the first", 0); err != nil {
			t.Error(err)
		}
	})
	<-g.first
	var taken atomic.Int64
	for i := range all {
		gone.Go(func() {
			switch err := set(fmt.Sprint("key ", i/2), i); {
			case errors.Is(err, redis.Nil):
				taken.Add(1) // by the other half of the pair
			case err != nil:
				t.Error(err)
			}
		})
	}
	close(g.open)
	gone.Wait()
	if taken.Load() != all/2 || watched.Load() != all+1 {
		t.Errorf("%d of %d are taken, %d were watched", taken.Load(), all, watched.Load())
	}
	if most := g.most(); most < 2 || most > 128 {
		t.Errorf("the trips had %v commands", g.trips)
	}
}

// Whoever gives up while the pipeline is on its way waits for its end all the same: it
// writes into their command, and would write into what they do with it next.
func TestRedis_nobodyLeavesTheirCommandBehind(t *testing.T) {
	t.Parallel()
	client, g := gated(t, nil)
	const all = 50
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var gone sync.WaitGroup
	var returned, unsent atomic.Int64
	for i := range all {
		gone.Go(func() {
			if err := client.Set(ctx, fmt.Sprint("key ", i), i, time.Minute).Err(); outage.TookNoEffect(err) {
				unsent.Add(1)
			}
			returned.Add(1)
		})
	}
	<-g.first
	for g.most() < 2 {
		select {
		case g.open <- struct{}{}: // what waits for it goes out together
		default:
			runtime.Gosched()
		}
	}
	cancel()
	for range 1000 {
		runtime.Gosched() // a chance to leave
	}
	back, away := int(returned.Load()), g.away()
	if back+away > all {
		t.Errorf("%d have returned, of %d, while %d were on their way", back, all, away)
	}
	close(g.open)
	gone.Wait()
	if int(unsent.Load()) > all-away {
		t.Errorf("%d are told that they were not sent; %d were on their way", unsent.Load(), away)
	}
}

// A pipeline that ends in a panic may have been answered: whoever had a command in it does
// not know, and is not told that it was never sent.
func TestRedis_aPanicMayComeAfterTheAnswer(t *testing.T) {
	t.Parallel()
	client, g := gated(t, nil)
	g.after = func() { panic("after the answer") }
	var gone sync.WaitGroup
	gone.Go(func() {
		if err := client.Set(t.Context(), "the first", 0, time.Minute).Err(); err != nil {
			t.Error(err) // by itself
		}
	})
	<-g.first
	const all = 50
	var told atomic.Int64
	for i := range all {
		gone.Go(func() {
			err := client.Set(t.Context(), fmt.Sprint("key ", i), i, time.Minute).Err()
			if down := (*outage.Error)(nil); err != nil && (!errors.As(err, &down) || outage.TookNoEffect(err)) {
				t.Errorf("key %d: %v", i, err)
			}
			if errors.Is(err, batch.ErrPanicked) {
				told.Add(1)
			}
		})
	}
	for g.most() < 2 {
		select {
		case g.open <- struct{}{}:
		default:
			runtime.Gosched()
		}
	}
	close(g.open)
	gone.Wait()
	there := 0
	for i := range all {
		there += int(client.Exists(t.Context(), fmt.Sprint("key ", i)).Val())
	}
	if there != all || told.Load() < 2 {
		t.Errorf("%d of %d are there, %d do not know", there, all, told.Load())
	}
}
