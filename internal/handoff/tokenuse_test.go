package handoff_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	oldToken = "0ldt0ken"
	newToken = "newt0ken"
)

// uses are times by key id.
type uses = map[string]time.Time

// told is a store that keeps what it is told, or fails. It is safe for concurrent
// use.
type told struct {
	mu   sync.Mutex
	uses []string // "key id time"
	down error
	// held keeps writes back while it is open, if it is there.
	held chan struct{}
}

func (s *told) NoteTokenUse(ctx context.Context, keyID string, at time.Time) (time.Time, error) {
	if s.held != nil {
		select {
		case <-s.held:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		}
	}
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == nil {
		s.uses = append(s.uses, keyID+" "+at.Format("15:04:05.000"))
	}
	return at, s.down
}

func (s *told) TokenUses(context.Context) (map[string]handoff.Use, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return nil, s.down
}

// wantTold waits for what is on its way and compares all that was told.
func (s *told) wantTold(t testing.TB, u *handoff.TokenUse, want ...string) {
	t.Helper()
	u.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.uses); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// replica is one process's memory of uses, with its own clock and log.
func replica(store handoff.TokenUseStore, clock *testkit.Clock) (*handoff.TokenUse, *testkit.Log) {
	log := &testkit.Log{}
	return handoff.NewTokenUse(handoff.TokenUseConfig{
		Store: store, Now: clock.Now, Log: slog.New(slog.NewJSONHandler(log, nil)),
	}), log
}

func wantLast(t testing.TB, u *handoff.TokenUse, want uses) {
	t.Helper()
	all, err := u.All(t.Context())
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(want, lastOf(all)); diff != "" {
		t.Errorf("last used (-want +got):\n%s", diff)
	}
}

func lastOf(all map[string]handoff.Use) uses {
	last := uses{}
	for keyID, use := range all {
		last[keyID] = use.Last
	}
	return last
}

// I13: an exchange costs no commit of its own. The first use of a token is told at
// once, since the operator in the middle of a rotation waits for it.
func TestI13_aTokensUseIsToldAtOnceAndThenEveryThirtySeconds(t *testing.T) {
	t.Parallel()
	store, clock := &told{}, testkit.NewClock()
	u, _ := replica(store, clock)
	if seen := u.Seen(); len(seen) != 0 {
		t.Errorf("seen before anything was: %v", seen)
	}
	u.Note(t.Context(), oldToken)
	store.wantTold(t, u, oldToken+" 12:00:00.000")

	clock.Advance(20 * time.Second)
	u.Note(t.Context(), newToken) // each has its own thirty seconds
	clock.Advance(10*time.Second - time.Millisecond)
	u.Note(t.Context(), oldToken)
	store.wantTold(t, u, oldToken+" 12:00:00.000", newToken+" 12:00:20.000")
	if got, want := u.Seen()[oldToken].Last, clock.Now(); !got.Equal(want) {
		t.Errorf("what was not told is not known: %v, want %v", got, want)
	}

	clock.Advance(time.Millisecond)
	u.Note(t.Context(), oldToken)
	u.Note(t.Context(), newToken)
	store.wantTold(t, u, oldToken+" 12:00:00.000", newToken+" 12:00:20.000", oldToken+" 12:00:30.000")
	clock.Advance(20 * time.Second)
	u.Note(t.Context(), newToken)
	store.wantTold(t, u, oldToken+" 12:00:00.000", newToken+" 12:00:20.000", oldToken+" 12:00:30.000", newToken+" 12:00:50.000")
}

// The request that brought the token is over before its use is written.
func TestATokensUseIsToldAlthoughItsRequestIsOver(t *testing.T) {
	t.Parallel()
	store, clock := &told{}, testkit.NewClock()
	u, _ := replica(store, clock)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	u.Note(ctx, oldToken)
	store.wantTold(t, u, oldToken+" 12:00:00.000")
}

// Two replicas, whose clocks are a minute apart: the later use stands, in the
// database and in either's answer, whoever tells last.
func TestATokensTimeNeverMovesBack(t *testing.T) {
	t.Parallel()
	store := handoff.NewDAOStore(testkit.Database(t, datastore.DAO))
	ahead, behind := testkit.NewClock(), testkit.NewClock()
	noon := behind.Now()
	ahead.Advance(time.Minute)
	first, _ := replica(store, ahead)
	second, _ := replica(store, behind)

	for range 2 {
		first.Note(t.Context(), oldToken)
		first.Wait()
		second.Note(t.Context(), oldToken)
		second.Wait()
		wantLast(t, first, uses{oldToken: noon.Add(time.Minute)})
		wantLast(t, second, uses{oldToken: noon.Add(time.Minute)})
		behind.Advance(30 * time.Second) // is told again, and is still behind
	}
	behind.Advance(time.Minute)
	second.Note(t.Context(), oldToken)
	second.Wait()
	wantLast(t, first, uses{oldToken: noon.Add(2 * time.Minute)})
}

// A token is as old as its first use at whichever replica: neither a restart nor a replica
// whose clock is behind makes it younger, or older.
func TestATokenIsAsOldAsItsFirstUse(t *testing.T) {
	t.Parallel()
	for half, store := range map[datastore.Half]handoff.TokenUseStore{
		datastore.DAO: handoff.NewDAOStore(testkit.Database(t, datastore.DAO)), datastore.FOS: handoff.NewFOSStore(testkit.Database(t, datastore.FOS)),
	} {
		clock := testkit.NewClock()
		noon := clock.Now()
		first, _ := replica(store, clock)
		first.Note(t.Context(), oldToken)
		first.Wait()
		clock.Advance(90 * 24 * time.Hour)
		restarted, _ := replica(store, clock)
		if seen := restarted.Seen(); len(seen) != 0 {
			t.Errorf("%s: seen before anything was: %v", half, seen)
		}
		restarted.Note(t.Context(), oldToken)
		restarted.Note(t.Context(), newToken)
		restarted.Wait()
		now := clock.Now()
		want := map[string]handoff.Use{oldToken: {First: noon, Last: now}, newToken: {First: now, Last: now}}
		all, err := restarted.All(t.Context())
		if diff := cmp.Diff([]any{want, want}, []any{all, restarted.Seen()}); diff != "" || err != nil {
			t.Errorf("%s: %v, all and seen here (-want +got):\n%s", half, err, diff)
		}
	}
}

func TestLastIsWhatAnyReplicaSaw(t *testing.T) {
	t.Parallel()
	store, clock := handoff.NewDAOStore(testkit.Database(t, datastore.DAO)), testkit.NewClock()
	noon := clock.Now()
	first, _ := replica(store, clock)
	second, _ := replica(store, clock)
	wantLast(t, second, uses{})

	first.Note(t.Context(), oldToken)
	first.Wait()
	wantLast(t, second, uses{oldToken: noon})
	if seen := second.Seen(); len(seen) != 0 {
		t.Errorf("it calls its own what another saw: %v", seen)
	}
	clock.Advance(10 * time.Second)
	first.Note(t.Context(), oldToken) // too soon to be told
	second.Note(t.Context(), newToken)
	second.Wait()
	wantLast(t, first, uses{oldToken: noon.Add(10 * time.Second), newToken: noon.Add(10 * time.Second)})
	wantLast(t, second, uses{oldToken: noon, newToken: noon.Add(10 * time.Second)})

	restarted, _ := replica(store, clock)
	wantLast(t, restarted, uses{oldToken: noon, newToken: noon.Add(10 * time.Second)})
}

// Without the database a process still says what it saw itself, and why that is all.
// What could not be told is told soon after; and the log is not filled by an outage.
func TestWithoutTheDatabaseLastIsWhatThisProcessSaw(t *testing.T) {
	t.Parallel()
	links, env := testkit.Start(t, testkit.Options{}).Links(t)
	pool, clock := testkit.Pool(t, privacy.NewSecret(env["DAO_DATABASE_URL"])), testkit.NewClock()
	u, log := replica(handoff.NewDAOStore(pool), clock)
	noteAfter := func(passed time.Duration, warnings int) {
		t.Helper()
		clock.Advance(passed)
		u.Note(t.Context(), oldToken)
		u.Wait()
		if lines := log.Lines("was not stored"); len(lines) != warnings || strings.Count(log.String(), `"level":"WARN"`) != warnings ||
			strings.Count(log.String(), oldToken) != warnings {
			t.Errorf("logged %v, want %d warnings", log, warnings)
		}
	}
	links.DAOPostgres.Cut()
	noteAfter(0, 1)
	noteAfter(5*time.Second-time.Millisecond, 1)
	noteAfter(time.Millisecond, 2)
	all, err := u.All(t.Context())
	if want := (map[string]handoff.Use{oldToken: {Last: clock.Now()}}); !cmp.Equal(want, all) {
		t.Errorf("%v, want %v: an age is made up", all, want)
	}
	if _, ok := errors.AsType[*outage.Error](err); !ok {
		t.Errorf("the error is %v", err)
	}

	links.DAOPostgres.Mend()
	noteAfter(5*time.Second, 2)
	other, _ := replica(handoff.NewDAOStore(pool), clock)
	told := clock.Now()
	wantLast(t, other, uses{oldToken: told})
	noteAfter(30*time.Second-time.Millisecond, 2) // it was told: back to the even pace
	wantLast(t, other, uses{oldToken: told})
	wantLast(t, u, uses{oldToken: clock.Now()})
}

// I13: nobody waits for the telling but the process, when it leaves; and it does not
// wait for a database that hangs.
func TestI13_aProcessWaitsForWhatItTellsAndNotForEver(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		release time.Duration
		want    []string
		took    time.Duration
		warned  int
	}{
		"a slow one":  {400 * time.Millisecond, []string{oldToken + " 12:00:00.000"}, 400 * time.Millisecond, 0},
		"a stuck one": {time.Hour, nil, time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				store, clock := &told{held: make(chan struct{})}, testkit.NewClock()
				u, log := replica(store, clock)
				begun := time.Now()
				u.Note(t.Context(), oldToken)
				if took := time.Since(begun); took != 0 {
					t.Errorf("the exchange waited %v", took)
				}
				released := time.AfterFunc(story.release, func() { close(store.held) })
				defer released.Stop()

				store.wantTold(t, u, story.want...)
				if took := time.Since(begun); took != story.took {
					t.Errorf("left after %v, want %v", took, story.took)
				}
				if n := len(log.Lines("was not stored")); n != story.warned {
					t.Errorf("%d warnings, want %d", n, story.warned)
				}
			})
		})
	}
}

// A hundred exchanges at once tell one use of each token.
func TestManyUsesAtOnceAreToldOnce(t *testing.T) {
	t.Parallel()
	store, clock := &told{}, testkit.NewClock()
	u, _ := replica(store, clock)
	var all sync.WaitGroup
	var missed atomic.Int32
	for i := range 100 {
		all.Go(func() {
			keyID := []string{oldToken, newToken}[i%2]
			u.Note(t.Context(), keyID)
			all, err := u.All(t.Context())
			if err != nil || all[keyID].Last.IsZero() || u.Seen()[keyID].Last.IsZero() {
				missed.Add(1)
			}
			all[keyID] = handoff.Use{} // what was given away is the caller's
		})
	}
	all.Wait()
	u.Wait()
	if n := missed.Load(); n > 0 {
		t.Errorf("%d did not see their own use", n)
	}
	if len(store.uses) != 2 {
		t.Errorf("told %v", store.uses)
	}
}
