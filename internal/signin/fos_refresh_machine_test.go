package signin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// I11 as a state machine: one session, and everybody who ever got hold of one of its
// tokens. Whatever they do in whatever order, the service's answers are the model's.

// issued is a token of the session, and the generation of its pair. It is proved if it
// came of a step-up, or of a refresh token that did.
type issued struct {
	raw        string
	generation int
	ends       time.Time
	proved     bool
}

// role is what a founder acts as with it (I10).
func (i issued) role() string {
	if i.proved {
		return "founder"
	}
	return "member"
}

// stayMachine is the service's session and the model of it.
type stayMachine struct {
	t         *testing.T
	d         *desk
	who       user.User
	id        uuid.UUID
	model     stay
	access    []issued
	refresh   []issued
	rotations int
	stepUps   int
	steps     int // generations that a step-up has gone on
	thefts    int
	ends      int // by leaving
}

func newStayMachine(t *testing.T, d *desk) *stayMachine {
	t.Helper()
	email := uuid.NewString() + "@example.org"
	m := &stayMachine{t: t, d: d, who: d.account(t, email, "right", is(user.Active), isFounder)}
	begun, pair := d.arrived(t, m.who)
	m.id = begun.ID
	m.model = stay{Generation: 1, LastUsed: d.clock.Now(), Expires: begun.ExpiresAt, active: true}
	m.keep(pair, false)
	return m
}

func (m *stayMachine) keep(pair session.Pair, proved bool) {
	m.access = append(m.access, issued{pair.Access.Reveal(), m.model.Generation, pair.AccessExpiresAt, proved})
	m.refresh = append(m.refresh, issued{pair.Refresh.Reveal(), m.model.Generation, pair.RefreshExpiresAt, proved})
}

func (m *stayMachine) want(rt *rapid.T, what string, got, want error) {
	if !errors.Is(got, want) || (want == nil) != (got == nil) {
		rt.Fatalf("%s: %v, want %v", what, got, want)
	}
}

// refreshes: anybody shows any refresh token ever issued, with any access token of the
// session beside it or none.
func (m *stayMachine) refreshes(rt *rapid.T) {
	shown := rapid.SampledFrom(m.refresh).Draw(rt, "refresh token")
	anchor := rapid.SampledFrom(append(m.access, issued{})).Draw(rt, "access token beside it")
	now := m.d.clock.Now()
	entered, err := m.d.Refresh(context.Background(), signin.Shown{Access: anchor.raw, Refresh: []string{shown.raw}}, origin)
	if !now.Before(shown.ends) || (m.d.Anchored && anchor.raw == "") {
		m.want(rt, "a token that has ended, or nothing beside it over HTTPS", err, session.ErrInvalidToken)
		return
	}
	outcome := m.model.judge(shown.generation, now)
	m.model = m.model.after(outcome, now)
	switch outcome {
	case session.Rotated, session.Converged, session.ConvergedLate:
		m.want(rt, string(outcome), err, nil)
		if entered.Session.Generation != m.model.Generation {
			rt.Fatalf("%s to generation %d, want %d", outcome, entered.Session.Generation, m.model.Generation)
		}
		if entered.ActingRole != shown.role() {
			rt.Fatalf("%s, and acts as %s, want %s", outcome, entered.ActingRole, shown.role())
		}
		if outcome == session.Rotated {
			m.rotations++
		}
		m.keep(entered.Pair, shown.proved)
		return
	case session.Reused:
		m.thefts++
		m.want(rt, "a copy", err, session.ErrEnded)
	case session.Over:
		m.want(rt, "over", err, session.ErrEnded)
	case session.Barred:
		m.want(rt, "barred", err, user.ErrInactive)
	}
	if entered.Pair.Refresh.Reveal() != "" || entered.Pair.Access.Reveal() != "" {
		rt.Fatalf("%s, and there is a pair", outcome)
	}
}

// current is what the model says to an access token, and what its being shown tells.
func (m *stayMachine) current(shown issued) error {
	now := m.d.clock.Now()
	switch {
	case !now.Before(shown.ends):
		return session.ErrInvalidToken
	case m.model.Ended != nil:
		return session.ErrEnded
	case !m.model.active:
		return user.ErrInactive
	}
	first := shown.generation == m.model.Generation && !m.model.Used
	if first || now.Sub(m.model.LastUsed) >= time.Minute {
		m.model.LastUsed = now
	}
	m.model.Used = m.model.Used || first
	return nil
}

// shows: anybody shows any access token ever issued.
func (m *stayMachine) shows(rt *rapid.T) {
	shown := rapid.SampledFrom(m.access).Draw(rt, "access token")
	got, err := m.d.Current(context.Background(), shown.raw)
	m.want(rt, "the access token", err, m.current(shown))
	if err == nil && (got.Session.ID != m.id || got.User.ID != m.who.ID) {
		rt.Fatalf("the access token is %s's in %s", got.User.ID, got.Session.ID)
	}
	if err == nil && got.ActingRole != shown.role() {
		rt.Fatalf("the access token acts as %s, want %s", got.ActingRole, shown.role())
	}
}

// stepsUp: whoever knows the password does, with any access token ever issued.
func (m *stayMachine) stepsUp(rt *rapid.T) {
	shown := rapid.SampledFrom(m.access).Draw(rt, "access token")
	who, err := m.d.Current(context.Background(), shown.raw)
	m.want(rt, "stepping up", err, m.current(shown))
	if err != nil {
		return
	}
	now := m.d.clock.Now()
	entered, err := m.d.StepUp(context.Background(), who, privacy.NewSecret("right"), origin)
	m.want(rt, "stepping up with the password", err, nil)
	m.stepUps++
	m.model.LastUsed = now
	if shown.generation == m.model.Generation {
		m.model.Generation, m.model.Used, m.model.Rotated = m.model.Generation+1, false, &now
		m.steps++
	}
	if entered.ActingRole != "founder" || entered.Session.Generation != m.model.Generation {
		rt.Fatalf("stepped up to %s of generation %d, want %d", entered.ActingRole, entered.Session.Generation, m.model.Generation)
	}
	m.keep(entered.Pair, true)
}

// passes: time does.
func (m *stayMachine) passes(rt *rapid.T) {
	m.d.clock.Advance(rapid.SampledFrom([]time.Duration{
		time.Millisecond, time.Second, 29999 * time.Millisecond, 30 * time.Second, time.Minute, 31 * time.Minute, time.Hour, 50 * time.Hour,
	}).Draw(rt, "time"))
}

func (m *stayMachine) end() {
	if now := m.d.clock.Now(); m.model.Ended == nil && now.Before(m.model.Expires) {
		m.model.Ended, m.model.EndedAs = &now, "logout"
		m.ends++
	}
}

// leaves: anybody leaves with any token; also with one that has ended long ago.
func (m *stayMachine) leaves(rt *rapid.T) {
	shown := signin.Shown{}
	if rapid.Bool().Draw(rt, "with an access token") {
		shown.Access = rapid.SampledFrom(m.access).Draw(rt, "access token").raw
		m.end()
	} else {
		token := rapid.SampledFrom(m.refresh).Draw(rt, "refresh token")
		shown.Refresh = []string{token.raw}
		if m.d.clock.Now().Before(token.ends) {
			m.end()
		}
	}
	m.want(rt, "leaving", m.d.Logout(context.Background(), shown, origin), nil)
}

// leavesEverywhere needs an access token that is good.
func (m *stayMachine) leavesEverywhere(rt *rapid.T) {
	shown := rapid.SampledFrom(m.access).Draw(rt, "access token")
	err := m.d.LogoutAll(context.Background(), shown.raw, origin)
	want := m.current(shown)
	m.want(rt, "leaving everywhere", err, want)
	if want == nil {
		m.end()
		m.model.EndedAs = "logout_all"
	}
}

// isBarred: an operator suspends the user, or lets them in again.
func (m *stayMachine) isBarred(rt *rapid.T) {
	m.model.active = rapid.Bool().Draw(rt, "active")
	status := map[bool]user.Status{true: user.Active, false: user.Suspended}[m.model.active]
	testkit.Exec(m.t, m.d.db, `UPDATE users SET status = $2 WHERE id = $1`, m.who.ID, string(status))
}

// agrees: the row is the model's, and each thing that happened is one audit row (I4).
func (m *stayMachine) agrees(rt *rapid.T) {
	if diff := differs(m.t, m.d, m.id, m.model); diff != "" {
		rt.Fatalf("the row (-want +got):\n%s", diff)
	}
	var rotated, elevated, reused, ended int
	err := m.d.db.QueryRow(context.Background(), `
		SELECT count(*) FILTER (WHERE event = 'session.refreshed' AND reason = 'rotated'),
			count(*) FILTER (WHERE event = 'session.elevated'),
			count(*) FILTER (WHERE event = 'session.reuse_detected'), count(*) FILTER (WHERE event = 'session.ended')
		FROM audit_log WHERE actor_id = $1`, m.who.ID).Scan(&rotated, &elevated, &reused, &ended)
	got, want := [4]int{rotated, elevated, reused, ended}, [4]int{m.rotations, m.stepUps, m.thefts, m.ends}
	if err != nil || got != want || reused > 1 || m.model.Generation != m.rotations+m.steps+1 {
		rt.Fatalf("%v rotations, step-ups, thefts and ends are recorded, want %v: %v", got, want, err)
	}
}

func TestI11_whoeverHoldsWhichTokenOfASession(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rapid.Check(t, func(rt *rapid.T) {
		d.Anchored = rapid.Bool().Draw(rt, "over HTTPS")
		m := newStayMachine(t, d)
		rt.Repeat(map[string]func(*rapid.T){
			"": m.agrees, "refresh": m.refreshes, "refresh again": m.refreshes, "refresh once more": m.refreshes,
			"show": m.shows, "time": m.passes, "step up": m.stepsUp, "leave": seldom(m.leaves), "leave everywhere": seldom(m.leavesEverywhere),
			"suspend": seldom(m.isBarred),
		})
		// After an end of any kind, nothing that was ever issued works.
		m.d.clock.Advance(time.Second)
		if m.model.Ended == nil {
			return
		}
		for i := range m.refresh {
			if _, err := d.Refresh(t.Context(), signin.Shown{Refresh: []string{m.refresh[i].raw}}, origin); err == nil {
				rt.Fatal("a refresh token of an ended session works")
			}
			if _, err := d.Current(t.Context(), m.access[i].raw); err == nil {
				rt.Fatal("an access token of an ended session works")
			}
		}
	})
}

// seldom makes an action a rare one: a session that ends at once tells little.
func seldom(action func(*rapid.T)) func(*rapid.T) {
	return func(rt *rapid.T) {
		if rapid.IntRange(0, 3).Draw(rt, "one in four") == 0 {
			action(rt)
		}
	}
}
