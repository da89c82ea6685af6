package handoff_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// everyStatus is what the schema lets a membership be.
func everyStatus(t *testing.T, l ledger) []member.Status {
	t.Helper()
	rows, err := l.db.Query(t.Context(), `SELECT said[1] FROM pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''([^'']*)''', 'g') said
		WHERE conrelid = 'members'::regclass AND pg_get_constraintdef(oid) LIKE '%membership_status%' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[member.Status])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// asked is how old a sign-in a mint takes, and whether one of an hour ago is too old for
// it. Postgres counts in microseconds.
var asked = map[string]struct {
	maxAge time.Duration
	tooOld bool
}{
	"any age taken": {0, false},
	"fresh":         {2 * time.Hour, false},
	"at the border": {time.Hour, false},
	"just past it":  {time.Hour - time.Microsecond, true},
	"long past it":  {time.Minute, true},
}

// refusal is why somebody may not hand off, and as what that is recorded.
type refusal struct {
	err    error
	reason string
	fits   func(status member.Status, verified, tooOld bool) bool
}

// mayNot are the refusals of section 2 and I10, the gravest first. They stand here once
// more: a test that took them from member.NoHandOff, as the statement does, would find
// them right whatever they say.
var mayNot = []refusal{
	{member.ErrInactive, "account_inactive", func(status member.Status, _, _ bool) bool { return status != member.Active }},
	{member.ErrEmailUnverified, "email_unverified", func(_ member.Status, verified, _ bool) bool { return !verified }},
	{member.ErrSignInTooOld, "sign_in_too_old", func(_ member.Status, _, tooOld bool) bool { return tooOld }},
}

// Section 2, I10, I4: whoever may not hand off is refused, for the gravest of the reasons
// that there are, and the audit log says the same one. Whoever may is in the ledger, and
// nobody else.
func TestMint_whoMayNotAndWhy(t *testing.T) {
	t.Parallel()
	for i, rule := range member.NoHandOff {
		if len(mayNot) != len(member.NoHandOff) || !errors.Is(rule.Err, mayNot[i].err) {
			t.Errorf("rule %d of the program is not one that is looked at here: %v", i, rule.Err)
		}
	}
	b, _ := newBench(t)
	b.minter = b.replica(t, 1000)
	statuses := everyStatus(t, b.ledger)
	if want := []member.Status{member.Active, member.Ended, member.Pending, member.Suspended}; !slices.Equal(statuses, want) {
		t.Fatalf("the schema knows %q, the program %q", statuses, want)
	}
	b.change(t, shutOutBefore)
	b.change(t, `UPDATE sessions SET auth_time = $1`, noon.Add(-time.Hour))
	for _, status := range statuses {
		for _, verified := range []bool{true, false} {
			b.change(t, `UPDATE members SET membership_status = $1, email_verified = $2`, status, verified)
			for name, age := range asked {
				want := refusal{}
				if i := slices.IndexFunc(mayNot, func(r refusal) bool { return r.fits(status, verified, age.tooOld) }); i >= 0 {
					want = mayNot[i]
				}
				b.wantMint(t, fmt.Sprintf("%s, verified %v, %s", status, verified, name), age.maxAge, want)
			}
		}
	}
}

// wantMint mints, and wants to be refused as want says; if that is empty, a token.
func (b *bench) wantMint(t *testing.T, who string, maxAge time.Duration, want refusal) {
	t.Helper()
	request := b.ask()
	request.MaxAge = maxAge
	minted, err := b.minter.Mint(inTime(t), request)
	if !errors.Is(err, want.err) || (minted.Token == token.Token{}) != (want.err != nil) {
		t.Errorf("%s: %v, want %v", who, err, want.err)
	}
	id, event, outcome := minted.HandoffID, "handoff.minted", "success"
	if journey := (*handoff.JourneyError)(nil); errors.As(err, &journey) {
		id = journey.HandoffID
	}
	if want.err != nil {
		event, outcome = "handoff.refused", "failure"
	}
	recorded := testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE handoff_id = $1`, id)
	rightly := testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE handoff_id = $1 AND event = $2 AND outcome = $3
		AND COALESCE(reason, '') = $4 AND actor_id = $5`, id, event, outcome, want.reason, b.ada)
	if recorded != 1 || rightly != 1 {
		t.Errorf("%s: %d rows record it, %d of them as %s, %q", who, recorded, rightly, event, want.reason)
	}
	if n := testkit.Count(t, b.db, `SELECT count(*) FROM handoffs WHERE handoff_id = $1`, id); (n == 1) != (want.err == nil) {
		t.Errorf("%s: %d rows in the ledger", who, n)
	}
}
