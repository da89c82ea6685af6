package faulttest_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The hand-offs of every story here: one that was only minted, one that was exchanged,
// one that somebody arrived by, and their session.
var (
	idle    = uuid.MustParse("0190a000-0000-7000-8000-000000000001")
	swapped = uuid.MustParse("0190a000-0000-7000-8000-000000000002")
	landed  = uuid.MustParse("0190a000-0000-7000-8000-000000000003")
	stay    = uuid.MustParse("0190a000-0000-7000-8000-00000000000a")
	other   = uuid.MustParse("0190a000-0000-7000-8000-00000000000b")
)

func wellDone(handoff uuid.UUID) faulttest.Answer {
	return faulttest.Answer{Status: http.StatusOK, HandoffID: handoff}
}

func arrivedIn(handoff, session uuid.UUID) faulttest.Answer {
	return faulttest.Answer{Status: http.StatusOK, HandoffID: handoff, Session: session}
}

var (
	noAnswer = faulttest.Answer{Err: errors.New("connection reset")}
	away     = faulttest.Answer{Status: http.StatusServiceUnavailable, Code: "dependency_unavailable"}
	replayed = faulttest.Answer{Status: http.StatusBadRequest, Code: "token_used"}
)

// allTold is what the callers of the three were told.
func allTold() *faulttest.Told {
	told := faulttest.NewTold()
	for _, id := range []uuid.UUID{idle, swapped, landed} {
		told.Minted(wellDone(id))
	}
	told.Exchanged(swapped, "key", wellDone(swapped))
	told.Exchanged(swapped, "key", wellDone(swapped)) // a repeat, whose answer is the same
	told.Exchanged(swapped, "another key", replayed)
	told.Arrived(landed, "key", arrivedIn(landed, stay))
	return told
}

const (
	daoRows = `
		TRUNCATE handoffs, audit_log;
		INSERT INTO handoffs (handoff_id, digest, member_id, session_id, entry_product, target_domain, minted_at, expires_at, redeemed_at, redeemed_as, attempt, redeemed_by)
		SELECT v.id::uuid, sha256(v.id::bytea), s.member_id, s.id, 'dao', 'x', now(), now(), CASE WHEN used THEN now() END, CASE WHEN used THEN 'exchanged' END,
			CASE WHEN used THEN sha256('') END, CASE WHEN used THEN 'k' END
		FROM sessions s, (VALUES ('0190a000-0000-7000-8000-000000000001', false), ('0190a000-0000-7000-8000-000000000002', true), ('0190a000-0000-7000-8000-000000000003', true)) v (id, used);
		INSERT INTO audit_log (at, event, outcome, handoff_id) SELECT now(), 'handoff.minted', 'success', handoff_id FROM handoffs;
		INSERT INTO audit_log (at, event, outcome, handoff_id) SELECT now(), 'handoff.exchanged', 'success', handoff_id FROM handoffs WHERE redeemed_at IS NOT NULL;
		INSERT INTO audit_log (at, event, outcome, handoff_id) SELECT now(), 'handoff.replayed', 'failure', handoff_id FROM handoffs;`
	fosRows = `
		TRUNCATE users, audit_log CASCADE;
		INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ('0190a000-0000-7000-8000-0000000000f0', 'a@b', 'a@b', true, 'member', 'ACTIVE', now(), now());
		INSERT INTO sessions (id, user_id, origin, handoff_id, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		SELECT '0190a000-0000-7000-8000-00000000000a', id, 'handoff', '0190a000-0000-7000-8000-000000000003', 1, false, now(), '{}', now(), now(), now() FROM users;
		INSERT INTO audit_log (at, event, outcome, reason, handoff_id) SELECT now(), 'session.created', 'success', 'handoff', handoff_id FROM sessions;`
)

// I1, I4: a balance that cannot be wrong says nothing. Each story spoils one thing,
// and the balance finds that one.
func TestBalanceFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	stores := faulttest.NewStores(t)
	faulttest.People(t, stores.DAO, 1)
	testkit.Exec(t, stores.DAO, `ALTER TABLE audit_log DISABLE TRIGGER ALL`) // it refuses what the stories do
	testkit.Exec(t, stores.FOS, `ALTER TABLE audit_log DISABLE TRIGGER ALL`)
	again := ` SELECT at, event, outcome, reason, handoff_id FROM audit_log WHERE event = `
	for _, story := range []struct {
		name, dao, fos string
		told           *faulttest.Told // nil: allTold
		want           string          // "" is nothing
	}{
		{"all is well", "", "", nil, ""},
		{"a mint is recorded twice", `INSERT INTO audit_log (at, event, outcome, reason, handoff_id)` + again + `'handoff.minted' LIMIT 1`, "", nil, "2 handoff.minted for 1 ledger"},
		{"a mint is not recorded", `DELETE FROM audit_log WHERE event = 'handoff.minted'`, "", nil, "0 handoff.minted for 1 ledger"},
		{"a mint is recorded as a failure", `UPDATE audit_log SET outcome = 'failure' WHERE event = 'handoff.minted'`, "", nil, "0 handoff.minted for 1 ledger"},
		{"a record of no mint", `INSERT INTO audit_log (at, event, outcome, handoff_id) VALUES (now(), 'handoff.minted', 'success', gen_random_uuid())`, "", nil, "1 handoff.minted for 0 ledger"},
		{"a record of nothing", `INSERT INTO audit_log (at, event, outcome) VALUES (now(), 'handoff.minted', 'success')`, "", nil, "1 handoff.minted for 0 ledger"},
		{"an exchange is recorded twice", `INSERT INTO audit_log (at, event, outcome, reason, handoff_id)` + again + `'handoff.exchanged' LIMIT 1`, "", nil, "2 handoff.exchanged for 1"},
		{"an exchange is not recorded", `DELETE FROM audit_log WHERE event = 'handoff.exchanged'`, "", nil, "0 handoff.exchanged for 1"},
		{"an exchange is recorded of a burnt token", `UPDATE handoffs SET redeemed_as = 'wrong_target' WHERE redeemed_at IS NOT NULL`, "", nil, "1 handoff.exchanged for 0"},
		{"a session is recorded twice", "", `INSERT INTO audit_log (at, event, outcome, reason, handoff_id)` + again + `'session.created'`, nil, "2 session.created for 1"},
		{"a session is not recorded", "", `DELETE FROM audit_log`, nil, "0 session.created for 1"},
		{"a session is gone", "", `DELETE FROM sessions`, nil, "1 session.created for 0"},
		{"a session that was given is gone", "", `DELETE FROM sessions; DELETE FROM audit_log`, nil, "given a session that is not there"},
		{"another session was given", "", "", and(func(d *faulttest.Told) { d.Arrived(landed, "key", arrivedIn(landed, other)) }), "given a session that is not there"},
		{
			"two sessions", "", `ALTER TABLE sessions DROP CONSTRAINT sessions_handoff_id_key; INSERT INTO sessions (id, user_id, origin, handoff_id, generation, elevated,
			auth_time, amr, created_at, last_used_at, expires_at) SELECT gen_random_uuid(), user_id, origin, handoff_id, 1, false, now(), '{}', now(), now(), now() FROM sessions`, nil, "I1: 2 sessions",
		},
		{"two were told of one exchange", "", "", and(func(d *faulttest.Told) { d.Exchanged(swapped, "another key", wellDone(swapped)) }), "I1: redeemed for exchange key and for exchange another key"},
		{"an exchange and an arrival", "", "", and(func(d *faulttest.Told) { d.Exchanged(landed, "key", wellDone(landed)) }), "I1: redeemed for arrival key and for exchange key"},
		{"somebody else's claims", "", "", and(func(d *faulttest.Told) { d.Exchanged(swapped, "key", wellDone(idle)) }), "told of " + idle.String()},
		{"an exchange is told that never was", "", "", and(func(d *faulttest.Told) { d.Exchanged(idle, "key", wellDone(idle)) }), "told of an exchange that is not there"},
		{"a token is told that never was", "", "", and(func(d *faulttest.Told) { d.Minted(wellDone(other)) }), "it is nowhere"},
		{"a ledger row is gone", `DELETE FROM handoffs WHERE redeemed_at IS NULL; DELETE FROM audit_log WHERE handoff_id NOT IN (SELECT handoff_id FROM handoffs)`, "", nil, "it is nowhere"},
		{"an exchange that nobody was told of", "", "", mintedOnly(), "exchanged, and no caller was told"},
		{"a session that nobody was told of", "", "", mintedOnly(func(d *faulttest.Told) { d.Exchanged(landed, "key", wellDone(landed)) }), "a session that nobody was told of"},
		{"a token that nobody was told of", "", "", nothing(nil), "3 tokens are in the ledger that no caller was told of"},
		{"two callers do not know, of three tokens", "", "", nothing(func(d *faulttest.Told) { d.Minted(noAnswer); d.Minted(away) }), "and 2 callers do not know"},
		{"answers were lost", "", "", nothing(func(d *faulttest.Told) {
			for range 3 {
				d.Minted(noAnswer)
			}
			d.Exchanged(swapped, "key", away)
			d.Arrived(landed, "key", noAnswer)
		}), ""},
		{"lost, and nothing had happened", `DELETE FROM handoffs; DELETE FROM audit_log`, `TRUNCATE users, audit_log CASCADE`, nothing(func(d *faulttest.Told) {
			d.Minted(noAnswer)
			d.Exchanged(swapped, "key", noAnswer)
		}), ""},
	} {
		testkit.Exec(t, stores.DAO, daoRows)
		testkit.Exec(t, stores.FOS, fosRows)
		if story.told == nil {
			story.told = allTold()
		}
		testkit.Exec(t, stores.DAO, story.dao)
		testkit.Exec(t, stores.FOS, story.fos)
		faults, err := faulttest.Imbalances(t.Context(), stores, story.told)
		if err != nil {
			t.Fatal(err)
		}
		found := slices.ContainsFunc(faults, func(fault string) bool { return strings.Contains(fault, story.want) })
		if found != (story.want != "") || story.want == "" && len(faults) > 0 {
			t.Errorf("%s: %q, want %q", story.name, faults, story.want)
		}
	}
}

// and is what all were told, and more.
func and(more func(*faulttest.Told)) *faulttest.Told {
	told := allTold()
	more(told)
	return told
}

// mintedOnly is what callers were told when nobody had presented a token yet, and more.
func mintedOnly(more ...func(*faulttest.Told)) *faulttest.Told {
	told := faulttest.NewTold()
	for _, id := range []uuid.UUID{idle, swapped, landed} {
		told.Minted(wellDone(id))
	}
	for _, tell := range more {
		tell(told)
	}
	return told
}

// nothing is what callers know who were told nothing but that.
func nothing(but func(*faulttest.Told)) *faulttest.Told {
	told := faulttest.NewTold()
	if but != nil {
		but(told)
	}
	return told
}

func TestI1_ToldCountsRedemptionsAndNamesTheDoubleOnes(t *testing.T) {
	t.Parallel()
	told := allTold()
	if r := told.Redemptions(); r.Handoffs != 2 || r.Attempts != 1 || r.Sessions != 1 || len(r.Doubles) != 0 {
		t.Errorf("%v %q", r, r.Doubles)
	}
	for name, tell := range map[string]func(*faulttest.Told){
		"2 attempts were told that they redeemed it (arrival key, exchange key), with 1 sessions": func(d *faulttest.Told) {
			d.Exchanged(landed, "key", wellDone(landed))
		},
		"1 attempts were told that they redeemed it (arrival key), with 2 sessions": func(d *faulttest.Told) {
			d.Arrived(landed, "key", arrivedIn(landed, other))
		},
	} {
		r := and(tell).Redemptions()
		if r.Handoffs != 2 || max(r.Attempts, r.Sessions) != 2 || len(r.Doubles) != 1 ||
			!strings.Contains(r.Doubles[0], landed.String()) || !strings.Contains(r.Doubles[0], name) {
			t.Errorf("%v %q, want %q", r, r.Doubles, name)
		}
	}
}
