package signin_test

import (
	"slices"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// stair is a founder at the desk who came by hand-off.
type stair struct {
	*desk
	t       *testing.T
	founder user.User
	begun   session.Session
	pair    session.Pair
}

func newStair(t *testing.T, hash string) *stair {
	t.Helper()
	d := newDesk(t)
	s := &stair{desk: d, t: t, founder: d.account(t, "ada@example.org", hash, isFounder)}
	s.begun, s.pair = d.arrived(t, s.founder)
	return s
}

// current is who an access token belongs to.
func (s *stair) current(pair session.Pair) signin.Current {
	s.t.Helper()
	who, err := s.Current(s.t.Context(), pair.Access.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	return who
}

func (s *stair) stepUp(pair session.Pair, password string) (signin.Entered, error) {
	s.t.Helper()
	return s.StepUp(s.t.Context(), s.current(pair), privacy.NewSecret(password), origin)
}

func (s *stair) stepsUp(pair session.Pair) signin.Entered {
	s.t.Helper()
	entered, err := s.stepUp(pair, "right")
	if err != nil {
		s.t.Fatal(err)
	}
	return entered
}

func (s *stair) refresh(pair session.Pair) signin.Entered {
	s.t.Helper()
	entered, err := s.Refresh(s.t.Context(), signin.Shown{Access: pair.Access.Reveal(), Refresh: []string{pair.Refresh.Reveal()}}, origin)
	if err != nil {
		s.t.Fatal(err)
	}
	return entered
}

// claims are what both tokens of a pair say, which must be the same.
func (s *stair) claims(pair session.Pair) session.Claims {
	s.t.Helper()
	access, err := s.Signer.VerifyAccess(pair.Access.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	refresh, err := s.Signer.VerifyRefresh(pair.Refresh.Reveal())
	if err != nil {
		s.t.Fatal(err)
	}
	if access.Role != refresh.Role || !access.AuthTime.Equal(refresh.AuthTime) || !slices.Equal(access.AMR, refresh.AMR) {
		s.t.Errorf("the tokens of a pair differ: %+v, %+v", access, refresh)
	}
	return access.Claims
}

// wants says in what a pair is otherwise: its role, when and how they were proved.
func (s *stair) wants(what string, pair session.Pair, role string, at time.Time, amr ...string) {
	s.t.Helper()
	if c := s.claims(pair); c.Role != role || !c.AuthTime.Equal(at) || !slices.Equal(c.AMR, amr) {
		s.t.Errorf("%s says %s, at %v by %v; want %s at %v by %v", what, c.Role, c.AuthTime, c.AMR, role, at, amr)
	}
	if who := s.current(pair); who.ActingRole != role || who.Session.Elevated != (role == "founder") {
		s.t.Errorf("%s acts as %s, elevated %v; want %s", what, who.ActingRole, who.Session.Elevated, role)
	}
}
