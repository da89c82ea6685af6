package fosapi_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// A journey that began in this browser is not asked about; nor is who is signed in here
// already as the same user, whose older session ends with its cookies.
func TestConfirm_whoIsNotAsked(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		bound := ada.Mint(map[string]any{"challenge": starts(t, s, ada)})
		first := arrived(t, ada.Arrive(bound.Text("token"), key(firstKey)))
		second := arrived(t, ada.Arrive(ada.MintToken(), key(secondKey)))
		if userID(first) != userID(second) || sessionID(first) == sessionID(second) {
			t.Errorf("%s, then %s", first.Raw, second.Raw)
		}
		old := meAt(t, s, tokensOf(t, first).access)
		wantProblem(t, old, http.StatusUnauthorized, "session_revoked")
		wantIn(t, ada, "ada@example.org")
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND reason = 'replaced' AND handoff_id = $1`,
			bound.Text("handoff_id")); n != 1 {
			t.Errorf("%d rows record the end of the older session", n)
		}
	})
}

// Somebody else is signed in here already: they are never replaced silently, whatever
// the setting, and wherever the journey began.
func TestSomebodyElseIsNeverReplacedSilently(t *testing.T) {
	t.Parallel()
	for _, unbound := range []string{"allow", "confirm", "refuse"} {
		for _, bound := range []bool{true, false} {
			if unbound == "refuse" && !bound {
				continue // is not let in at all
			}
			t.Run(unbound, func(t *testing.T) {
				t.Parallel()
				s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_UNBOUND": unbound}})
				bob := s.SignInAtFOS(t, s.User(t, "bob@example.org"))
				mint := func() testkit.Answer {
					fields := map[string]any{}
					if bound {
						fields["challenge"] = starts(t, s, bob)
					}
					return s.SignIn(t, memberNamed(t, s, "ada@example.org")).Mint(fields)
				}
				access := bob.Cookie(s.FOSURL, "access_token")
				id := asked(t, bob.Arrive(mint().Text("token"), key(firstKey)), "ada@example.org", "bob@example.org")
				wantIn(t, bob, "bob@example.org")
				if no := declines(bob, id); no.Status != http.StatusNoContent {
					t.Fatalf("no: %d", no.Status)
				}
				wantInvalid(t, confirms(bob, id), "expired", id)
				wantIn(t, bob, "bob@example.org")

				id = asked(t, bob.Arrive(mint().Text("token"), key(secondKey)), "ada@example.org", "bob@example.org")
				arrived(t, confirms(bob, id))
				wantIn(t, bob, "ada@example.org")
				wantProblem(t, meAt(t, s, access), http.StatusUnauthorized, "session_revoked")
				if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_as = 'replaced'`); n != 1 {
					t.Errorf("%d sessions replaced", n)
				}
			})
		}
	}
}

// memberNamed is the member with that address, who is made where there is none.
func memberNamed(t *testing.T, s *testkit.Service, email string) member.Member {
	t.Helper()
	var who member.Member
	err := s.DAO.QueryRow(context.Background(), `SELECT id FROM members WHERE email = $1`, email).Scan(&who.ID)
	if err != nil {
		return s.Member(t, email)
	}
	return who
}

// Whoever is not signed in cannot be replaced: a session that has ended, a token that is
// nonsense. But an access token that has run out is no sign-out.
func TestWhoIsSignedInHereAlready(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	access := func(b *testkit.Browser) string { return b.Cookie(s.FOSURL, "access_token") }
	signOut := func(b *testkit.Browser) string {
		token := access(b)
		b.FOSPost("logout", nil)
		return token
	}
	for name, token := range map[string]string{
		"nonsense": "x.y.z",
		"ended":    signOut(s.SignInAtFOS(t, s.User(t, "gone@example.org"))),
		"suspended": func() string {
			u := s.User(t, "suspended@example.org")
			token := access(s.SignInAtFOS(t, u))
			testkit.Exec(t, s.FOS, `UPDATE users SET status = 'SUSPENDED' WHERE id = $1`, u.ID)
			return token
		}(),
	} {
		ada := s.SignIn(t, s.Member(t, "ada+"+name+"@example.org"))
		ada.SetCookie(s.FOSURL, "access_token", token)
		if answer := ada.Arrive(ada.MintToken()); answer.Status != http.StatusOK {
			t.Errorf("%s: %d %s", name, answer.Status, answer.Raw)
		}
	}
	bob := s.SignInAtFOS(t, s.User(t, "bob@example.org"))
	s.Clock.Advance(31 * time.Minute)
	wantProblem(t, bob.Me(), http.StatusUnauthorized, "session_required")
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	asked(t, bob.Arrive(ada.MintToken()), "ada@example.org", "bob@example.org")
}

// The question names who would be replaced. When that is somebody else by the time of
// the answer, it is put again.
func TestConfirm_isGoodForThePeopleWhoWereNamed(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	b := s.SignInAtFOS(t, s.User(t, "bob@example.org"))
	id := asked(t, b.Arrive(ada.MintToken()), "ada@example.org", "bob@example.org")
	carol := s.SignInAtFOS(t, s.User(t, "carol@example.org"))
	b.SetCookie(s.FOSURL, "access_token", carol.Cookie(s.FOSURL, "access_token")) // in another tab
	s.Clock.Advance(time.Minute)
	again := confirms(b, id)
	asked(t, again, "ada@example.org", "carol@example.org")
	if again.Body["expires_at"] != float64(s.Clock.Now().Add(time.Minute).UnixMilli()) {
		t.Errorf("asking again gives more time: %s", again.Raw)
	}
	wantIn(t, b, "carol@example.org")
	arrived(t, confirms(b, id))
	wantIn(t, b, "ada@example.org")
}

// An account that began in another tab meanwhile is the one that was named.
func TestConfirm_thePersonIsTheirAddress(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_UNBOUND": "confirm"}})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	first, second := ada.MintToken(), ada.MintToken()
	one, other := s.Browser(t), s.Browser(t)
	id := asked(t, one.Arrive(first, key(firstKey)), "ada@example.org", "")
	arrived(t, confirms(other, asked(t, other.Arrive(second, key(secondKey)), "ada@example.org", "")))
	arrived(t, confirms(one, id))
}
