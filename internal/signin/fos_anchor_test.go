package signin_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// Over HTTPS a refresh token alone is nothing: the attack is to plant one in the
// browser of somebody who is signed out, who then goes on as the attacker.
func TestOverHTTPSARefreshTokenNeedsItsAccessToken(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	of, _, err := signin.NewFOSStore(h.s.FOS).FindSession(t.Context(), claimsOf(t, h).SessionID, h.founder.ID)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := h.Signer.Pair(of, "founder")
	if err != nil {
		t.Fatal(err)
	}
	other := h.s.SignInAtFOS(t, h.s.User(t, "other@example.org")).Cookie(h.s.FOSURL, "access_token")
	h.Anchored = true
	for name, access := range map[string]string{"none": "", "garbage": "a.b.c", "another session's": other} {
		shown := signin.Shown{Access: access, Refresh: []string{pair.Refresh.Reveal()}}
		if _, err := h.Refresh(t.Context(), shown, audit.Origin{}); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("beside %s: %v", name, err)
		}
	}
	h.s.Clock.Advance(30 * time.Minute) // the access token has ended
	shown := signin.Shown{Access: h.access, Refresh: []string{pair.Refresh.Reveal()}}
	if _, err := h.Refresh(t.Context(), shown, audit.Origin{}); err != nil {
		t.Errorf("beside its own, which has ended: %v", err)
	}
}

// I13: with somebody's password an attacker can open sessions without end, so that
// ending them all takes longer than a request may. There are never more than so many.
func TestI13_aUserHasSoManySessionsAndNoMore(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	store, now := signin.NewFOSStore(h.s.FOS), h.s.Clock.Now()
	who := h.s.UserWithPassword(t, "many@example.org")
	account, err := store.FindCredentials(t.Context(), who.Email)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Exec(t, h.s.FOS, `
		INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
		SELECT gen_random_uuid(), $1, 'password', 1, true, $2, '{pwd}', $2, $2::timestamptz - n * interval '1 second', $2::timestamptz + interval '1 day'
		FROM generate_series(1, $3) n`, who.ID, now, session.MaxPerUser+3)
	fresh := session.New{
		ID: uuid.Must(uuid.NewV7()), UserID: who.ID, Origin: session.Password, AuthTime: now, AMR: []string{"pwd"},
		Now: now, ExpiresAt: h.Signer.SessionExpiry(now),
	}
	if _, err := store.Begin(t.Context(), account, fresh, audit.Origin{RequestID: "the request"}); err != nil {
		t.Fatal(err)
	}
	all, err := store.List(t.Context(), who.ID, now)
	if err != nil || len(all) != session.MaxPerUser || all[0].ID != fresh.ID {
		t.Errorf("%d live sessions, %v", len(all), err)
	}
	if n := testkit.Count(t, h.s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.ended' AND reason = 'displaced' AND actor_id = $1`, who.ID); n != 4 {
		t.Errorf("%d rows record four ends", n)
	}
	if n := testkit.Count(t, h.s.FOS, `SELECT count(*) FROM sessions WHERE user_id = $1`, h.founder.ID); n != 1 {
		t.Error("somebody else's sessions were touched")
	}
}

// The user is suspended while a refresh waits for the session's row: the row that is
// locked is judged as it is after the wait, the user's is as well.
func TestRefresh_ofAUserWhoIsSuspendedMeanwhile(t *testing.T) {
	t.Parallel()
	h := newFOSHouse(t)
	claims := session.RefreshClaims{Claims: claimsOf(t, h).Claims, Generation: 1}
	pair, err := h.Signer.Pair(session.Session{
		ID: claims.SessionID, UserID: claims.UserID, Generation: 1, AuthTime: h.s.Clock.Now(), ExpiresAt: claims.ExpiresAt.Add(24 * time.Hour),
	}, "founder")
	if err != nil {
		t.Fatal(err)
	}
	held := testkit.Hold(t, h.s.FOS, `SELECT 1 FROM sessions FOR NO KEY UPDATE`)
	refreshed := make(chan error, 1)
	go func() {
		_, err := h.Refresh(t.Context(), signin.Shown{Refresh: []string{pair.Refresh.Reveal()}}, audit.Origin{})
		refreshed <- err
	}()
	testkit.UntilWaiting(t, h.s.FOS, 1)
	testkit.Exec(t, h.s.FOS, `UPDATE users SET status = 'SUSPENDED'`)
	held.Commit()
	if err := <-refreshed; !errors.Is(err, user.ErrInactive) {
		t.Errorf("refreshed: %v", err)
	}
}
