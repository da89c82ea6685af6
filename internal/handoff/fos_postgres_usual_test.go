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

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// house is a FOS database, and how many statements the store has sent there.
type house struct {
	*handoff.FOSStore
	db   *pgxpool.Pool
	sent *atomic.Int64
}

func newHouse(t *testing.T) house {
	t.Helper()
	url, h := testkit.DatabaseURL(t, datastore.FOS), house{sent: new(atomic.Int64)}
	pool, err := datastore.OpenWatched(t.Context(), url, datastore.ThroughItsOwnCrash, func(ctx context.Context, _ string) (context.Context, func(error)) {
		h.sent.Add(1)
		return ctx, func(error) {}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	h.FOSStore, h.db = handoff.NewFOSStore(pool), testkit.Pool(t, url)
	return h
}

// person is somebody of the DAO half, and what the FOS half knows of them.
type person struct {
	subject   uuid.UUID
	email     string
	principal *string
	id        uuid.UUID // there; uuid.Nil: nobody knows them
}

// knows makes an account for p that is linked.
func (h house) knows(t *testing.T, p *person, role user.Role, status user.Status) {
	t.Helper()
	p.id = uuid.New()
	testkit.Exec(t, h.db, `INSERT INTO users (id, email, email_canonical, email_verified, role, status, created_at, updated_at)
		VALUES ($1, $2, $2, true, $3, $4, $5, $5)`, p.id, p.email, string(role), string(status), noon)
	testkit.Exec(t, h.db, `INSERT INTO identity_link VALUES ('dao', $1, $2, $3)`, p.subject.String(), p.id, noon)
}

// arrival of p by a hand-off of its own, that nobody has to be asked about.
func arrivalOf(t *testing.T, p person) handoff.Arrival {
	t.Helper()
	id, product := uuid.Must(uuid.NewV7()), "think-tank"
	claims := token.Claims{HandoffID: id, UserID: p.subject, EntryProduct: product, Target: testkit.Target}
	return handoff.Arrival{
		Person: user.Arrival{Subject: p.subject, Email: testkit.Email(t, p.email), EmailVerified: true, Principal: p.principal},
		Session: session.New{
			ID: uuid.Must(uuid.NewV7()), Origin: session.Handoff, HandoffID: &id, EntryProduct: &product,
			Arrival: session.NewArrival("key of "+id.String(), ""), AuthTime: noon.Add(-time.Minute), AMR: []string{"pwd", `odd "one"`},
			Now: noon, ExpiresAt: noon.Add(7 * 24 * time.Hour),
		},
		Claims: claims, NewUserID: uuid.Must(uuid.NewV7()), Now: noon, Origin: audit.Origin{RequestID: "usual"},
	}
}

// theLongWay has the arrival go through the transaction that is there for all: by an
// answer to a question that nobody has put.
func theLongWay(a handoff.Arrival) handoff.Arrival {
	a.Consent.Links = true
	return a
}

var errClosed = []error{session.ErrHandoffEnded, session.ErrHandoffUsed, user.ErrInactive, user.ErrConflict}

// became is what an arrival led to, without the names of who arrived.
func became(t *testing.T, h house, a handoff.Arrival, p person) string {
	t.Helper()
	arrived, err := h.Arrive(inTime(t), a)
	if err != nil {
		i := slices.IndexFunc(errClosed, func(known error) bool { return errors.Is(err, known) })
		if i < 0 {
			t.Fatal(err)
		}
		return errClosed[i].Error()
	}
	s := arrived.Session
	told := fmt.Sprint(arrived.Began, arrived.User.ID == p.id, arrived.User.Email.Reveal() == p.email, arrived.User.Role, s.ID == a.Session.ID,
		s.UserID == arrived.User.ID, *s.HandoffID == a.Claims.HandoffID, *s.EntryProduct, s.Origin, s.Generation, s.GenerationUsed, s.Elevated,
		s.AuthTime, s.AMR, s.CreatedAt, s.LastUsedAt, s.ExpiresAt, s.EndedAt)
	var recorded []string
	for _, event := range []string{"session.created", "user.created", "user.linked", "session.ended"} {
		recorded = append(recorded, fmt.Sprint(testkit.Count(t, h.db, `SELECT count(*) FROM audit_log WHERE handoff_id = $1 AND event = $2
			AND actor_id = $3 AND outcome = 'success' AND entry_product = 'think-tank' AND (event <> 'session.created' OR reason = 'handoff' AND target_domain = $4)
			AND at = $5 AND request_id = 'usual'`, a.Claims.HandoffID, event, arrived.User.ID, testkit.Target, noon)))
	}
	var account string
	if err := h.db.QueryRow(t.Context(), `SELECT concat_ws(' ', u.role, u.status, u.email_canonical = $2, u.email_verified, coalesce(u.display_name, '-'),
		u.password_hash IS NULL, u.created_at = $3, (SELECT count(*) FROM identity_link WHERE user_id = u.id AND subject = $4),
		(SELECT count(*) FROM ic_identity_link WHERE user_id = u.id)) FROM users u WHERE id = $1`,
		arrived.User.ID, p.email, noon, p.subject.String()).Scan(&account); err != nil {
		t.Error(err)
	}
	return told + " " + strings.Join(recorded, "") + " " + account
}

// Section 5, I8, I9: in every situation the one statement does what the transaction does,
// or leaves it to that. It is for who is linked, active and as they were.
func TestArrive_inOneStatementItIsTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := 0
	next := func(principal *string) person {
		n++
		return person{subject: uuid.New(), email: fmt.Sprintf("p%d@example.org", n), principal: principal}
	}
	text := func(s string) *string { return &s }
	linked := func(role user.Role, status user.Status) func(*person, handoff.Arrival) {
		return func(p *person, _ handoff.Arrival) { h.knows(t, p, role, status) }
	}
	withPrincipal := func(of func(p *person) uuid.UUID) func(*person, handoff.Arrival) {
		return func(p *person, _ handoff.Arrival) {
			h.knows(t, p, user.Member, user.Active)
			testkit.Exec(t, h.db, `INSERT INTO ic_identity_link VALUES ($1, $2, $3)`, *p.principal, of(p), noon)
		}
	}
	stranger := next(nil)
	h.knows(t, &stranger, user.Member, user.Active)
	for _, situation := range []struct {
		name       string
		principal  bool
		arrange    func(*person, handoff.Arrival)
		statements int64 // of the short way; 0: by the long one
	}{
		{"linked", false, linked(user.Member, user.Active), 1},
		{"a founder who is linked", false, linked(user.Founder, user.Active), 1},
		{"pending", false, linked(user.Member, user.Pending), 0},
		{"suspended", false, linked(user.Member, "SUSPENDED"), 0},
		{"nobody", false, func(*person, handoff.Arrival) {}, 2},
		{"nobody, with a principal", true, func(*person, handoff.Arrival) {}, 2},
		{"nobody, and the hand-off's source has ended", false, func(_ *person, a handoff.Arrival) {
			testkit.Exec(t, h.db, `INSERT INTO handoffs_ended (handoff_id, ended_at, ended_as) VALUES ($1, $2, 'source_ended')`, a.Claims.HandoffID, noon)
		}, 0},
		{"nobody, but their address is somebody's", false, func(p *person, _ handoff.Arrival) {
			other := person{subject: uuid.New(), email: p.email}
			h.knows(t, &other, user.Member, user.Active)
		}, 0},
		{"nobody, but their principal is somebody's", true, func(p *person, _ handoff.Arrival) {
			testkit.Exec(t, h.db, `INSERT INTO ic_identity_link VALUES ($1, $2, $3)`, *p.principal, stranger.id, noon)
		}, 0},
		{"their own principal", true, withPrincipal(func(p *person) uuid.UUID { return p.id }), 1},
		{"a principal that is somebody else's", true, withPrincipal(func(*person) uuid.UUID { return stranger.id }), 0},
		{"a principal that is new", true, linked(user.Member, user.Active), 0},
		{"the hand-off's source has ended", false, func(p *person, a handoff.Arrival) {
			h.knows(t, p, user.Member, user.Active)
			testkit.Exec(t, h.db, `INSERT INTO handoffs_ended (handoff_id, ended_at, ended_as) VALUES ($1, $2, 'source_ended')`, a.Claims.HandoffID, noon)
		}, 0},
		{"shown in another browser", false, func(p *person, a handoff.Arrival) {
			h.knows(t, p, user.Member, user.Active)
			other := session.NewArrival("another", "")
			testkit.Exec(t, h.db, `INSERT INTO handoffs_ended (handoff_id, ended_at, ended_as, shown_as) VALUES ($1, $2, 'replayed', $3)`,
				a.Claims.HandoffID, noon, other.Key.Bytes())
		}, 0},
		{"500 sessions already", false, func(p *person, _ handoff.Arrival) {
			h.knows(t, p, user.Member, user.Active)
			testkit.Exec(t, h.db, `INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
				SELECT gen_random_uuid(), $1, 'password', 1, true, $2, '{}', $2, $2, $3 FROM generate_series(1, 500)`, p.id, noon.Add(-time.Hour), noon.Add(time.Hour))
		}, 0},
		{"49 sessions", false, func(p *person, _ handoff.Arrival) {
			h.knows(t, p, user.Member, user.Active)
			testkit.Exec(t, h.db, `INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
				SELECT gen_random_uuid(), $1, 'password', 1, true, $2, '{}', $2, $2, $3 FROM generate_series(1, 49)`, p.id, noon.Add(-time.Hour), noon.Add(time.Hour))
		}, 1},
		{"50 sessions: not far from many", false, func(p *person, _ handoff.Arrival) {
			h.knows(t, p, user.Member, user.Active)
			testkit.Exec(t, h.db, `INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
				SELECT gen_random_uuid(), $1, 'password', 1, true, $2, '{}', $2, $2, $3 FROM generate_series(1, 50)`, p.id, noon.Add(-time.Hour), noon.Add(time.Hour))
		}, 0},
	} {
		var got [2]string
		for i, way := range []func(handoff.Arrival) handoff.Arrival{func(a handoff.Arrival) handoff.Arrival { return a }, theLongWay} {
			var principal *string
			if situation.principal {
				principal = text(fmt.Sprintf("principal-%d", n))
			}
			p := next(principal)
			a := arrivalOf(t, p)
			situation.arrange(&p, a)
			before := h.sent.Load()
			got[i] = became(t, h, way(a), p)
			sent := h.sent.Load() - before
			if short := sent <= 2; i == 0 && (short != (situation.statements > 0) || short && sent != situation.statements) || i == 1 && short {
				t.Errorf("%s, way %d: %d statements", situation.name, i, sent)
			}
			// A repeat of it, with the same mark, leads where it led.
			if again := became(t, h, way(a), p); !strings.HasPrefix(strings.TrimPrefix(again, "false"), strings.TrimPrefix(got[i], "true")) {
				t.Errorf("%s, repeated: %s, before: %s", situation.name, again, got[i])
			}
		}
		if got[0] != got[1] {
			t.Errorf("%s:\nat once       %s\nthe long way  %s", situation.name, got[0], got[1])
		}
	}
}

// I1: one hand-off opens one session, also for arrivals in one statement; and each of them
// gets its own.
func TestI1_arrivalsInOneStatementOpenOneSessionEach(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var people []person
	for i := range 9 {
		p := person{subject: uuid.New(), email: fmt.Sprintf("p%d@example.org", i)}
		h.knows(t, &p, user.Member, user.Active)
		people = append(people, p)
	}
	h.OneAtATime()
	held := testkit.Hold(t, h.db, `LOCK TABLE audit_log IN SHARE MODE`)
	var gone sync.WaitGroup
	arrive := func(p person, a handoff.Arrival) {
		gone.Go(func() {
			arrived, err := h.Arrive(inTime(t), a)
			if err != nil || arrived.User.ID != p.id || arrived.Session.UserID != p.id || *arrived.Session.HandoffID != a.Claims.HandoffID {
				t.Errorf("%v for %v: %v", arrived.User.ID, p.id, err)
			}
		})
	}
	arrive(people[8], arrivalOf(t, people[8]))
	testkit.UntilWaiting(t, h.db, 1)
	for _, p := range people[:8] {
		a := arrivalOf(t, p)
		arrive(p, a)
		b := a
		b.Session.ID = uuid.Must(uuid.NewV7()) // the same browser, through another tab
		arrive(p, b)
	}
	for end := time.Now().Add(10 * time.Second); h.Waiting() < 16; {
		if time.Now().After(end) {
			t.Fatal("they do not queue")
		}
	}
	held.Commit()
	gone.Wait()
	sessions := testkit.Count(t, h.db, `SELECT count(*) FROM sessions`)
	recorded := testkit.Count(t, h.db, `SELECT count(*) FROM audit_log WHERE event = 'session.created'`)
	statements := testkit.Count(t, h.db, `SELECT count(DISTINCT xmin::text) FROM sessions`)
	if sessions != 9 || recorded != 9 || statements != 2 {
		t.Errorf("%d sessions, %d recorded, in %d transactions", sessions, recorded, statements)
	}
}

// I8, section 5: what is committed while the statement runs is seen: what is looked at is
// looked at under its lock.
func TestArrive_whatComesMeanwhileIsSeen(t *testing.T) {
	t.Parallel()
	for name, comes := range map[string]struct {
		sql  string
		want error
	}{
		"the source's end": {`INSERT INTO handoffs_ended (handoff_id, ended_at, ended_as) VALUES ($1, now(), 'source_ended')`, session.ErrHandoffEnded},
		"a suspension":     {`UPDATE users SET status = 'SUSPENDED' WHERE $1::uuid IS NOT NULL`, user.ErrInactive},
		"a reclaim": {`WITH links AS (DELETE FROM identity_link) UPDATE users SET updated_at = now() WHERE $1::uuid IS NOT NULL`,
			user.ErrConflict}, // a founder, known by nothing but the address by now
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := person{subject: uuid.New(), email: "ada@example.org"}
			h.knows(t, &p, user.Founder, user.Active)
			a := arrivalOf(t, p)
			// The statement has begun, and seen how things are, when it comes to this.
			held := testkit.Hold(t, h.db, `LOCK TABLE handoffs_ended IN ACCESS EXCLUSIVE MODE`)
			came := make(chan error, 1)
			go func() {
				_, err := h.Arrive(inTime(t), a)
				came <- err
			}()
			testkit.UntilWaiting(t, h.db, 1)
			held.Run(comes.sql, a.Claims.HandoffID)
			held.Commit()
			if err := <-came; !errors.Is(err, comes.want) {
				t.Errorf("arrived all the same: %v", err)
			}
			if n := testkit.Count(t, h.db, `SELECT count(*) FROM sessions`); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// Section 5: who is shut out, or whose account is being reclaimed, while they arrive does
// not get in beside that.
func TestArrive_whoIsShutOutMeanwhileIsOut(t *testing.T) {
	t.Parallel()
	for name, happens := range map[string]string{
		"suspended": `UPDATE users SET status = 'SUSPENDED'`,
		"unlinked":  `DELETE FROM identity_link`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			p := person{subject: uuid.New(), email: "ada@example.org"}
			h.knows(t, &p, user.Founder, user.Active)
			a := arrivalOf(t, p)
			held := testkit.Hold(t, h.db, `SELECT FROM users FOR UPDATE`)
			held.Run(happens)
			came := make(chan error, 1)
			go func() {
				_, err := h.Arrive(inTime(t), a)
				came <- err
			}()
			testkit.UntilWaiting(t, h.db, 1)
			held.Commit()
			if err := <-came; !errors.Is(err, user.ErrInactive) && !errors.Is(err, user.ErrConflict) {
				t.Errorf("arrived all the same: %v", err)
			}
			if n := testkit.Count(t, h.db, `SELECT count(*) FROM sessions`); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// Whoever has to be asked is asked, and whose browser is in another session leaves it, also
// where they are known.
func TestArrive_whoIsKnownIsAskedAllTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p, other := person{subject: uuid.New(), email: "ada@example.org"}, person{subject: uuid.New(), email: "bob@example.org"}
	h.knows(t, &p, user.Member, user.Active)
	h.knows(t, &other, user.Member, user.Active)
	for name, consent := range map[string]handoff.Consent{
		"a journey that began elsewhere": {Needed: true},
		"somebody else is present":       {Present: other.id},
	} {
		a := arrivalOf(t, p)
		a.Consent = consent
		unasked := (*handoff.Unasked)(nil)
		if _, err := h.Arrive(inTime(t), a); !errors.As(err, &unasked) || unasked.As.ID != p.id {
			t.Errorf("%s: %v", name, err)
		}
	}
	first, err := h.Arrive(inTime(t), arrivalOf(t, p))
	if err != nil {
		t.Fatal(err)
	}
	again := arrivalOf(t, p)
	again.OlderSession = first.Session.ID
	if _, err := h.Arrive(inTime(t), again); err != nil {
		t.Fatal(err)
	}
	if n := testkit.Count(t, h.db, `SELECT count(*) FROM sessions WHERE ended_as = 'replaced' AND id = $1`, first.Session.ID); n != 1 {
		t.Error("the browser's older session goes on")
	}
}
