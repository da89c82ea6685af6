package app

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/metrics"
	"github.com/hello-world-co-op/handoff/internal/peer"
	"github.com/hello-world-co-op/handoff/internal/tracing"
	"github.com/hello-world-co-op/handoff/password"
)

// figures are where a half's outcomes go: its audit rows, its hand-offs' steps, and what its
// stores and the other half answer. Nobody who decides an outcome knows of Prometheus.
type figures struct {
	book     audit.Book
	progress handoff.Progress
	// watch sees the commands of one dependency.
	watch func(dependency string) datastore.Watch
	// queued sees who waits for a statement that is shared. It is no answer of Postgres' of
	// its own, and belongs in the trace only.
	queued groupcommit.Watch
	// inject writes the trace into a message to the other half.
	inject func(ctx context.Context, header http.Header)
}

// trace makes the tracer, if there is a collector.
func (a *App) trace(ctx context.Context) error {
	if a.config.TraceEndpoint == "" {
		return nil
	}
	tracer, err := tracing.New(ctx, tracing.Config{
		Endpoint: a.config.TraceEndpoint, Share: a.config.TraceShare, Version: a.options.Version,
		Environment: string(a.config.Environment), Log: a.options.Log,
	})
	if err != nil {
		return err
	}
	a.tracer = tracer
	a.closers = append(a.closers, tracer.Close)
	a.metrics.TraceFailures(tracer.Failures)
	return nil
}

// dependencies are what a half asks.
var dependencies = []string{"postgres", "redis", "peer"}

// alarming are the rows that a rule looks for: they stand at 0 from the start, since a rise
// from nothing is not seen.
var alarming = []audit.Record{
	{Event: audit.HandoffReplayed, Outcome: audit.Failure, Reason: audit.TokenUsed},
	{Event: audit.HandoffReplayed, Outcome: audit.Failure, Reason: audit.Resurrected},
	{Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: audit.SealBroken},
	{Event: audit.HandoffRefused, Outcome: audit.Failure, Reason: audit.TokenWrongTarget},
	{Event: audit.SessionEnded, Outcome: audit.Success, Reason: audit.ByReplay},
	{Event: audit.ReuseDetected, Outcome: audit.Failure},
	{Event: audit.StepUpFailed, Outcome: audit.Failure, Reason: audit.InvalidCredentials},
}

func (a *App) newFigures(half datastore.Half) figures {
	rows := metrics.AddAudit(a.metrics, string(half), metrics.AuditWords[audit.Event, audit.Outcome, audit.Reason, audit.Loss]{
		Events: audit.Events(), Outcomes: audit.Outcomes(), Reasons: audit.Reasons(), Losses: audit.Losses(),
	})
	for _, r := range alarming {
		rows.Expect(string(r.Event), string(r.Outcome), string(r.Reason))
	}
	stages := []handoff.Stage{}
	for _, step := range handoff.Steps() {
		stages = append(stages, step.To)
	}
	steps := metrics.AddSteps(a.metrics, string(half), stages)
	for _, step := range handoff.Steps() {
		if dao := step.To == handoff.StageMinted || step.To == handoff.StageExchanged; dao == (half == datastore.DAO) {
			steps.Expect(string(step.From), string(step.To))
		}
	}
	answered := a.metrics.Dependencies(string(half), dependencies)
	return figures{
		book: audit.Book{
			Written: func(r audit.Record) { rows.Row(string(r.Event), string(r.Outcome), string(r.Reason)) },
			Lost:    func(why audit.Loss) { rows.Lost(string(why)) },
		},
		progress: func(s handoff.Step) { steps.Step(string(s.From), string(s.To), s.Took) },
		watch: func(dependency string) datastore.Watch {
			return func(ctx context.Context, command string) (context.Context, func(error)) {
				ctx, end := a.tracer.Call(ctx, dependency, command)
				begun := time.Now()
				return ctx, func(err error) {
					answered(dependency, err != nil, time.Since(begun))
					end(err)
				}
			}
		},
		queued: func(ctx context.Context) (context.Context, func(error)) {
			return a.tracer.Call(ctx, "postgres", "shared")
		},
		inject: a.tracer.Inject,
	}
}

// peerWatch is watch for the other half.
func (f figures) peerWatch() peer.Watch {
	watch := f.watch("peer")
	return func(ctx context.Context, path string, header http.Header) (context.Context, func(error)) {
		ctx, end := watch(ctx, path)
		f.inject(ctx, header)
		return ctx, end
	}
}

// poolFigures adds the connections of a half to its stores.
func (a *App) poolFigures(half datastore.Half, pool *datastore.Postgres, redis datastore.Redis) {
	a.metrics.Pool(string(half), "postgres", func() metrics.Pool {
		s := pool.Stat()
		return metrics.Pool{
			Most: int(s.MaxConns()), Open: int(s.TotalConns()), Idle: int(s.IdleConns()),
			Waited: uint64(s.EmptyAcquireCount()), TimedOut: uint64(s.CanceledAcquireCount()), WaitedFor: s.EmptyAcquireWaitTime(), //nolint:gosec // counts, never below 0
		}
	})
	a.metrics.Pool(string(half), "redis", func() metrics.Pool {
		s := redis.PoolStats()
		return metrics.Pool{
			Open: int(s.TotalConns), Idle: int(s.IdleConns),
			Waited: uint64(s.WaitCount), TimedOut: uint64(s.Timeouts), WaitedFor: time.Duration(s.WaitDurationNs),
		}
	})
}

// queues are requests that wait for a statement that they share.
type queues interface {
	Watch(watch groupcommit.Watch)
	Waiting() int
}

// queueFigures adds those of a half.
func (a *App) queueFigures(half datastore.Half, f figures, all ...queues) {
	for _, one := range all {
		one.Watch(f.queued)
	}
	a.metrics.Queued(string(half), func() (waiting int) {
		for _, one := range all {
			waiting += one.Waiting()
		}
		return waiting
	})
}

// hashingFigures adds what the passwords cost.
func hashingFigures(registry *metrics.Registry, hasher *password.Hasher) {
	registry.Hashing(func() metrics.Hashing {
		l := hasher.Load()
		return metrics.Hashing{Taken: l.Taken, Slots: l.Slots, Waiting: l.Waiting, Queue: l.Queue, Busy: l.Busy}
	})
}

// tokenFigures adds the service tokens and the bearers of services: which there are, since
// when each is in use, and when it was last.
func (a *App) tokenFigures() {
	a.metrics.ServiceTokens(a.tokensSeen)
	var current, previous []string
	if ids := secretIDs(a.config.ServiceTokens); len(ids) > 0 {
		current, previous = ids[:1], ids[1:]
	}
	if a.config.FOS.AuthzAddr != "" {
		staying := map[string]string{} // a name's last bearer is the one that stays
		for _, s := range services(a.config.FOS.Services) {
			if old, twice := staying[s.Name]; twice {
				previous = append(previous, old)
			}
			staying[s.Name] = s.KeyID()
		}
		current = append(current, slices.Collect(maps.Values(staying))...)
	}
	a.metrics.ServiceTokenKeys(current, previous)
}
