package signin_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// fosHouse is the FOS half's session authority with a founder who is signed in.
type fosHouse struct {
	*signin.FOS
	s       *testkit.Service
	founder user.User
	access  string
}

func newFOSHouse(t testing.TB) fosHouse {
	t.Helper()
	s := testkit.Start(t, testkit.Options{})
	founder := s.User(t, "founder@example.org", func(u *user.User) { u.Role = user.Founder })
	return fosHouse{
		FOS: signin.NewFOS(signin.FOSConfig{Store: signin.NewFOSStore(s.FOS), Signer: s.Signer(t), Now: s.Clock.Now}),
		s:   s, founder: founder, access: s.SignInAtFOS(t, founder).Cookie(s.FOSURL, "access_token"),
	}
}

func TestWhoIsSignedInAtTheFOSHalf(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	current, err := h.Current(t.Context(), h.access)
	if err != nil {
		t.Fatal(err)
	}
	if current.User.ID != h.founder.ID || current.ActingRole != "founder" || current.Session.Origin != session.Password ||
		!current.AccessExpiresAt.Equal(h.s.Clock.Now().Add(30*time.Minute)) {
		t.Errorf("%+v", current)
	}
}

// The row is asked each time: what a token says held when it was signed.
func TestAGoodTokenIsNotEnoughAtTheFOSHalf(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		change string
		want   error
	}{
		"the session was ended":       {`UPDATE sessions SET ended_at = now(), ended_as = 'logout'`, session.ErrEnded},
		"the session is over":         {`UPDATE sessions SET expires_at = created_at`, session.ErrEnded},
		"the session is gone":         {`DELETE FROM sessions`, session.ErrInvalidToken},
		"the user is gone":            {`DELETE FROM users`, session.ErrInvalidToken},
		"the user was suspended":      {`UPDATE users SET status = 'SUSPENDED'`, user.ErrInactive},
		"the user was deactivated":    {`UPDATE users SET status = 'DEACTIVATED'`, user.ErrInactive},
		"the user is pending again":   {`UPDATE users SET status = 'PENDING'`, user.ErrInactive},
		"it became somebody else's":   {`UPDATE sessions SET user_id = (SELECT id FROM users WHERE email = 'other@example.org')`, session.ErrInvalidToken},
		"the database has lost a row": {`ALTER TABLE sessions RENAME TO away`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFOSHouse(t)
			h.s.User(t, "other@example.org")
			testkit.Exec(t, h.s.FOS, story.change)
			current, err := h.Current(t.Context(), h.access)
			if err == nil || (story.want != nil && !errors.Is(err, story.want)) {
				t.Errorf("%v, want %v", err, story.want)
			}
			if current.User.ID != uuid.Nil || current.ActingRole != "" {
				t.Error("somebody is named beside the error")
			}
		})
	}
}

func TestNoTokenIsNobodyAtTheFOSHalf(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	for _, access := range []string{"", "garbage", "a.b.c"} {
		if _, err := h.Current(t.Context(), access); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("%q: %v", access, err)
		}
	}
}

// I10: a founder who came by hand-off acts as a member, also where this process is
// the only one that says so.
func TestI10_aFoundersHandOffSessionActsAsMemberUnlessAllowed(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	testkit.Exec(t, h.s.FOS, `UPDATE sessions SET origin = 'handoff', handoff_id = id, elevated = false`)
	for allowed, role := range map[bool]string{false: "member", true: "founder"} {
		h.ElevatedRoles = allowed
		current, err := h.Current(t.Context(), h.access)
		if err != nil || current.ActingRole != role {
			t.Errorf("allowed %v: %s, %v", allowed, current.ActingRole, err)
		}
	}
}

// I4: one end, one row, whoever asks twice or at once.
func TestI4_aSessionOfTheFOSHalfEndsOnce(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	origin := audit.Origin{RequestID: "the request"}
	done := make(chan error, 10)
	for range cap(done) {
		go func() { done <- h.Logout(context.Background(), signin.Shown{Access: h.access}, origin) }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := rowsOf(t, h.s.FOS, h.founder.ID); n != 1 {
		t.Errorf("%d rows record one end", n)
	}
}

func rowsOf(t testing.TB, pool *pgxpool.Pool, who uuid.UUID) int {
	t.Helper()
	return testkit.Count(t, pool, `
		SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND outcome = 'success' AND reason = 'logout'
		AND actor_id = $1 AND request_id = 'the request'`, who)
}

// Leaving with the refresh token alone works; with nothing, there is nothing to leave;
// and not being able to leave is said.
func TestLeavingTheFOSHalf(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	origin := audit.Origin{RequestID: "the request"}
	for _, nothing := range [][2]string{{"", ""}, {"garbage", "garbage"}, {"", h.access}} {
		if err := h.Logout(t.Context(), signin.Shown{Access: nothing[0], Refresh: []string{nothing[1]}}, origin); err != nil {
			t.Errorf("with nothing: %v", err)
		}
	}
	if n := rowsOf(t, h.s.FOS, h.founder.ID); n != 0 {
		t.Errorf("nothing ended, and %d rows say so", n)
	}

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	var down *outage.Error
	if err := h.Logout(canceled, signin.Shown{Access: h.access}, origin); !errors.As(err, &down) {
		t.Errorf("unable to leave: %v", err)
	}

	of, _, err := signin.NewFOSStore(h.s.FOS).FindSession(t.Context(), claimsOf(t, h).SessionID, h.founder.ID)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := h.Signer.Pair(of, "founder")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Logout(t.Context(), signin.Shown{Refresh: []string{pair.Refresh.Reveal()}}, origin); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Current(t.Context(), h.access); !errors.Is(err, session.ErrEnded) {
		t.Errorf("afterwards: %v", err)
	}
}

func claimsOf(t testing.TB, h fosHouse) session.AccessClaims {
	t.Helper()
	claims, err := h.Signer.VerifyAccess(h.access)
	if err != nil {
		t.Fatal(err)
	}
	return claims
}
