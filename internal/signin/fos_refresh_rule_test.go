package signin_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// stay is what the rule of refreshing looks at in a session, and what it changes.
type stay struct {
	Generation int
	Used       bool
	Rotated    *time.Time // nil: never
	LastUsed   time.Time
	Expires    time.Time
	Ended      *time.Time
	EndedAs    string
	active     bool // the user
}

// judge is invariant I11 as section 2 of the protocol says it, written without a look
// at the SQL: what becomes of a token of a generation, shown at now.
func (s stay) judge(generation int, now time.Time) session.RefreshOutcome {
	if s.Ended != nil || !now.Before(s.Expires) {
		return session.Over
	}
	current, predecessor := generation == s.Generation, generation == s.Generation-1
	justRotated := s.Rotated != nil && now.Sub(*s.Rotated) < 30*time.Second
	converges := predecessor && (justRotated || !s.Used)
	switch {
	case !current && !converges:
		return session.Reused
	case !s.active:
		return session.Barred
	case current:
		return session.Rotated
	case justRotated:
		return session.Converged
	}
	return session.ConvergedLate
}

// after is the session once the outcome has been carried out.
func (s stay) after(outcome session.RefreshOutcome, now time.Time) stay {
	switch outcome {
	case session.Rotated:
		s.Generation, s.Used, s.Rotated, s.LastUsed = s.Generation+1, false, &now, now
	case session.Converged, session.ConvergedLate:
		s.LastUsed = now
	case session.Reused:
		s.Ended, s.EndedAs = &now, "reuse"
	case session.Over, session.Barred:
	}
	return s
}

// event is the one audit row of each outcome (I4); a refusal that changes nothing and
// says nothing about a thief leaves none.
var event = map[session.RefreshOutcome]string{
	session.Rotated: "session.refreshed success rotated", session.Converged: "session.refreshed success converged",
	session.ConvergedLate: "session.refreshed success converged_late",
	session.Reused:        "session.reuse_detected failure",
}

// put writes the session into the database, as one by password.
func (s stay) put(t testing.TB, d *desk, of user.User) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	testkit.Exec(t, d.db, `
		INSERT INTO sessions (id, user_id, origin, generation, generation_used, rotated_at, elevated, auth_time, amr, created_at,
			last_used_at, expires_at, ended_at, ended_as)
		VALUES ($1, $2, 'password', $3, $4, $5, true, $6, '{pwd}', $6, $6, $7, $8, NULLIF($9, ''))`,
		id, of.ID, s.Generation, s.Used, s.Rotated, s.LastUsed, s.Expires, s.Ended, s.EndedAs)
	return id
}

// stored is the session as the database has it.
func stored(t testing.TB, d *desk, id uuid.UUID) (s stay) {
	t.Helper()
	err := d.db.QueryRow(context.Background(), `
		SELECT generation, generation_used, rotated_at, last_used_at, expires_at, ended_at, coalesce(ended_as, '')
		FROM sessions WHERE id = $1`, id).
		Scan(&s.Generation, &s.Used, &s.Rotated, &s.LastUsed, &s.Expires, &s.Ended, &s.EndedAs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// differs says in what the database has the session otherwise; "" is in nothing.
func differs(t testing.TB, d *desk, id uuid.UUID, want stay) string {
	t.Helper()
	return cmp.Diff(want, stored(t, d, id), cmpopts.IgnoreUnexported(stay{}))
}

// stays are all combinations of what a row can be, with the names of what is special.
func stays(now time.Time) map[string]stay {
	all := map[string]stay{}
	ages := map[string]time.Duration{
		"never rotated": -1, "just rotated": 0, "rotated 29.999 s ago": 29999 * time.Millisecond,
		"rotated 30 s ago": 30 * time.Second, "rotated an hour ago": time.Hour, "rotated in a second": -time.Second,
	}
	for age, ago := range ages {
		for bits := range 16 {
			used, ended, expired, inactive := bits&1 != 0, bits&2 != 0, bits&4 != 0, bits&8 != 0
			s := stay{Generation: 5, Used: used, LastUsed: now.Add(-time.Minute), Expires: now.Add(time.Microsecond), active: !inactive}
			if age != "never rotated" {
				rotated := now.Add(-ago)
				s.Rotated = &rotated
			}
			if ended {
				earlier := now.Add(-time.Second)
				s.Ended, s.EndedAs = &earlier, "logout"
			}
			if expired {
				s.Expires = now
			}
			all[fmt.Sprintf("%s, used %v, ended %v, expired %v, inactive %v", age, used, ended, expired, inactive)] = s
		}
	}
	return all
}

// I11: the rule, over every kind of row and every kind of token; what changes, and
// what is recorded.
func TestI11_theRuleOfRefreshing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := d.clock.Now()
	users := map[bool]user.User{
		true: d.account(t, "active@example.org", ""), false: d.account(t, "suspended@example.org", "", is(user.Suspended)),
	}
	store, outcomes := signin.NewFOSStore(d.db), map[session.RefreshOutcome]int{}
	for name, s := range stays(now) {
		for generation := 3; generation <= 7; generation++ {
			of := users[s.active]
			id := s.put(t, d, of)
			want := s.judge(generation, now)
			outcomes[want]++
			claims := session.RefreshClaims{Claims: session.Claims{SessionID: id, UserID: of.ID}, Generation: generation}
			got, err := store.Refresh(t.Context(), claims, now, origin)
			if err != nil || got.Outcome != want {
				t.Errorf("%s, token of generation %d (5 is current): %s, %v, want %s", name, generation, got.Outcome, err, want)
			}
			after := s.after(want, now)
			if got.Session.ID != id || got.Session.Generation != after.Generation || got.User.ID != of.ID {
				t.Errorf("%s, token of generation %d: the pair would be %+v", name, generation, got)
			}
			if diff := differs(t, d, id, after); diff != "" {
				t.Errorf("%s, token of generation %d: the row (-want +got):\n%s", name, generation, diff)
			}
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	for outcome, n := range outcomes {
		if outcome == session.Over || outcome == session.Barred {
			continue
		}
		if got := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log WHERE trim(event || ' ' || outcome || ' ' || coalesce(reason, '')) = $1
			AND actor_id IN (SELECT id FROM users) AND request_id = 'the request' AND at = $2`, event[outcome], now); got != n {
			t.Errorf("I4: %d rows say %q, want %d", got, event[outcome], n)
		}
	}
	if len(outcomes) != 6 {
		t.Errorf("the combinations came to %v", outcomes)
	}
	if n := testkit.Count(t, d.db, `SELECT count(*) FROM audit_log`); n != outcomes[session.Rotated]+outcomes[session.Converged]+outcomes[session.ConvergedLate]+outcomes[session.Reused] {
		t.Errorf("I4: %d rows for %v", n, outcomes)
	}
}

// The signature says whose a token is, and so does the row: a session that became
// somebody else's, or is gone, is nobody's.
func TestARefreshTokenIsGoodForItsOwnRowOnly(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	now := d.clock.Now()
	ada, eve := d.account(t, "ada@example.org", ""), d.account(t, "eve@example.org", "")
	s := stay{Generation: 1, LastUsed: now, Expires: now.Add(time.Hour), active: true}
	id := s.put(t, d, ada)
	for name, claims := range map[string]session.Claims{
		"another user":   {SessionID: id, UserID: eve.ID},
		"a user gone":    {SessionID: id, UserID: uuid.New()},
		"a session gone": {SessionID: uuid.New(), UserID: ada.ID},
	} {
		got, err := signin.NewFOSStore(d.db).Refresh(t.Context(), session.RefreshClaims{Claims: claims, Generation: 1}, now, origin)
		if err == nil || got.Session.ID != uuid.Nil || got.User.ID != uuid.Nil {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if diff := differs(t, d, id, s); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
	if events := testkit.Events(t, d.db); len(events) != 0 {
		t.Errorf("recorded %q", events)
	}
}
