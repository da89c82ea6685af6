package ratelimit_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func isOutage(err error) bool {
	var down *outage.Error
	return errors.As(err, &down) && down.Dependency == "redis"
}

func choosing(choice ratelimit.Choice) ratelimit.Limit {
	return ratelimit.Limit{Name: "test", PerMinute: 1, OnOutage: choice}
}

const (
	outageLine = "redis does not answer the rate limits"
	againLine  = "redis answers the rate limits again"
)

// logged is a limiter whose log the test reads and whose clock it moves.
func logged(t testing.TB, client ratelimit.Redis, timeout time.Duration) (*ratelimit.Limiter, *lines, *testkit.Clock) {
	t.Helper()
	log, clock := &lines{}, testkit.NewClock()
	return limiterOn(t, client, func(c *ratelimit.Config) {
		c.Timeout, c.Log, c.Now = timeout, slog.New(slog.NewTextHandler(log, nil)), clock.Now
	}), log, clock
}

// Redis goes away, comes back, and the limits mean something again. Open limits let
// pass in between, closed ones refuse with what the edge answers as 503; and the
// log has two lines about it, with nobody in them.
func TestTake_inAnOutageEachLimitDoesWhatItChose(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]func(*testkit.Link){"down": (*testkit.Link).Cut, "hanging": (*testkit.Link).Freeze} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, link := linked(t)
			limiter, log, _ := logged(t, client, 500*time.Millisecond)
			trouble(link)
			if err := limiter.Take(t.Context(), choosing(ratelimit.Open), "ada@example.org", "192.0.2.7"); err != nil {
				t.Errorf("open: %v", err)
			}
			err := limiter.Take(t.Context(), choosing(ratelimit.Closed), "ada@example.org", "192.0.2.7")
			if !isOutage(err) || errors.Is(err, ratelimit.ErrExceeded) {
				t.Errorf("closed: %v", err)
			} else if strings.Contains(err.Error(), "ada@") || strings.Contains(err.Error(), "192.0.2.7") {
				t.Errorf("the error names its subject: %v", err)
			}
			limiter.Forgive(t.Context(), choosing(ratelimit.Open), "ada@example.org", "192.0.2.7")
			if passed := limiter.Passed(); passed != 1 {
				t.Errorf("%d tries passed uncounted, of 1", passed)
			}
			if log.count(outageLine) != 1 || log.count(againLine) != 0 {
				t.Errorf("the log says:\n%s", log)
			}
			link.Mend()
			// The pool gets rid of the connections that died, at the cost of a try each;
			// then open limits are limits again.
			for tries := 0; !errors.Is(err, ratelimit.ErrExceeded); tries++ {
				if tries == 40 {
					t.Fatal("the limiter does not find its Redis again")
				}
				err = limiter.Take(t.Context(), choosing(ratelimit.Open), "ada@example.org", "192.0.2.7")
			}
			if log.count(outageLine) != 1 || log.count(againLine) != 1 || !strings.Contains(log.String(), "passed_uncounted=") {
				t.Errorf("the log says:\n%s", log)
			}
			if text := log.String(); strings.Contains(text, "ada@") || strings.Contains(text, "192.0.2.7") || !strings.Contains(text, "prefix=dao:") {
				t.Errorf("the log says:\n%s", text)
			}
		})
	}
}

// A Redis that takes connections and never answers costs a request the limiter's
// own time, not the driver's second for each command.
func TestTake_aHangingRedisCostsTheTimeoutOnly(t *testing.T) {
	t.Parallel()
	client, link := linked(t)
	limiter, _, _ := logged(t, client, 20*time.Millisecond)
	link.Freeze()
	for name, ask := range map[string]func(){
		"take":    func() { _ = limiter.Take(t.Context(), choosing(ratelimit.Closed), "ada") },
		"forgive": func() { limiter.Forgive(t.Context(), choosing(ratelimit.Closed), "ada") },
	} {
		begun := time.Now()
		for range 3 {
			ask()
		}
		if took := time.Since(begun); took > 2*time.Second {
			t.Errorf("three times %s took %v", name, took)
		}
	}
}

// The timeout is there when nobody set one.
func TestTake_hasATimeoutByDefault(t *testing.T) {
	t.Parallel()
	seen := &recorder{Redis: testkit.Redis(t)}
	limiter := limiterOn(t, seen, func(c *ratelimit.Config) { c.Timeout = 0 })
	begun := time.Now()
	mustTake(t, limiter, 1, limit(1), "ada")
	if len(seen.deadlines) == 0 {
		t.Fatal("nothing was asked")
	}
	for _, deadline := range seen.deadlines {
		if until := deadline.Sub(begun); until < 250*time.Millisecond || until > 10*time.Second {
			t.Errorf("Redis may take %v", until)
		}
	}
}

// A Redis that answers every other question does not fill the log.
func TestTake_aFlickeringRedisIsAnnouncedOnceAMinute(t *testing.T) {
	t.Parallel()
	seen := &recorder{Redis: testkit.Redis(t)}
	limiter, log, clock := logged(t, seen, patient)
	flicker := func() {
		for range 10 {
			seen.refuse(errors.New("LOADING Redis is loading the dataset in memory"))
			if err := limiter.Take(t.Context(), choosing(ratelimit.Open), "ada"); err != nil {
				t.Fatal(err)
			}
			seen.refuse(nil)
			_ = limiter.Take(t.Context(), choosing(ratelimit.Open), "ada")
		}
	}
	flicker()
	if log.count(outageLine) != 1 || log.count(againLine) != 1 || !strings.Contains(log.String(), "passed_uncounted=1") {
		t.Errorf("ten times on and off: the log says\n%s", log)
	}
	clock.Advance(59 * time.Second)
	flicker()
	if log.count(outageLine) != 1 {
		t.Errorf("within the minute: the log says\n%s", log)
	}
	clock.Advance(time.Second)
	flicker()
	if log.count(outageLine) != 2 || log.count(againLine) != 2 {
		t.Errorf("a minute later: the log says\n%s", log)
	}
	if limiter.Passed() != 30 {
		t.Errorf("%d passed uncounted, of 30", limiter.Passed())
	}
}

// However long it lasts, an outage is announced once.
func TestTake_aLongOutageIsOneLine(t *testing.T) {
	t.Parallel()
	limiter, log, clock := logged(t, &recorder{Redis: testkit.Redis(t), answer: errors.New("LOADING")}, patient)
	for range 5 {
		if err := limiter.Take(t.Context(), choosing(ratelimit.Closed), "ada"); !isOutage(err) {
			t.Fatal(err)
		}
		clock.Advance(time.Hour)
	}
	if log.count(outageLine) != 1 || log.count("\n") != 1 {
		t.Errorf("the log says:\n%s", log)
	}
}

// A caller who gave up says nothing about Redis.
func TestTake_aCallerWhoLeavesIsNoOutage(t *testing.T) {
	t.Parallel()
	limiter, log, _ := logged(t, testkit.Redis(t), patient)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := limiter.Take(gone, choosing(ratelimit.Closed), "ada"); !errors.Is(err, context.Canceled) || !isOutage(err) {
		t.Errorf("closed: %v", err)
	}
	if err := limiter.Take(gone, choosing(ratelimit.Open), "ada"); err != nil {
		t.Errorf("open: %v", err)
	}
	if log.String() != "" {
		t.Errorf("the log says:\n%s", log)
	}
}

// Who writes Redis can put anything under a key. It is an outage like any other,
// and no panic.
func TestTake_nonsenseInRedisIsAnOutage(t *testing.T) {
	t.Parallel()
	client := testkit.Redis(t)
	limiter := limiterOn(t, client)
	mustTake(t, limiter, 1, choosing(ratelimit.Closed), "ada")
	key := keys(t, client)[0]
	for name, put := range map[string]func() error{
		"a word":  func() error { return client.Set(t.Context(), key, "soon", time.Minute).Err() },
		"nothing": func() error { return client.Set(t.Context(), key, "", time.Minute).Err() },
		"a list": func() error {
			return errors.Join(client.Del(t.Context(), key).Err(), client.LPush(t.Context(), key, "1").Err())
		},
	} {
		if err := put(); err != nil {
			t.Fatal(err)
		}
		if err := limiter.Take(t.Context(), choosing(ratelimit.Closed), "ada"); !isOutage(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err := limiter.Take(t.Context(), choosing(ratelimit.Open), "ada"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// recorder notes what is asked of Redis, and refuses when told to. It is for one
// goroutine.
type recorder struct {
	ratelimit.Redis
	keys      [][]string // of each command
	deadlines []time.Time
	answer    error           // what is answered in the place of Redis, if anything
	budgets   int             // how many budgets Redis is asked for all the same
	answered  map[string]bool // those
}

func (r *recorder) refuse(err error) { r.answer = err }

func (r *recorder) note(ctx context.Context, keys []string) error {
	r.keys = append(r.keys, keys)
	deadline, bounded := ctx.Deadline()
	if !bounded {
		return errors.New("a command without a deadline")
	}
	r.deadlines = append(r.deadlines, deadline)
	if r.answer == nil || r.answered[keys[0]] {
		return nil
	}
	if len(r.answered) < r.budgets {
		if r.answered == nil {
			r.answered = map[string]bool{}
		}
		r.answered[keys[0]] = true
		return nil
	}
	return r.answer
}

func (r *recorder) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	if err := r.note(ctx, keys); err != nil {
		return failed(ctx, err)
	}
	return r.Redis.Eval(ctx, script, keys, args...)
}

func (r *recorder) EvalSha(ctx context.Context, sha1 string, keys []string, args ...any) *redis.Cmd {
	if err := r.note(ctx, keys); err != nil {
		return failed(ctx, err)
	}
	return r.Redis.EvalSha(ctx, sha1, keys, args...)
}

func (r *recorder) Del(ctx context.Context, keys ...string) *redis.IntCmd {
	if err := r.note(ctx, keys); err != nil {
		cmd := redis.NewIntCmd(ctx)
		cmd.SetErr(err)
		return cmd
	}
	return r.Redis.Del(ctx, keys...)
}

func failed(ctx context.Context, err error) *redis.Cmd {
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(err)
	return cmd
}
