package fosapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Whoever holds a founder's address at the DAO half is not yet the founder here; and the
// founder who opens a link is asked before it makes somebody over there the founder.

func TestI9_aFoundersAddressIsLinkedOnlyInTheirOwnBrowser(t *testing.T) {
	t.Parallel()
	for _, r := range []user.Role{user.Founder, user.Admin} {
		t.Run(string(r), func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, s *testkit.Service) {
				founder := s.User(t, "ada@example.org", role(r))
				dao := s.SignIn(t, s.Member(t, "ada@example.org"))

				nobody := s.Browser(t)
				wantProblem(t, nobody.Arrive(dao.MintToken()), http.StatusConflict, "identity_conflict")

				somebody := s.SignInAtFOS(t, s.User(t, "bob@example.org"))
				wantProblem(t, somebody.Arrive(dao.MintToken()), http.StatusConflict, "identity_conflict")

				left := s.SignInAtFOS(t, founder)
				left.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"), header("Origin", s.FOSURL))
				wantProblem(t, left.Arrive(dao.MintToken()), http.StatusConflict, "identity_conflict")

				themselves := s.SignInAtFOS(t, founder)
				for _, fields := range []map[string]any{nil, {"challenge": starts(t, s, themselves)}} {
					token := dao.Mint(fields).Text("token")
					question := themselves.Arrive(token)
					id := asked(t, question, "ada@example.org", "ada@example.org")
					if question.Body["links"] != true {
						t.Errorf("it does not say what yes means: %s", question.Raw)
					}
					if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM identity_link`); n != 0 {
						t.Fatal("linked by a link that they opened")
					}
					if fields == nil {
						declines(themselves, id)
						wantIn(t, themselves, "ada@example.org")
						continue
					}
					answer := arrived(t, confirms(themselves, id))
					if userID(answer) != founder.ID.String() {
						t.Errorf("arrived as %s", userID(answer))
					}
				}
				// From now on there is a link, in whichever browser.
				arrived(t, s.Browser(t).Arrive(dao.MintToken()))
			})
		})
	}
}

// A cookie of an ended session, kept by whoever had it, is not being signed in.
func TestI9_anEndedSessionDoesNotProveAFounder(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	founder := s.User(t, "ada@example.org", role(user.Founder))
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	b := s.SignInAtFOS(t, founder)
	testkit.Exec(t, s.FOS, `UPDATE sessions SET ended_at = $1, ended_as = 'logout'`, s.Clock.Now())
	wantProblem(t, b.Arrive(dao.MintToken()), http.StatusConflict, "identity_conflict")
}

// I10: a hand-off proves that somebody held a DAO session. It does not open an
// admin's powers.
func TestI10_anAdminArrivesAsAMember(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		for _, r := range []user.Role{user.Admin, user.Founder} {
			email := string(r) + "@example.org"
			who := s.Member(t, email)
			h := house{t, s, who}
			h.linkMember(s.User(t, "before-"+email, role(r)))
			b := s.SignIn(t, who)
			answer := arrived(t, b.Arrive(b.MintToken()))
			if got := roleOf(answer); got != "member" {
				t.Errorf("%s acts as %s", r, got)
			}
			_, claims := read(t, s, answer.Cookie("access_token").Value)
			if claims["role"] != "member" {
				t.Errorf("%s's token says %v", r, claims["role"])
			}
			if got := roleOf(b.Me()); got != "member" {
				t.Errorf("%s is told to be %s", r, got)
			}
			wantProblem(t, b.Get(s.FOSURL+"/health/detailed"), http.StatusNotFound, "not_found")
			if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM users WHERE role = $1`, string(r)); n != 1 {
				t.Errorf("the role of %s has changed", r)
			}
		}
	})
}

func TestI10_anAdminActsAsOneWhereThatIsAllowed(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"HANDOFF_ELEVATED_ROLES": "allow"}})
	who := s.Member(t, "ada@example.org")
	house{t, s, who}.linkMember(s.User(t, "before@example.org", role(user.Admin)))
	b := s.SignIn(t, who)
	answer := arrived(t, b.Arrive(b.MintToken()))
	_, claims := read(t, s, answer.Cookie("access_token").Value)
	if roleOf(answer) != "admin" || claims["role"] != "admin" || roleOf(b.Me()) != "admin" {
		t.Errorf("acts as %s, the token says %v, me says %s", roleOf(answer), claims["role"], roleOf(b.Me()))
	}
	if detailed := b.Get(s.FOSURL + "/health/detailed"); detailed.Status != http.StatusOK {
		t.Errorf("detailed: %d %s", detailed.Status, detailed.Raw)
	}
}

// I10: an operator who changes their mind takes the powers back at once; the token's
// own word is not what counts.
func TestI10_whatATokenSaysOfARoleIsNotWhatCounts(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	generous := s.Process(t, map[string]string{"HANDOFF_ELEVATED_ROLES": "allow"})
	who := s.Member(t, "ada@example.org")
	house{t, s, who}.linkMember(s.User(t, "before@example.org", role(user.Admin)))
	b := s.SignIn(t, who)
	answer := arrived(t, arriveAt(b, generous.FOSURL, b.MintToken()))
	if me := meAt(t, s, answer.Cookie("access_token").Value); roleOf(me) != "member" {
		t.Errorf("acts as %s", roleOf(me))
	}
	testkit.Exec(t, s.FOS, `UPDATE users SET role = 'guest'`)
	if me := meAt(t, generous, answer.Cookie("access_token").Value); roleOf(me) != "guest" {
		t.Errorf("acts as %s", roleOf(me))
	}
}

// I10: how and when somebody signed in over there is what this half says of them.
func TestI10_assuranceIsCarriedAndNeverGrows(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		change   map[string]any
		amr      []any
		authTime float64
	}{
		"as the peer says":               {map[string]any{"auth_time": 1795262100000, "amr": []string{"pwd", "otp"}}, []any{"pwd", "otp"}, 1795262100},
		"an older peer says nothing":     {map[string]any{"auth_time": gone, "amr": gone}, []any{}, 1795262400},
		"later than the token was made":  {map[string]any{"auth_time": 1795262459000}, []any{"pwd"}, 1795262400},
		"in a century that is to come":   {map[string]any{"auth_time": 9795262459000}, []any{"pwd"}, 1795262400},
		"at an empty list of ways to do": {map[string]any{"amr": []string{}}, []any{}, 1795262400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: peer(t, story.change)})
			answer := arrived(t, s.Browser(t).Arrive(strings.Repeat("0f", 32)))
			_, claims := read(t, s, answer.Cookie("access_token").Value)
			amr, _ := claims["amr"].([]any)
			if len(amr) != len(story.amr) || claims["auth_time"] != story.authTime {
				t.Errorf("amr %v at %v, want %v at %v", claims["amr"], claims["auth_time"], story.amr, story.authTime)
			}
		})
	}
}

// Section 5, row 3, with a peer that does not say whether it verified the address:
// anybody could have written any address there.
func TestI9_anUnverifiedAddressIsLinkedToNobody(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		said   any
		verify string
		status int
	}{
		"says nothing":                   {gone, "false", http.StatusConflict},
		"says nothing, but is vouched":   {gone, "true", http.StatusOK},
		"says false":                     {false, "false", http.StatusConflict},
		"says false, and is vouched for": {false, "true", http.StatusConflict},
		"says true":                      {true, "false", http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{
				FOSOnly: true, DAOURL: peer(t, map[string]any{"email_verified": story.said}),
				Env: map[string]string{"HANDOFF_PEER_VERIFIES_EMAIL": story.verify},
			})
			s.User(t, "ada@example.org")
			answer := s.Browser(t).Arrive(strings.Repeat("0f", 32))
			if answer.Status != story.status {
				t.Errorf("%d %s, want %d", answer.Status, answer.Raw, story.status)
			}
		})
	}
}

// Somebody new whose address nobody vouches for gets a user whose address is not
// proven either.
func TestI9_aNewUserIsAsVerifiedAsTheAnswerSays(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{FOSOnly: true, DAOURL: peer(t, map[string]any{"email_verified": false})})
	answer := arrived(t, s.Browser(t).Arrive(strings.Repeat("0f", 32)))
	who, _ := answer.Body["user"].(map[string]any)
	if who["email_verified"] != false || who["status"] != "ACTIVE" {
		t.Errorf("%v", who)
	}
	if testkit.Count(t, s.FOS, `SELECT count(*) FROM users WHERE password_hash IS NULL AND NOT email_verified`) != 1 {
		t.Error("the row says otherwise")
	}
}

func roleOf(answer testkit.Answer) string {
	who, _ := answer.Body["user"].(map[string]any)
	text, _ := who["role"].(string)
	return text
}
