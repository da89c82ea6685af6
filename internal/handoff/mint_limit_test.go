package handoff_test

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// perMinute is a session's limit, kept by one replica.
func perMinute(t testing.TB, n int) *ratelimit.Rows {
	t.Helper()
	limiter, err := ratelimit.New(ratelimit.Config{
		Redis: testkit.Redis(t), Prefix: "dao:", Key: testkit.Key(t, testkit.PseudonymKey), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := limiter.Rows(ratelimit.Numbers{Mint: n}.Limits().Mint)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// of is how many of these were let through; the others must be over the limit.
func (b *bench) of(t *testing.T, replicas ...*handoff.Minter) (passed int) {
	t.Helper()
	for _, replica := range replicas {
		switch _, err := replica.Mint(inTime(t), b.ask()); {
		case err == nil:
			passed++
		case !errors.Is(err, ratelimit.ErrExceeded):
			t.Error(err)
		}
	}
	return passed
}

// replica is another Minter on the same stores, which remembers nothing of this one's.
func (b *bench) replica(t *testing.T, n int) *handoff.Minter {
	t.Helper()
	config := b.minter.MinterConfig
	config.Limit = perMinute(t, n)
	return handoff.NewMinter(config)
}

// Section 2: n at once, and then one every minute/n, whichever replica is asked; what is
// refused is not counted, and leaves no trace.
func TestMint_replicasShareASessionsBudget(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	one, other := b.replica(t, 3), b.replica(t, 3)
	if n := b.of(t, one, other, one, other, one, other, other); n != 3 {
		t.Errorf("%d of 3", n)
	}
	for _, story := range []struct {
		later time.Duration
		want  int
	}{{20*time.Second - time.Microsecond, 0}, {time.Microsecond, 1}, {40 * time.Second, 2}, {time.Hour, 3}} {
		b.clock.Advance(story.later)
		b.change(t, `UPDATE sessions SET idle_expires_at = $1, expires_at = $1`, b.clock.Now().Add(time.Hour))
		if n := b.of(t, other, one, other, one, other); n != story.want {
			t.Errorf("%v later %d, want %d", story.later, n, story.want)
		}
	}
	for _, table := range []string{`handoffs`, `audit_log WHERE event LIKE 'handoff.%'`} {
		if n := testkit.Count(t, b.db, `SELECT count(*) FROM `+table); n != 9 {
			t.Errorf("%d rows of 9 in %s", n, table)
		}
	}
}

// Whoever waits as long as they were told is let in, and not a moment before.
func TestMint_theWaitIsTrue(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	fresh := func() *handoff.Minter { return b.replica(t, 7) }
	b.of(t, fresh(), fresh(), fresh())
	b.clock.Advance(5 * time.Second)
	b.of(t, fresh(), fresh(), fresh(), fresh())
	var over *ratelimit.Exceeded
	if _, err := fresh().Mint(inTime(t), b.ask()); !errors.As(err, &over) || over.Limit.Name != "mint" {
		t.Fatal(err)
	}
	b.clock.Advance(over.RetryAfter - time.Microsecond)
	if n := b.of(t, fresh()); n != 0 {
		t.Errorf("let in before %v", over.RetryAfter)
	}
	b.clock.Advance(time.Microsecond)
	if n := b.of(t, fresh(), fresh()); n != 1 {
		t.Errorf("%d let in after %v", n, over.RetryAfter)
	}
}

// A burst passes no more than what is allowed, in one statement, in two at once, and
// whatever a mint before it in the same statement was refused for.
func TestMint_aBurstPassesWhatIsAllowed(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	var mu sync.Mutex
	passed, waits := map[uuid.UUID]int{}, map[time.Duration]int{}
	from := func(minter *handoff.Minter, request handoff.MintRequest) func() {
		return func() {
			_, err := minter.Mint(inTime(t), request)
			mu.Lock()
			defer mu.Unlock()
			switch over := (*ratelimit.Exceeded)(nil); {
			case errors.As(err, &over):
				waits[over.RetryAfter]++
			case err != nil:
				t.Error(err)
			default:
				passed[request.SessionID]++
			}
		}
	}
	other := b.ask()
	bob := b.another(t, "bob@example.org")
	other.Cookie, other.SessionID = bob.cookie, bob.session.ID
	var burst []func()
	for range 10 {
		burst = append(burst, from(b.replica(t, 4), b.ask()), from(b.replica(t, 4), other))
	}
	if n := b.queued(t, from(b.replica(t, 4), b.ask()), burst...); n != 7 { // Ada's 4 and Bob's 4 one by one, and one of each together
		t.Errorf("%d transactions", n)
	}
	if passed[b.session.ID] != 4 || passed[bob.session.ID] != 4 {
		t.Errorf("%v passed, of 4 each", passed)
	}
	if len(waits) != 1 || waits[15*time.Second] != 13 { // as long as it takes until there is room for one
		t.Errorf("told to wait %v", waits)
	}
	var crowd sync.WaitGroup
	b.clock.Advance(30 * time.Second) // for two more each
	for _, request := range []handoff.MintRequest{b.ask(), other} {
		for range 20 {
			crowd.Go(from(b.replica(t, 4), request))
		}
	}
	crowd.Wait()
	if passed[b.session.ID] != 6 || passed[bob.session.ID] != 6 {
		t.Errorf("%v passed, of 6 each", passed)
	}
}

// The attack: to mint on and on with one session. It costs Postgres a statement until the
// first refusal, and none while that holds.
func TestMint_aFloodDoesNotReachPostgres(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	asked := 0
	trouble.mint = func() { asked++ }
	replica := func(config handoff.MinterConfig) *handoff.Minter {
		config.Limit = perMinute(t, 2)
		return handoff.NewMinter(config)
	}(b.minter.MinterConfig)
	for range 100 {
		b.of(t, replica)
	}
	if asked != 3 {
		t.Errorf("asked %d times: two that passed, and one that did not", asked)
	}
	b.clock.Advance(30 * time.Second)
	if n := b.of(t, replica, replica, replica); n != 1 || asked != 5 {
		t.Errorf("%d passed, asked %d times", n, asked)
	}
}

// A replica whose clock is days ahead must not keep a person out when it has been set
// right.
func TestMint_aTimeThatNobodyCanHaveLeftCountsForNothing(t *testing.T) {
	t.Parallel()
	for full, want := range map[time.Duration]int{time.Minute: 0, 61 * time.Second: 0, 62 * time.Second: 2, 48 * time.Hour: 2} {
		b, _ := newBench(t)
		b.change(t, `UPDATE sessions SET mints_full_at = $1`, b.clock.Now().Add(full))
		if n := b.of(t, b.replica(t, 2), b.replica(t, 2), b.replica(t, 2)); n != want {
			t.Errorf("full in %v: %d passed, want %d", full, n, want)
		}
	}
}

// Another replica's mint takes the last place while this one's waits for the row.
func TestMint_aBudgetThatMovesInTheQueueForTheLockIsSeen(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	last := b.replica(t, 2)
	b.of(t, last)
	held := testkit.Hold(t, b.db, `UPDATE sessions SET mints_full_at = $1`, b.clock.Now().Add(time.Minute))
	passed := make(chan int, 1)
	go func() { passed <- b.of(t, last) }()
	testkit.UntilWaiting(t, b.db, 1)
	held.Commit()
	if n := <-passed; n != 0 {
		t.Error("it passed by what was true before it waited")
	}
}
