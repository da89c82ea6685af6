package handoff_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// I1: the gate lets one attempt through in the life of a digest, also when a
// hundred come at once by connections of their own.
func TestI1_theGateOpensOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tok, _ := l.minted(t)
	var winners atomic.Int32
	var wg sync.WaitGroup
	ctx := inTime(t)
	for i := range 100 {
		attempt := redemption(t, tok, fmt.Sprintf("caller number %04d", i%50)) // each key twice: even the same key wins once
		wg.Go(func() {
			won, err := l.Redeem(ctx, attempt)
			if err != nil {
				t.Error(err)
			}
			if won {
				winners.Add(1)
			}
		})
	}
	wg.Wait()
	if winners.Load() != 1 || l.redeemed(t) != 1 {
		t.Errorf("%d won, %d rows redeemed", winners.Load(), l.redeemed(t))
	}
	if n := testkit.Count(t, l.db, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged'`); n != 1 {
		t.Errorf("I4: %d rows record it", n)
	}
}

// I1: exchanging and burning are one gate. Whichever comes first, the other finds
// it closed.
func TestI1_burningAndExchangingAreOneGate(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	type step = func(context.Context, token.Token) (bool, error)
	exchange := func(ctx context.Context, tok token.Token) (bool, error) { return l.Redeem(ctx, redemption(t, tok, "")) }
	burn := func(ctx context.Context, tok token.Token) (bool, error) { return l.Burn(ctx, redemption(t, tok, "")) }
	for name, steps := range map[string][]step{
		"exchange, then burn": {exchange, burn}, "burn, then exchange": {burn, exchange}, "burn twice": {burn, burn},
	} {
		tok, _ := l.minted(t)
		for i, step := range steps {
			if won, err := step(inTime(t), tok); won != (i == 0) || err != nil {
				t.Errorf("%s, step %d: won %v, %v", name, i, won, err)
			}
		}
	}
}

// late is a context whose caller has given up already, although nobody has told
// the driver.
type late struct {
	context.Context
	deadline time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.deadline, true }

// I1: a statement that waited in a stopped or crowded Postgres does not redeem for
// a caller who has given up: the person's own repeat shall find the token good.
func TestI1_aRedemptionPastItsDeadlineMatchesNoRow(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tok, _ := l.minted(t)
	tooLate := late{context.Background(), time.Now().Add(-time.Millisecond)}
	for name, do := range map[string]func() (bool, error){
		"redeem": func() (bool, error) { return l.Redeem(tooLate, redemption(t, tok, "")) },
		"burn":   func() (bool, error) { return l.Burn(tooLate, redemption(t, tok, "")) },
	} {
		if won, err := do(); won || err != nil {
			t.Errorf("%s: won %v, %v", name, won, err)
		}
	}
	if n := l.redeemed(t); n != 0 {
		t.Fatalf("%d rows redeemed past the deadline", n)
	}
	if won, err := l.Redeem(inTime(t), redemption(t, tok, "")); !won || err != nil {
		t.Errorf("the token is no longer good: %v, %v", won, err)
	}
}

// Without a deadline the line above would hold nothing, so that there must be one.
func TestRedeem_demandsADeadline(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tok, _ := l.minted(t)
	if won, err := l.Redeem(context.Background(), redemption(t, tok, "")); won || err == nil {
		t.Errorf("won %v, %v", won, err)
	}
	if l.redeemed(t) != 0 {
		t.Error("it was redeemed")
	}
}

// shutOutBefore: a member who was shut out before that ended their sessions too.
const shutOutBefore = `ALTER TABLE members DISABLE TRIGGER handoffs_leave_with_member; `

// What the gate demands besides, one condition at a time (I2, and section 4: the
// source session live, the member active).
func TestRedeem_matchesNothingWhenItMustNot(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]string{
		"I2: at the sixtieth second":   `UPDATE handoffs SET expires_at = '2026-11-21 12:00:01Z'`,
		"the session was ended":        `UPDATE sessions SET ended_at = '2026-11-21 12:00:00Z', ended_as = 'logout'`,
		"the session's seven days":     `UPDATE sessions SET expires_at = '2026-11-21 12:00:01Z'`,
		"the member is suspended":      shutOutBefore + `UPDATE members SET membership_status = 'suspended'`,
		"the membership ended":         shutOutBefore + `UPDATE members SET membership_status = 'ended'`,
		"the hand-off was ended":       `UPDATE handoffs SET ended_at = '2026-11-21 12:00:00Z', ended_as = 'ended_by_user'`,
		"redeemed before":              `UPDATE handoffs SET redeemed_at = now(), redeemed_as = 'exchanged', attempt = sha256('x'), redeemed_by = 'k'`,
		"the row is gone":              `DELETE FROM handoffs`,
		"another token's row is there": `UPDATE handoffs SET digest = sha256('another')`,
	} {
		l := newLedger(t)
		tok, _ := l.minted(t)
		l.change(t, spoil)
		if won, err := l.Redeem(inTime(t), redemption(t, tok, "")); won || err != nil {
			t.Errorf("%s: won %v, %v", name, won, err)
		}
		if got := testkit.Events(t, l.db); !slices.Equal(got, []string{"handoff.minted success"}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A session that falls asleep within the token's 60 s was live when the person
// clicked.
func TestRedeem_idleExpiryDoesNotEndTheJourney(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tok, _ := l.minted(t)
	l.change(t, `UPDATE sessions SET idle_expires_at = $1`, noon)
	if won, err := l.Redeem(inTime(t), redemption(t, tok, "")); !won || err != nil {
		t.Errorf("won %v, %v", won, err)
	}
}

func TestFind_tellsTheRowAsItIs(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tok, id := l.minted(t)
	want := token.Entry{
		HandoffID: id, MemberID: l.ada, EntryProduct: "think-tank", Target: testkit.Target,
		ExpiresAt: noon.Add(token.TTL), SourceLive: true,
	}
	find := func() token.Entry {
		t.Helper()
		entry, err := l.Find(inTime(t), tok.Digest(), noon)
		if err != nil || entry == nil {
			t.Fatal(entry, err)
		}
		return *entry
	}
	inUTC := cmp.Transformer("UTC", func(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) })
	if diff := cmp.Diff(want, find(), inUTC); diff != "" {
		t.Errorf("fresh (-want +got):\n%s", diff)
	}
	r := redemption(t, tok, "the caller's own key")
	if won, err := l.Burn(inTime(t), r); !won || err != nil {
		t.Fatal(won, err)
	}
	l.change(t, `UPDATE members SET membership_status = 'suspended'`)
	want.RedeemedAt, want.Attempt, want.Burnt, want.SourceLive = &r.At, r.Attempt[:], true, false
	if diff := cmp.Diff(want, find(), inUTC); diff != "" {
		t.Errorf("burnt (-want +got):\n%s", diff)
	}
	if entry, err := l.Find(inTime(t), tokenOf(t).Digest(), noon); entry != nil || err != nil {
		t.Errorf("a token that was never minted: %v, %v", entry, err)
	}
}

// The token is in the ledger as its digest only (I5), and the service token it was
// redeemed under by key id.
func TestI5_theLedgerHoldsTheDigest(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	tok, _ := l.minted(t)
	if won, err := l.Redeem(inTime(t), redemption(t, tok, "the caller's own key")); !won || err != nil {
		t.Fatal(won, err)
	}
	var row string
	if err := l.db.QueryRow(t.Context(), `SELECT handoffs::text FROM handoffs`).Scan(&row); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(row, tok.Reveal()) || strings.Contains(row, "own key") || !strings.Contains(row, tok.Digest().String()) {
		t.Errorf("row %s", row)
	}
	if !strings.Contains(row, "0a1b2c3d") {
		t.Errorf("the row does not say under which service token: %s", row)
	}
	if _, _, err := l.Mint(t.Context(), l.row(tok)); err == nil {
		t.Error("one digest twice in the ledger")
	} else if errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
