//go:build faults

package crash_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// stay is one person's sessions: at the FOS half they sign in by password and refresh,
// twice, and at the DAO half they refresh and leave.
type stay struct {
	*site
	acts   *acts
	email  string           // of the user at the FOS half
	cookie string           // what their browser has of the FOS half
	member faulttest.Person // at the DAO half
}

func (s *site) newStay(t *testing.T, acts *acts) *stay {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	email := id.String() + "@example.org"
	testkit.Exec(t, s.stores.FOS, `
		INSERT INTO users (id, email, email_canonical, email_verified, display_name, role, status, password_hash, created_at, updated_at)
		VALUES ($1, $2, $2, true, 'Grace Hopper', 'member', 'ACTIVE', $3, now(), now())`, id, email, testkit.PasswordHash())
	return &stay{site: s, acts: acts, email: email, member: faulttest.People(t, s.stores.DAO, 1)[0]}
}

// act is one thing that the person does, any number of times: at, and what is recorded
// of it in which half's audit log.
type act struct {
	half, event string
	at          func(d door) faulttest.Answer
}

// all are what the person does, in this order. Each goes on with what they were given
// by the last answer that they heard.
func (y *stay) all(t *testing.T) []act {
	t.Helper()
	ctx := t.Context()
	fos := func(path, body string) func(d door) faulttest.Answer {
		return func(d door) faulttest.Answer {
			return y.client.Post(ctx, d.fos+"/api/v1/auth/"+path, body, map[string]string{"X-Requested-With": "faulttest", "Cookie": y.cookie})
		}
	}
	dao := func(path string) func(d door) faulttest.Answer {
		return func(d door) faulttest.Answer {
			return y.client.Post(ctx, d.dao+"/api/auth/"+path, "{}", y.member.Headers())
		}
	}
	return []act{
		{"fos", "session.created", fos("login", `{"email":"`+y.email+`","password":"`+testkit.Password+`"}`)},
		{"fos", "session.refreshed", fos("refresh", "{}")},
		{"fos", "session.refreshed", fos("refresh", "{}")},
		{"dao", "session.refreshed", dao("refresh")},
		{"dao", "session.refreshed", dao("refresh")},
		{"dao", "session.ended", dao("logout")},
	}
}

// do does it once, and takes what is given.
func (y *stay) do(t *testing.T, a act, at door) faulttest.Answer {
	t.Helper()
	answer := a.at(at)
	wantInTime(t, answer)
	y.acts.note(a, y.member, answer)
	if answer.OK() && a.half == "fos" {
		y.cookie = ""
		for _, set := range answer.Cookies {
			y.cookie += set.Name + "=" + set.Value + "; "
		}
	} else if answer.OK() && a.event != "session.ended" {
		y.member = y.member.With(answer)
	}
	return answer
}

// insist does it again if the answer says neither yes nor no, at a server to which
// nothing happens: a login may have waited too long for its turn to be hashed.
func (y *stay) insist(t *testing.T, a act, at door, answer faulttest.Answer) faulttest.Answer {
	t.Helper()
	if answer.Unknown() && answer.Err == nil {
		wantClear(t, answer)
		return y.do(t, a, at)
	}
	return answer
}

// wantLeft: who has left is not known any more, at a server that lives.
func (y *stay) wantLeft(t *testing.T, server *faulttest.Server) {
	t.Helper()
	if a := y.client.Mint(t.Context(), server.DAOURL, y.member); a.Status != http.StatusUnauthorized {
		t.Errorf("signed out, and asks for a token: %v", a)
	}
}

// acts are what people were told that they had done with their sessions.
type acts struct {
	mu       sync.Mutex
	told     map[string]map[string]string // half and request id: event
	sessions []uuid.UUID                  // begun at the FOS half
	left     []uuid.UUID                  // members
	unheard  map[string]int               // half and event: whose answer did not say
}

func newActs() *acts {
	return &acts{told: map[string]map[string]string{"dao": {}, "fos": {}}, unheard: map[string]int{}}
}

func (d *acts) note(a act, who faulttest.Person, answer faulttest.Answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case answer.Unknown():
		d.unheard[a.half+" "+a.event]++
	case !answer.OK():
	case a.event == "session.ended": // who repeats it ends nothing
		d.left = append(d.left, who.ID)
	default:
		d.told[a.half][answer.RequestID] = a.event
		if answer.Session != uuid.Nil && a.event == "session.created" {
			d.sessions = append(d.sessions, answer.Session)
		}
	}
}

// wantActs: every 200 has its row in the audit log once, under its request's id, and
// every other row is of a call whose answer was not heard (I4). Nobody was taken for a
// thief for repeating (I11).
func (s *site) wantActs(t *testing.T, d *acts) {
	t.Helper()
	for half, db := range map[string]*pgxpool.Pool{"dao": s.stores.DAO, "fos": s.stores.FOS} {
		rows := map[string][]string{}
		var request, event string
		found, err := db.Query(t.Context(), `SELECT coalesce(request_id, ''), event FROM audit_log WHERE outcome = 'success'
			AND (event = 'session.refreshed' OR event = 'session.created' AND reason = 'password')`)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pgx.ForEachRow(found, []any{&request, &event}, func() error {
			rows[request] = append(rows[request], event)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for id, event := range d.told[half] {
			if len(rows[id]) != 1 || rows[id][0] != event {
				t.Errorf("I4: a 200 of %s at the %s half is recorded as %q", event, half, rows[id])
			}
			delete(rows, id)
		}
		untold := map[string]int{}
		for _, events := range rows {
			for _, event := range events {
				untold[event]++
			}
		}
		for event, n := range untold {
			if most := d.unheard[half+" "+event]; n > most {
				t.Errorf("I4: %d %s at the %s half that nobody was told of; %d did not hear", n, event, half, most)
			}
		}
	}
	s.wantSessions(t, d)
}

// wantSessions puts what was told beside the sessions themselves.
func (s *site) wantSessions(t *testing.T, d *acts) {
	t.Helper()
	for wrong, n := range map[string]int{
		"sessions that were told of and are not there, or are over": len(d.sessions) - testkit.Count(t, s.stores.FOS,
			`SELECT count(*) FROM sessions WHERE id = ANY($1) AND origin = 'password' AND ended_at IS NULL`, d.sessions),
		"sessions by password without a row of their own": testkit.Count(t, s.stores.FOS, `SELECT abs(
			(SELECT count(*) FROM sessions WHERE origin = 'password') -
			(SELECT count(*) FROM audit_log WHERE event = 'session.created' AND reason = 'password'))`),
		"I11: repeats that were taken for theft": testkit.Count(t, s.stores.FOS,
			`SELECT count(*) FROM audit_log WHERE event = 'session.reuse_detected'`),
		"people who left, and it is not recorded once": testkit.Count(t, s.stores.DAO, `SELECT count(*) FROM unnest($1::uuid[]) AS l (id) WHERE
			(SELECT count(*) FROM audit_log a WHERE a.actor_id = l.id AND a.event = 'session.ended' AND a.outcome = 'success') <> 1
			OR (SELECT count(*) FROM sessions s WHERE s.member_id = l.id AND s.ended_as = 'logout') <> 1`, d.left),
	} {
		if n != 0 {
			t.Errorf("%d %s", n, wrong)
		}
	}
}
