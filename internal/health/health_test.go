package health_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hello-world-co-op/handoff/internal/health"
)

func well(context.Context) error { return nil }

func names(results []health.Result) []string {
	list := []string{}
	for _, r := range results {
		list = append(list, r.Name)
	}
	return list
}

func TestAsk_namesWhoIsDownAndWhy(t *testing.T) {
	t.Parallel()
	down := errors.New("connection refused")
	checks := health.New(map[string]health.Check{
		"redis": well, "postgres": func(context.Context) error { return down }, "peer": well,
	})
	results := checks.Ask(t.Context())
	if got := names(results); !slices.Equal(got, []string{"peer", "postgres", "redis"}) {
		t.Errorf("in the order %v", got)
	}
	for _, r := range results {
		if want := map[string]error{"postgres": down}[r.Name]; !errors.Is(r.Err, want) || (want == nil) != (r.Err == nil) {
			t.Errorf("%s: %v", r.Name, r.Err)
		}
	}
}

// A dependency that hangs costs a second, however many of them do, and is said to
// be down; the others are told as they are.
func TestAsk_waitsASecondForAllTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		polite := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		deaf := func(ctx context.Context) error { <-time.After(time.Hour); return ctx.Err() } // an hour of the bubble's
		slow := func(context.Context) error { <-time.After(900 * time.Millisecond); return nil }
		checks := health.New(map[string]health.Check{"deaf": deaf, "polite": polite, "slow": slow, "well": well})

		begun := time.Now()
		results := checks.Ask(t.Context())
		if took := time.Since(begun); took != health.Timeout {
			t.Errorf("it took %v", took)
		}
		for i, want := range []struct {
			down    bool
			latency time.Duration
		}{{true, time.Second}, {true, time.Second}, {false, 900 * time.Millisecond}, {false, 0}} {
			if r := results[i]; (r.Err != nil) != want.down || r.Latency != want.latency {
				t.Errorf("%s: %v after %v", r.Name, r.Err, r.Latency)
			}
		}
		<-time.After(time.Hour) // lets the deaf one end
	})
}

func TestAsk_endsWithItsCaller(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hanging := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	results := health.New(map[string]health.Check{"postgres": hanging}).Ask(ctx)
	if len(results) != 1 || !errors.Is(results[0].Err, context.Canceled) {
		t.Errorf("%v", results)
	}
}

func TestDrain_isForGood(t *testing.T) {
	t.Parallel()
	checks := health.New(nil)
	if checks.Draining() {
		t.Error("draining from its beginning")
	}
	checks.Drain()
	checks.Drain()
	if !checks.Draining() {
		t.Error("not draining")
	}
}

// I13: a crowd that asks at once is one question to each dependency, and who gives up
// takes nobody's answer away.
func TestI13_aCrowdAsksOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		checks := health.New(map[string]health.Check{"postgres": func(ctx context.Context) error {
			asked++
			<-time.After(100 * time.Millisecond)
			return ctx.Err()
		}})
		hasty, leave := context.WithCancel(t.Context())
		go checks.Ask(hasty)
		synctest.Wait()
		answers := make(chan []health.Result, 50)
		for range cap(answers) {
			go func() { answers <- checks.Ask(t.Context()) }()
		}
		synctest.Wait()
		leave()
		for range cap(answers) {
			if results := <-answers; len(results) != 1 || results[0].Err != nil {
				t.Errorf("%v", results)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		if checks.Ask(t.Context()); asked != 2 {
			t.Errorf("the next question was not asked: %d", asked)
		}
	})
}

// Who asks a thousand times during an outage writes no thousand lines.
func TestOnChange_saysOnceThatItIsDownAndOnceThatItIsBack(t *testing.T) {
	t.Parallel()
	var trouble error
	checks := health.New(map[string]health.Check{"redis": func(context.Context) error { return trouble }})
	said := []string{}
	checks.OnChange(func(r health.Result) {
		said = append(said, map[bool]string{true: r.Name + " is back", false: r.Name + " is down"}[r.Err == nil])
	})
	for _, err := range []error{nil, nil, errors.New("refused"), errors.New("reset"), nil, nil} {
		trouble = err
		checks.Ask(t.Context())
	}
	if !slices.Equal(said, []string{"redis is down", "redis is back"}) {
		t.Errorf("%v", said)
	}
}
