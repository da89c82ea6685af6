package fosapi_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Section 5 of the protocol, row by row, as a browser and an operator see it. The
// member who arrives is ada@example.org with the principal rrkah-fqaaa-aaaaa-aaaaq-cai.

const principal = "rrkah-fqaaa-aaaaa-aaaaq-cai"

func adaWithPrincipal(a *member.Account) { text := principal; a.Principal = &text }

// house is the FOS half before an arrival.
type house struct {
	t   testing.TB
	s   *testkit.Service
	ada member.Member
}

func (h house) user(email string, change ...func(*user.User)) user.User {
	return h.s.User(h.t, email, change...)
}

func (h house) linkMember(u user.User) { h.linkSubject(u, h.ada.ID.String()) }

func (h house) linkSubject(u user.User, subject string) {
	testkit.Exec(h.t, h.s.FOS, `INSERT INTO identity_link (provider, subject, user_id, created_at) VALUES ('dao', $1, $2, $3)`,
		subject, u.ID, h.s.Clock.Now())
}

func (h house) linkPrincipal(u user.User) {
	testkit.Exec(h.t, h.s.FOS, `INSERT INTO ic_identity_link (principal, user_id, created_at) VALUES ($1, $2, $3)`,
		principal, u.ID, h.s.Clock.Now())
}

func status(s user.Status) func(*user.User) { return func(u *user.User) { u.Status = s } }
func role(r user.Role) func(*user.User)     { return func(u *user.User) { u.Role = r } }
func unproven(u *user.User)                 { u.EmailVerified = false }

const stranger = "6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90"

func TestI9_whoThePersonIs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		build  func(house) user.User // returns who is meant
		event  string                // beside session.created
		status user.Status
	}{
		"1: linked": {func(h house) user.User {
			u := h.user("before@example.org")
			h.linkMember(u)
			h.linkPrincipal(u)
			return u
		}, "", user.Active},
		"1: linked, and the principal is new": {func(h house) user.User {
			u := h.user("before@example.org")
			h.linkMember(u)
			return u
		}, "user.linked success", user.Active},
		"1: linked, and the email is somebody else's": {func(h house) user.User {
			u := h.user("before@example.org")
			h.linkMember(u)
			h.linkPrincipal(u)
			h.user("ada@example.org")
			return u
		}, "", user.Active},
		"2: the principal is linked": {func(h house) user.User {
			u := h.user("before@example.org")
			h.linkPrincipal(u)
			return u
		}, "user.linked success", user.Active},
		"3: the email is a proven user's": {func(h house) user.User {
			return h.user("Ada@Example.org")
		}, "user.linked success", user.Active},
		"3: the email is an unproven user's": {func(h house) user.User {
			return h.user("ada@example.org", unproven)
		}, "user.reclaimed success", user.Active},
		"3: the email is an unproven, pending user's": {func(h house) user.User {
			return h.user("ada@example.org", unproven, status(user.Pending))
		}, "user.reclaimed success", user.Active},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			h := house{t, s, s.Member(t, "ada@example.org", adaWithPrincipal)}
			meant := row.build(h)
			b := s.SignIn(t, h.ada)
			minted := b.Mint(nil)
			answer := arrived(t, b.Arrive(minted.Text("token")))
			if userID(answer) != meant.ID.String() {
				t.Errorf("arrived as %s, want %s", userID(answer), meant.ID)
			}
			want := []string{"session.created success handoff"}
			if row.event != "" {
				want = append([]string{row.event}, want...)
			}
			if diff := cmp.Diff(want, eventsOf(t, s, minted.Text("handoff_id"))); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			n := testkit.Count(t, s.FOS, `
				SELECT count(*) FROM users u JOIN identity_link l ON l.user_id = u.id JOIN ic_identity_link i ON i.user_id = u.id
				WHERE u.id = $1 AND u.status = $2 AND u.role = 'member' AND l.subject = $3 AND i.principal = $4`,
				meant.ID, string(row.status), h.ada.ID.String(), principal)
			if n != 1 {
				t.Errorf("the user is not as they should be:\n%s", testkit.Dump(t, s.FOS, "audit_log"))
			}
			// The next journey finds the link.
			again := arrived(t, b.Arrive(b.MintToken()))
			if userID(again) != meant.ID.String() {
				t.Errorf("the second time as %s", userID(again))
			}
		})
	}
}

func TestI9_whoIsNotLetIn(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		build  func(house) user.User // returns who is meant
		status int
		code   string
	}{
		"1: linked and suspended":          {linkedAs(user.Suspended), 403, "account_inactive"},
		"1: linked and deactivated":        {linkedAs(user.Deactivated), 403, "account_inactive"},
		"1: linked and not admitted":       {linkedAs(user.Pending), 403, "account_inactive"},
		"2: principal of a suspended user": {principalOf(user.Suspended), 403, "account_inactive"},
		"2: principal of a pending user":   {principalOf(user.Pending), 403, "account_inactive"},
		"3: email of a suspended user":     {emailOf(status(user.Suspended)), 403, "account_inactive"},
		"3: email of a deactivated user":   {emailOf(status(user.Deactivated)), 403, "account_inactive"},
		"3: email of a pending user":       {emailOf(status(user.Pending)), 403, "account_inactive"},
		"3: email of an unproven suspended user": {
			emailOf(unproven, status(user.Suspended)), 403, "account_inactive",
		},
		"3: email of a founder":           {emailOf(role(user.Founder)), 409, "identity_conflict"},
		"3: email of an admin":            {emailOf(role(user.Admin)), 409, "identity_conflict"},
		"3: email of an unproven founder": {emailOf(role(user.Founder), unproven), 409, "identity_conflict"},
		"1: linked, and the principal is somebody else's": {func(h house) user.User {
			u := h.user("before@example.org")
			h.linkMember(u)
			h.linkPrincipal(h.user("other@example.org"))
			return u
		}, 409, "identity_conflict"},
		"2: principal of a user with another link": {func(h house) user.User {
			u := h.user("before@example.org")
			h.linkPrincipal(u)
			h.linkSubject(u, stranger)
			return u
		}, 409, "identity_conflict"},
		"3: email of a user with another link": {func(h house) user.User {
			u := h.user("ada@example.org")
			h.linkSubject(u, stranger)
			return u
		}, 409, "identity_conflict"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{})
			h := house{t, s, s.Member(t, "ada@example.org", adaWithPrincipal)}
			meant := row.build(h)
			before := testkit.Dump(t, s.FOS, "audit_log")
			b := s.SignIn(t, h.ada)
			minted := b.Mint(map[string]any{"entry_product": "dao"})
			answer := b.Arrive(minted.Text("token"))
			wantProblem(t, answer, row.status, row.code)
			if answer.Text("handoff_id") != minted.Text("handoff_id") || answer.Text("stage") != "login" {
				t.Errorf("hand-off %q, stage %q", answer.Text("handoff_id"), answer.Text("stage"))
			}
			if diff := cmp.Diff(before, testkit.Dump(t, s.FOS, "audit_log")); diff != "" {
				t.Errorf("something changed:\n%s", diff)
			}
			if n := testkit.Count(t, s.FOS, `
				SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND outcome = 'failure' AND reason = $1
				AND handoff_id = $2 AND actor_id = $3 AND entry_product = 'dao' AND target_domain = $4`,
				row.code, minted.Text("handoff_id"), meant.ID, testkit.Target); n != 1 {
				t.Errorf("%d rows record it:\n%s", n, testkit.Dump(t, s.FOS))
			}
		})
	}
}

func linkedAs(s user.Status) func(house) user.User {
	return func(h house) user.User {
		u := h.user("before@example.org", status(s))
		h.linkMember(u)
		return u
	}
}

func principalOf(s user.Status) func(house) user.User {
	return func(h house) user.User {
		u := h.user("before@example.org", status(s))
		h.linkPrincipal(u)
		return u
	}
}

func emailOf(change ...func(*user.User)) func(house) user.User {
	return func(h house) user.User { return h.user("ada@example.org", change...) }
}

// A new person arrives in ten tabs at once, at two replicas.
func TestI9_tenArrivalsOfANewPersonAtOnceAreOneUser(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		b, other := s.SignIn(t, s.Member(t, "ada@example.org", adaWithPrincipal)), replica(t, s)
		tokens := make([]string, 10)
		for i := range tokens {
			tokens[i] = b.MintToken()
		}
		answers := make([]testkit.Answer, len(tokens))
		var wg sync.WaitGroup
		for i, token := range tokens {
			wg.Go(func() { answers[i] = arriveAt(b, []string{s.FOSURL, other}[i%2], token) })
		}
		wg.Wait()
		for _, answer := range answers {
			if answer.Status != http.StatusOK || userID(answer) != userID(answers[0]) {
				t.Errorf("%d %s", answer.Status, answer.Raw)
			}
		}
		for sql, want := range map[string]int{
			`SELECT count(*) FROM users`: 1, `SELECT count(*) FROM identity_link`: 1, `SELECT count(*) FROM ic_identity_link`: 1,
			`SELECT count(*) FROM sessions`: 10, `SELECT count(*) FROM audit_log WHERE event = 'user.created'`: 1,
			`SELECT count(*) FROM audit_log WHERE event = 'session.created'`: 10, `SELECT count(*) FROM audit_log`: 11,
		} {
			if n := testkit.Count(t, s.FOS, sql); n != want {
				t.Errorf("%s: %d, want %d", sql, n, want)
			}
		}
	})
}
