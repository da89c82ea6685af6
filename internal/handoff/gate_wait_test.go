package handoff_test

import (
	"context"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// deaf is a context whose end is told to the statement and nobody else: a
// cancellation that does not get through to a server that hangs.
type deaf struct {
	context.Context
	at time.Time
}

func (d deaf) Deadline() (time.Time, bool) { return d.at, true }
func (deaf) Done() <-chan struct{}         { return nil }
func (deaf) Err() error                    { return nil }

// hold takes the ledger row's lock in a transaction of its own.
func (l ledger) hold(t *testing.T) testkit.Held {
	t.Helper()
	return testkit.Hold(t, l.db, `UPDATE handoffs SET minted_at = minted_at`)
}

// until asks Postgres until it says yes.
func (l ledger) until(t *testing.T, sql string, args ...any) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if testkit.Count(t, l.db, `SELECT (`+sql+`)::int`, args...) == 1 {
			return
		}
	}
	t.Fatalf("never: %s", sql)
}

// I1: who gave up while the statement waited for a lock has given up, however the
// wait ends. A token that is redeemed for nobody is lost to the person.
func TestI1_aDeadlineThatPassesInTheQueueForTheLockIsSeen(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(testkit.Held){
		"rollback": testkit.Held.Release,
		"commit":   testkit.Held.Commit,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			tok, _ := l.minted(t)
			held := l.hold(t)
			deadline := time.Now().Add(time.Second)
			won := make(chan bool, 1)
			go func() {
				ok, err := l.Redeem(deaf{context.Background(), deadline}, redemption(t, tok, "0123456789abcdef"))
				if err != nil {
					t.Error(err)
				}
				won <- ok
			}()
			testkit.UntilWaiting(t, l.db, 1)
			l.until(t, `clock_timestamp() > $1`, deadline)
			end(held)
			if <-won || l.redeemed(t) != 0 {
				t.Error("redeemed past the deadline")
			}
		})
	}
}

// A logout that is committed while the exchange waits for its turn ends the token.
func TestI1_aSourceThatEndsInTheQueueForTheLockIsSeen(t *testing.T) {
	t.Parallel()
	for name, ending := range map[string]string{
		"logout":     `UPDATE sessions SET ended_at = now(), ended_as = 'logout'`,
		"suspension": `UPDATE members SET membership_status = 'suspended'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			tok, _ := l.minted(t)
			held := testkit.Hold(t, l.db, ending)
			ctx, won := inTime(t), make(chan bool, 1)
			go func() {
				ok, err := l.Redeem(ctx, redemption(t, tok, "0123456789abcdef"))
				if err != nil {
					t.Error(err)
				}
				won <- ok
			}()
			testkit.UntilWaiting(t, l.db, 1)
			held.Commit()
			if <-won || l.redeemed(t) != 0 {
				t.Error("redeemed although the source had ended")
			}
		})
	}
}

// Who redeems holds the member and the session while they wait for the hand-off; who ends
// one of those wants the hand-off next. They take them in one order, or Postgres would have
// to break a circle, and a person would hear 503 for signing out.
func TestI1_whoEndsASourceAndWhoRedeemsDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	for name, ending := range map[string]string{
		"logout":     `UPDATE sessions SET ended_at = '2026-11-21 12:00:00Z', ended_as = 'logout'`,
		"suspension": `UPDATE members SET membership_status = 'suspended'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			tok, _ := l.minted(t)
			held := l.hold(t)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			won, left := make(chan error, 1), make(chan error, 1)
			go func() {
				_, err := l.Redeem(ctx, redemption(t, tok, "0123456789abcdef"))
				won <- err
			}()
			testkit.UntilWaiting(t, l.db, 1)
			go func() {
				_, err := l.db.Exec(ctx, ending)
				left <- err
			}()
			testkit.UntilWaiting(t, l.db, 2)
			held.Commit()
			if err := <-won; err != nil {
				t.Errorf("redeeming: %v", err)
			}
			if err := <-left; err != nil {
				t.Errorf("ending: %v", err)
			}
			// The redemption came first, and its hand-off ended all the same.
			if n := testkit.Count(t, l.db, `SELECT count(*) FROM handoffs h JOIN handoff_endings USING (handoff_id) WHERE redeemed_as = 'exchanged' AND ended_at IS NOT NULL`); n != 1 {
				t.Error("what was redeemed meanwhile lives on")
			}
		})
	}
}
