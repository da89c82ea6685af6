package ratelimit_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/ratelimit"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Whoever is over is known as such until they may try again, and not longer; whoever else
// there is, is not.
func TestRows_whoIsOverIsKnownUntilTheyMayTryAgain(t *testing.T) {
	t.Parallel()
	limiter := limiterOn(t, testkit.Redis(t))
	rows, err := limiter.Rows(ratelimit.Limit{Name: "mint", PerMinute: 4})
	if err != nil {
		t.Fatal(err)
	}
	ada, now := uuid.New(), time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	if err := rows.Check(ada, now); err != nil {
		t.Errorf("before anything: %v", err)
	}
	wantWait(t, rows.Exceed(ada, now, 10*time.Second), 10*time.Second)
	for later, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, time.Second: 9 * time.Second, 10*time.Second - 1: 1, 10 * time.Second: 0, time.Hour: 0,
	} {
		wantWait(t, rows.Check(ada, now.Add(later)), want)
	}
	wantWait(t, rows.Check(uuid.New(), now), 0)
	if n := limiter.Refused()["mint"]; n != 4 {
		t.Errorf("%d refusals are counted, of 4", n)
	}
}

func wantWait(t *testing.T, err error, want time.Duration) {
	t.Helper()
	over := &ratelimit.Exceeded{}
	if errors.As(err, &over) != (want > 0) || over.RetryAfter != want || (want > 0 && over.Limit.Name != "mint") {
		t.Errorf("%v, want a wait of %v", err, want)
	}
}

// I13: a crowd that is over its limits takes no more memory than ten thousand of them; who
// waits no longer makes room.
func TestI13_rowsRememberNoMoreThanTheyMay(t *testing.T) {
	t.Parallel()
	limiter := limiterOn(t, testkit.Redis(t))
	rows, err := limiter.Rows(ratelimit.Limit{Name: "mint", PerMinute: 4})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var all []uuid.UUID
	known := func() (n int) {
		for _, id := range all {
			if rows.Check(id, now) != nil {
				n++
			}
		}
		return n
	}
	for range ratelimit.MostOver + 100 {
		all = append(all, uuid.New())
		wantWait(t, rows.Exceed(all[len(all)-1], now, time.Second), time.Second)
	}
	if n := known(); n != ratelimit.MostOver {
		t.Errorf("%d are known, of %d at most", n, ratelimit.MostOver)
	}
	now = now.Add(time.Second)
	late := uuid.New()
	all = append(all, late)
	wantWait(t, rows.Exceed(late, now, time.Second), time.Second)
	if n := known(); n != 1 || rows.Remembered() != 1 {
		t.Errorf("%d are known, %d remembered", n, rows.Remembered())
	}
}

// A limit that nobody configured is no limit, and must not be taken for one.
func TestRows_aLimitWithoutANumberIsRefused(t *testing.T) {
	t.Parallel()
	limiter := limiterOn(t, testkit.Redis(t))
	for _, limit := range []ratelimit.Limit{{Name: "mint"}, {PerMinute: 4}, {Name: "nobody counts its refusals", PerMinute: 4}, {Name: "mint", PerMinute: -1}} {
		if rows, err := limiter.Rows(limit); err == nil || rows != nil {
			t.Errorf("%+v is taken", limit)
		}
	}
}
