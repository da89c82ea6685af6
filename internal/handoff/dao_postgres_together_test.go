package handoff_test

import (
	"bytes"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// together has what calls does go into one statement: before it goes occupy, which waits for
// the audit log like everybody.
func (l ledger) together(t *testing.T, occupy func(), calls ...func()) {
	t.Helper()
	if n := l.queued(t, occupy, calls...); n > 2 {
		t.Errorf("%d transactions wrote to the audit log, not two", n)
	}
}

// queued is together for calls of which some may be left to have their turn alone. It
// returns how many transactions wrote to the audit log.
func (l ledger) queued(t *testing.T, occupy func(), calls ...func()) int {
	t.Helper()
	l.OneAtATime()
	held := testkit.Hold(t, l.db, `LOCK TABLE audit_log IN SHARE MODE`)
	var gone sync.WaitGroup
	gone.Go(occupy)
	testkit.UntilWaiting(t, l.db, 1)
	for _, call := range calls {
		gone.Go(call)
	}
	for end := time.Now().Add(10 * time.Second); l.Waiting() < len(calls); {
		if time.Now().After(end) {
			t.Fatalf("%d of %d wait", l.Waiting(), len(calls))
		}
	}
	before := l.transactions(t)
	held.Commit()
	gone.Wait()
	return l.transactions(t) - before
}

func (l ledger) transactions(t *testing.T) int {
	t.Helper()
	return testkit.Count(t, l.db, `SELECT count(DISTINCT xmin::text) FROM audit_log`)
}

// I1, I2: the gate judges each attempt of a statement by itself, and lets one of two at the
// same token pass.
func TestI1_theGateOpensOnceForAttemptsInOneStatement(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	twice, good, expired, ended, burnt := tokenOf(t), tokenOf(t), tokenOf(t), tokenOf(t), tokenOf(t)
	for _, tok := range []token.Token{twice, good, expired, ended, burnt} {
		if _, _, err := l.Mint(t.Context(), l.row(tok)); err != nil {
			t.Fatal(err)
		}
	}
	digest := func(tok token.Token) []byte { d := tok.Digest(); return d[:] }
	l.change(t, `UPDATE handoffs SET expires_at = $2 WHERE digest = $1`, digest(expired), noon.Add(time.Second))
	l.change(t, `UPDATE handoffs SET ended_at = $2, ended_as = 'logout' WHERE digest = $1`, digest(ended), noon)
	if won, err := l.Burn(inTime(t), redemption(t, burnt, "")); !won || err != nil {
		t.Fatal(won, err)
	}

	var mu sync.Mutex
	wins := map[token.Token]int{}
	attempt := func(tok token.Token) func() {
		r := redemption(t, tok, "")
		return func() {
			won, err := l.Redeem(inTime(t), r)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if won {
				wins[tok]++
			}
		}
	}
	occupy := func() {
		tok := tokenOf(t)
		row := l.row(tok)
		l.change(t, `INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at)
			VALUES ($1, $2, $3, $4, 'think-tank', $5, $6, $7)`, row.HandoffID, digest(tok), l.ada, l.session.ID, testkit.Target, noon, row.ExpiresAt)
		if won, err := l.Redeem(inTime(t), redemption(t, tok, "")); !won || err != nil {
			t.Error(won, err)
		}
	}
	l.together(t, occupy,
		attempt(twice), attempt(good), attempt(twice), attempt(expired), attempt(ended), attempt(burnt), attempt(tokenOf(t)))
	if len(wins) != 2 || wins[twice] != 1 || wins[good] != 1 {
		t.Errorf("won: twice %d, good %d, expired %d, ended %d, burnt %d", wins[twice], wins[good], wins[expired], wins[ended], wins[burnt])
	}
	recorded := testkit.Count(t, l.db, `SELECT count(*) FROM audit_log WHERE event = 'handoff.exchanged'`)
	redeemed := testkit.Count(t, l.db, `SELECT count(*) FROM handoffs WHERE redeemed_as = 'exchanged'`)
	if recorded != 3 || redeemed != 3 { // the one that came first, and these
		t.Errorf("%d exchanged, %d recorded", redeemed, recorded)
	}
}

// I1: each is repeated under its own attempt: a row of the statement is written with its
// own values.
func TestI1_attemptsInOneStatementKeepTheirOwn(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	var calls []func()
	attempts := map[uuid.UUID]token.Attempt{}
	for range 10 {
		tok, id := l.minted(t)
		r := redemption(t, tok, "")
		attempts[id] = r.Attempt
		calls = append(calls, func() {
			if won, err := l.Redeem(inTime(t), r); !won || err != nil {
				t.Error(won, err)
			}
		})
	}
	spare, _ := l.minted(t)
	l.together(t, func() {
		if won, err := l.Redeem(inTime(t), redemption(t, spare, "")); !won || err != nil {
			t.Error(won, err)
		}
	}, calls...)
	rows, err := l.db.Query(t.Context(), `SELECT handoff_id, attempt FROM handoffs`)
	if err != nil {
		t.Fatal(err)
	}
	var id uuid.UUID
	var attempt []byte
	seen := 0
	if _, err := pgx.ForEachRow(rows, []any{&id, &attempt}, func() error {
		if want, ours := attempts[id]; ours {
			seen++
			if !bytes.Equal(attempt, want[:]) {
				t.Errorf("%s has another's attempt", id)
			}
		}
		return nil
	}); err != nil || seen != 10 {
		t.Error(seen, err)
	}
}

// Section 2: whoever mints in one statement with others is judged by their own session and
// membership.
func TestMint_eachOfAStatementIsJudgedByItself(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	since, carol := noon.Add(time.Second), l.another(t, "carol@example.org")
	tooOld, stranger, planted := carol.row(tokenOf(t)), l.row(tokenOf(t)), l.row(tokenOf(t))
	tooOld.SignedInSince = &since
	stranger.Cookie = cookieOf(t)
	planted.SessionID = uuid.New()
	want := map[uuid.UUID]error{tooOld.HandoffID: member.ErrSignInTooOld, stranger.HandoffID: member.ErrNoSession, planted.HandoffID: member.ErrCSRF}
	var mu sync.Mutex
	got := map[uuid.UUID]error{}
	mint := func(of ledger, row handoff.MintRow) func() {
		return func() {
			session, who, err := l.Mint(inTime(t), row)
			mu.Lock()
			defer mu.Unlock()
			got[row.HandoffID] = err
			if err == nil && (session.ID != of.session.ID || who.ID != of.ada) {
				t.Errorf("%v of %v", session.ID, who.ID)
			}
		}
	}
	bob := l.another(t, "bob@example.org")
	first, second := l.row(tokenOf(t)), bob.row(tokenOf(t))
	l.together(t, func() { mint(l, l.row(tokenOf(t)))() },
		mint(l, first), mint(carol, tooOld), mint(l, stranger), mint(l, planted), mint(bob, second))
	if len(got) != 6 {
		t.Fatal(got)
	}
	for id, err := range got {
		if !errors.Is(err, want[id]) || (want[id] == nil) != (err == nil) {
			t.Errorf("%v, want %v", err, want[id])
		}
	}
	for sql, n := range map[string]int{
		`SELECT count(*) FROM handoffs`:                                                                 3,
		`SELECT count(*) FROM audit_log WHERE event = 'handoff.minted'`:                                 3,
		`SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND reason = 'sign_in_too_old'`: 1,
		`SELECT count(*) FROM audit_log WHERE event = 'handoff.refused'`:                                1,
	} {
		if found := testkit.Count(t, l.db, sql); found != n {
			t.Errorf("%s: %d, want %d", sql, found, n)
		}
	}
}

// I13: a session that somebody holds, or is about to delete, keeps its own member waiting
// and nobody else: the check of a foreign key waits for it.
func TestI13_oneHeldSessionKeepsNobodyElseFromMinting(t *testing.T) {
	t.Parallel()
	for name, holding := range map[string]string{
		"held":    `SELECT FROM sessions WHERE id = $1 FOR UPDATE`,
		"rotated": `UPDATE sessions SET digest = sha256('another') WHERE id = $1`,
		"deleted": `DELETE FROM members m USING sessions s WHERE s.id = $1 AND s.member_id = m.id`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			bobs := l.another(t, "bob@example.org")
			held := testkit.Hold(t, l.db, holding, bobs.session.ID)
			var gone sync.WaitGroup
			for range 2 { // as many as there are places
				gone.Go(func() {
					if _, _, err := l.Mint(inTime(t), bobs.row(tokenOf(t))); err != nil {
						t.Errorf("bob: %v", err)
					}
				})
			}
			testkit.UntilWaiting(t, l.db, 2)
			if _, _, err := l.Mint(inTime(t), l.row(tokenOf(t))); err != nil {
				t.Errorf("ada, beside them: %v", err)
			}
			held.Release()
			gone.Wait()
		})
	}
}
