package groupcommit_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/groupcommit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Who gives up in the queue was never sent.
func TestGroup_whoGivesUpInTheQueueWasNeverSent(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	ctx, giveUp := context.WithCancel(t.Context())
	queued := c.send(t, func(_ context.Context, row counter) (string, bool, error) { return c.Do(ctx, row) }, numbered(1))
	stays := c.send(t, c.Do, numbered(2))
	giveUp()
	if got := queued()[0]; got.served || !outage.TookNoEffect(got.err) || !errors.Is(got.err, context.Canceled) {
		t.Errorf("in the queue: %+v", got)
	}
	release()
	if got := stays()[0]; got != (came{"label 2", true, nil}) {
		t.Errorf("behind them: %+v", got)
	}
	if n := testkit.Count(t, c.db, `SELECT count(*) FROM counters WHERE name = 'name 1'`); n != 0 {
		t.Error("it was written")
	}
}

// Who gives up on the way does not know, and the others are none the worse.
func TestGroup_whoGivesUpOnTheWayEndsItForNobodyElse(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	release := c.occupy(t)
	held := testkit.Hold(t, c.db, `INSERT INTO counters VALUES ('held', 0)`)
	ctx, giveUp := context.WithCancel(t.Context())
	onWay := c.send(t, func(_ context.Context, row counter) (string, bool, error) { return c.Do(ctx, row) }, counter{"held", "account 3", 3})
	beside := c.send(t, c.Do, numbered(4))
	release()
	c.until(t, func() bool { return c.Waiting() == 0 })
	giveUp()
	if got := onWay()[0]; got.served || got.err == nil || outage.TookNoEffect(got.err) {
		t.Errorf("on the way: %+v", got)
	}
	held.Release()
	if got := beside()[0]; got != (came{"label 4", true, nil}) {
		t.Errorf("beside them: %+v", got)
	}
}

// A panic ends what was sent together, and neither the process nor what comes next.
func TestGroup_aPanicEndsOneStatement(t *testing.T) {
	t.Parallel()
	c := newCounters(t)
	panics := statement
	panics.Scan = func(row groupcommit.Scanner) (string, error) {
		var label string
		err := row.Scan(&label)
		if label == "label 7" {
			panic("what nobody is to read")
		}
		return label, err
	}
	c.Group = patiently(groupcommit.New(c.db, panics))
	release := c.occupy(t)
	answers := c.send(t, c.Do, numbered(6), numbered(7))
	release()
	for _, a := range answers() {
		if a.served || a.err == nil || outage.TookNoEffect(a.err) {
			t.Errorf("%+v", a)
		}
		if said := fmt.Sprint(a.err); !strings.Contains(said, "panic: string") || !strings.Contains(said, "ended_early_test.go") || strings.Contains(said, "nobody") {
			t.Errorf("for the log: %s", said)
		}
	}
	for i := range 3 {
		if _, served, err := c.Do(t.Context(), numbered(10+i)); !served || err != nil {
			t.Errorf("%v, %v", served, err)
		}
	}
}
