package faulttest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Balance compares what callers were told with what both databases hold, when
// nobody calls any more (I1, I4):
//
//   - who was told of a token, of claims or of a session was told of what is there,
//     and of a token's claims or session one attempt only;
//   - every ledger row has one handoff.minted, every redemption one handoff.exchanged,
//     every hand-off's session one session.created, and none of these rows is without
//     what it speaks of;
//   - nothing is there that nobody was told of, unless a caller's answer was lost.
//
// A caller who does not know counts for either.
func Balance(t testing.TB, stores *Stores, told *Told) {
	t.Helper()
	faults, err := Imbalances(context.Background(), stores, told)
	if err != nil {
		t.Fatal(err)
	}
	for i, fault := range faults {
		if i == 20 {
			t.Errorf("the balance: and %d more", len(faults)-i)
			break
		}
		t.Errorf("the balance: %s", fault)
	}
}

// Imbalances is what [Balance] complains of, sorted.
func Imbalances(ctx context.Context, stores *Stores, told *Told) ([]string, error) {
	b, err := readBooks(ctx, stores)
	if err != nil {
		return nil, err
	}
	told.mu.Lock()
	defer told.mu.Unlock()
	faults, unmentioned := []string{}, 0
	for id, e := range b {
		s := told.handoffs[id]
		if s == nil {
			s = &said{}
		}
		if e.ledger && !s.minted {
			unmentioned++
		}
		for _, fault := range append(e.contradictions(), e.against(s)...) {
			faults = append(faults, fmt.Sprintf("%s: %s", id, fault))
		}
	}
	for id, s := range told.handoffs {
		if b[id] == nil && (s.minted || len(s.attempts) > 0) {
			faults = append(faults, fmt.Sprintf("%s: a caller was told of it, and it is nowhere", id))
		}
	}
	if unmentioned > told.unminted {
		faults = append(faults, fmt.Sprintf("%d tokens are in the ledger that no caller was told of, and %d callers do not know", unmentioned, told.unminted))
	}
	slices.Sort(faults)
	return faults, nil
}

// entry is what the databases hold of one hand-off.
type entry struct {
	ledger, exchanged        bool
	sessions                 []uuid.UUID
	mints, exchanges, begins int // audit rows that say success
}

type books map[uuid.UUID]*entry

func (b books) of(id uuid.UUID) *entry {
	if b[id] == nil {
		b[id] = &entry{}
	}
	return b[id]
}

// contradictions are between the rows themselves.
func (e *entry) contradictions() []string {
	var faults []string
	complain := func(broken bool, text string, args ...any) {
		if broken {
			faults = append(faults, fmt.Sprintf(text, args...))
		}
	}
	one := func(is bool) int {
		if is {
			return 1
		}
		return 0
	}
	complain(e.mints != one(e.ledger), "%d handoff.minted for %d ledger rows", e.mints, one(e.ledger))
	complain(e.exchanges != one(e.exchanged), "%d handoff.exchanged for %d redemptions", e.exchanges, one(e.exchanged))
	complain(e.begins != len(e.sessions), "%d session.created for %d sessions", e.begins, len(e.sessions))
	complain(len(e.sessions) > 1, "I1: %d sessions", len(e.sessions))
	complain(len(e.sessions) > 0 && !e.exchanged, "a session of a token that was not exchanged")
	return faults
}

// against are contradictions between the rows and what was said.
func (e *entry) against(s *said) []string {
	var faults []string
	switch {
	case len(s.attempts) > 1:
		faults = append(faults, "I1: redeemed for "+strings.Join(s.attempts, " and for "))
	case len(s.attempts) == 1 && !e.exchanged:
		faults = append(faults, "a caller was told of an exchange that is not there")
	case len(s.attempts) == 0 && e.exchanged && !s.perhaps && len(s.rivals) < 2:
		faults = append(faults, "exchanged, and no caller was told")
	}
	if s.minted && !e.ledger {
		faults = append(faults, "a caller was told of a token that is not in the ledger")
	}
	for _, id := range s.sessions {
		if !slices.Contains(e.sessions, id) {
			faults = append(faults, "a caller was given a session that is not there")
		}
	}
	if len(e.sessions) > 0 && len(s.sessions) == 0 && !s.perhaps {
		faults = append(faults, "a session that nobody was told of")
	}
	return faults
}

// readBooks reads both databases.
func readBooks(ctx context.Context, stores *Stores) (books, error) {
	b := books{}
	var id, session uuid.UUID
	var exchanged bool
	var event string
	var n int
	err := scan(ctx, stores.DAO, `SELECT handoff_id, redeemed_as IS NOT DISTINCT FROM 'exchanged' FROM handoffs`,
		[]any{&id, &exchanged}, func() { b.of(id).ledger, b.of(id).exchanged = true, exchanged })
	if err != nil {
		return nil, err
	}
	err = scan(ctx, stores.FOS, `SELECT handoff_id, id FROM sessions WHERE origin = 'handoff'`,
		[]any{&id, &session}, func() { b.of(id).sessions = append(b.of(id).sessions, session) })
	if err != nil {
		return nil, err
	}
	for _, db := range []*pgxpool.Pool{stores.DAO, stores.FOS} {
		err := scan(ctx, db, `SELECT coalesce(handoff_id, '00000000-0000-0000-0000-000000000000'), event, count(*) FROM audit_log
			WHERE outcome = 'success' AND (event IN ('handoff.minted', 'handoff.exchanged') OR event = 'session.created' AND reason = 'handoff')
			GROUP BY 1, 2`, []any{&id, &event, &n}, func() {
			switch event {
			case "handoff.minted":
				b.of(id).mints += n
			case "handoff.exchanged":
				b.of(id).exchanges += n
			default:
				b.of(id).begins += n
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// scan calls each with every row in targets.
func scan(ctx context.Context, db *pgxpool.Pool, sql string, targets []any, each func()) error {
	rows, err := db.Query(ctx, sql)
	if err != nil {
		return fmt.Errorf("faulttest: %w", err)
	}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		each()
		return nil
	})
	if err != nil {
		return fmt.Errorf("faulttest: %w", err)
	}
	return nil
}
