package signin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// company is requests that are to share a statement.
type company struct {
	db    *pgxpool.Pool
	store interface {
		OneAtATime()
		Waiting() int
	}
	occupy func() // a request before them, which takes the way
	late   int    // how many of the first are not answered while somebody holds what is theirs
}

// together has what calls do go into one statement: the way before it is taken, by who waits
// for the audit log like everybody. It returns when all but the late ones are answered, and
// how to wait for those.
func (c company) together(t *testing.T, calls ...func()) (wait func()) {
	t.Helper()
	c.store.OneAtATime()
	log := testkit.Hold(t, c.db, `LOCK TABLE audit_log IN SHARE MODE`)
	var gone, answered sync.WaitGroup
	gone.Go(c.occupy)
	testkit.UntilWaiting(t, c.db, 1) // the way is taken
	answered.Add(len(calls) - c.late)
	for i, call := range calls {
		gone.Go(func() {
			call()
			if i >= c.late {
				answered.Done()
			}
		})
	}
	until(t, "all are queued", func() bool { return c.store.Waiting() == len(calls) })
	log.Release()
	answered.Wait()
	return gone.Wait
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// asking is a refresh by a store, and what it came to.
type asking struct {
	id      uuid.UUID
	of      user.User
	shown   int // the token's generation
	outcome session.RefreshOutcome
	after   int // the generation of the pair
}

// I11, I4: sessions that are refreshed in one statement are each judged by the rule, as if
// each had come alone: also two tabs of one session. Nobody waits for a session that
// somebody holds, but who refreshes it.
func TestI11_refreshesInOneStatementAreJudgedEach(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	store, now := signin.NewFOSStore(d.db), d.clock.Now()
	ada, eve := d.account(t, "ada@example.org", ""), d.account(t, "eve@example.org", "", is(user.Suspended))
	put := func(of user.User, change ...func(*stay)) uuid.UUID {
		s := stay{Generation: 5, LastUsed: now.Add(-time.Minute), Expires: now.Add(time.Hour)}
		for _, alter := range change {
			alter(&s)
		}
		return s.put(t, d, of)
	}
	used := func(s *stay) { s.Used = true }
	ended := func(s *stay) { s.Ended, s.EndedAs = &now, "logout" }
	held, twice := put(ada), put(ada)
	all := []*asking{
		{id: held, of: ada, shown: 5}, {id: put(ada), of: ada, shown: 5}, {id: twice, of: ada, shown: 5}, {id: twice, of: ada, shown: 5},
		{id: put(ada), of: ada, shown: 4}, {id: put(ada, used), of: ada, shown: 3}, {id: put(ada, ended), of: ada, shown: 5},
		{id: put(eve), of: eve, shown: 5}, {id: put(ada, used), of: ada, shown: 5},
	}
	refresh := func(a *asking) func() {
		return func() {
			claims := session.RefreshClaims{Claims: session.Claims{SessionID: a.id, UserID: a.of.ID}, Generation: a.shown}
			r, err := store.Refresh(context.Background(), claims, now, origin)
			if err != nil || r.Session.ID != a.id || r.User.ID != a.of.ID || r.User.Email.Reveal() != a.of.Email.Reveal() {
				t.Errorf("%+v, %v", r, err)
			}
			a.outcome, a.after = r.Outcome, r.Session.Generation
		}
	}
	first := refresh(&asking{id: put(ada), of: ada, shown: 5})
	var calls []func()
	for _, a := range all {
		calls = append(calls, refresh(a))
	}
	somebody := testkit.Hold(t, d.db, `SELECT FROM sessions WHERE id = $1 FOR UPDATE`, held)
	wait := company{d.db, store, first, 1}.together(t, calls...)
	if s := stored(t, d, held); s.Generation != 5 {
		t.Errorf("the session that somebody holds: %+v", s)
	}
	somebody.Release()
	wait()

	var got []string
	for _, a := range all {
		got = append(got, fmt.Sprintf("%s %d", a.outcome, a.after))
	}
	slices.Sort(got[2:4]) // the two tabs: one of them was first
	want := []string{"rotated 6", "rotated 6", "converged 6", "rotated 6", "converged_late 5", "reused 5", "over 5", "barred 5", "rotated 6"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	rows := testkit.Events(t, d.db)
	slices.Sort(rows)
	const went = "session.refreshed success "
	if want := []string{
		went + "converged", went + "converged_late", went + "rotated", went + "rotated", went + "rotated",
		went + "rotated", went + "rotated", "session.reuse_detected failure",
	}; !slices.Equal(rows, want) {
		t.Errorf("I4: recorded %q, want %q", rows, want)
	}
	// What went together was committed together: three of the five rotations.
	if n := testkit.Count(t, d.db, `SELECT count(DISTINCT xmin::text) FROM audit_log WHERE reason = 'rotated'`); n != 3 {
		t.Errorf("%d transactions have rotated, not three", n)
	}
}

// The same on the DAO half, where tabs are given the same cookie.
func TestI11_DAORefreshesInOneStatementAreJudgedEach(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	store := signin.NewDAOStore(d.db)
	d.Store = store
	d.member(t, "ada@example.org", "right", member.Active)
	held, alone, twice, gone := d.again(t, "ada@example.org"), d.again(t, "ada@example.org"), d.again(t, "ada@example.org"), d.again(t, "ada@example.org")
	testkit.Exec(t, d.db, `UPDATE sessions SET ended_at = $2, ended_as = 'logout' WHERE id = $1`, gone.Session.ID, d.clock.Now())
	earlier := d.again(t, "ada@example.org")
	lost := d.mustRefresh(t, earlier, earlier.Cookie)

	type answer struct {
		session member.Session
		next    member.Cookie
		err     error
	}
	shown := []signin.Login{held, alone, twice, twice, gone, earlier}
	answers := make([]answer, len(shown))
	refresh := func(login signin.Login, into *answer) func() {
		return func() {
			into.session, into.next, into.err = d.Refresh(context.Background(), login.Cookie, login.Session.ID, audit.Origin{})
		}
	}
	first := refresh(d.again(t, "ada@example.org"), &answer{})
	var calls []func()
	for i, login := range shown {
		calls = append(calls, refresh(login, &answers[i]))
	}
	somebody := testkit.Hold(t, d.db, `SELECT FROM sessions WHERE id = $1 FOR UPDATE`, held.Session.ID)
	wait := company{d.db, store, first, 1}.together(t, calls...)
	somebody.Release()
	wait()

	for i, a := range answers {
		switch {
		case i == 4:
			if !errors.Is(a.err, member.ErrSessionRevoked) || a.next.Reveal() != "" {
				t.Errorf("a session that was ended: %v", a.err)
			}
		case a.err != nil || a.session.ID != shown[i].Session.ID || a.next.Reveal() == shown[i].Cookie.Reveal():
			t.Errorf("refresh %d: %v", i, a.err)
		default:
			found, _, err := d.Current(t.Context(), a.next)
			if err != nil || found.ID != shown[i].Session.ID || !found.IdleExpiresAt.Equal(a.session.IdleExpiresAt) {
				t.Errorf("the cookie of refresh %d leads to %v, %v", i, found.ID, err)
			}
		}
	}
	if answers[2].next.Reveal() != answers[3].next.Reveal() || answers[5].next.Reveal() != lost.Reveal() {
		t.Error("two tabs have two cookies")
	}
	refreshed := strings.Join(slices.Sorted(slices.Values(testkit.Events(t, d.db))), "\n")
	if rotated, converged := strings.Count(refreshed, " rotated"), strings.Count(refreshed, " converged"); rotated != 5 || converged != 2 {
		t.Errorf("I4: %d rotations and %d convergences recorded, want 5 and 2", rotated, converged)
	}
}

// The narrowest moment: the user is suspended while a refresh waits for the session. What
// was so when it began to wait is no reason for a pair.
func TestI11_whoIsSuspendedWhileARefreshWaitsIsGivenNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.account(t, "ada@example.org", "right")
	before := d.enters(t, "ada@example.org")
	somebody := testkit.Hold(t, d.db, `SELECT FROM sessions FOR UPDATE`)
	came := make(chan refreshed, 1)
	go func() {
		entered, err := d.Refresh(context.Background(), signin.Shown{Refresh: []string{before.Pair.Refresh.Reveal()}}, origin)
		came <- refreshed{entered, err}
	}()
	testkit.UntilWaiting(t, d.db, 1)
	testkit.Exec(t, d.db, `UPDATE users SET status = 'SUSPENDED'`)
	somebody.Release()
	if got := <-came; !errors.Is(got.err, user.ErrInactive) || got.Pair.Refresh.Reveal() != "" {
		t.Errorf("a pair for who was suspended: %v", got.err)
	}
}

// Who held the session has changed nothing: then the refresh that waited rotates.
func TestI11_aRefreshThatHasWaitedForNothingRotates(t *testing.T) {
	t.Parallel()
	for name, half := range map[string]func(t *testing.T) (db *pgxpool.Pool, refresh func() error){
		"the DAO half": func(t *testing.T) (*pgxpool.Pool, func() error) {
			d := newDAO(t)
			login := d.ada(t)
			return d.db, func() error {
				got, next, err := d.Refresh(context.Background(), login.Cookie, login.Session.ID, audit.Origin{})
				if err == nil && (next.Reveal() == login.Cookie.Reveal() || got.ID != login.Session.ID) {
					err = errors.New("the cookie is the one before")
				}
				return err
			}
		},
		"the FOS half": func(t *testing.T) (*pgxpool.Pool, func() error) {
			d := newDesk(t)
			d.account(t, "ada@example.org", "right")
			before := d.enters(t, "ada@example.org")
			return d.db, func() error {
				got, err := d.Refresh(context.Background(), signin.Shown{Refresh: []string{before.Pair.Refresh.Reveal()}}, origin)
				if err == nil && got.Session.Generation != 2 {
					err = fmt.Errorf("generation %d", got.Session.Generation)
				}
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, refresh := half(t)
			somebody := testkit.Hold(t, db, `SELECT FROM sessions FOR UPDATE`)
			came := make(chan error, 1)
			go func() { came <- refresh() }()
			testkit.UntilWaiting(t, db, 1)
			somebody.Release()
			if err := <-came; err != nil {
				t.Error(err)
			}
			if n := testkit.Count(t, db, `SELECT count(*) FROM audit_log WHERE event = 'session.refreshed' AND reason = 'rotated'`); n != 1 {
				t.Errorf("I4: %d rotations recorded", n)
			}
		})
	}
}
