package signin_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// I10: a founder proves their password here, and acts as one: by the pair that they get,
// which says what was proved here and now, and not what the DAO half said besides.
func TestI10_aStepUpIsWhatWasProvedHere(t *testing.T) {
	t.Parallel()
	s := newStair(t, "right")
	before, signedIn := s.clock.Now(), s.clock.Now().Add(-time.Hour)
	s.wants("the hand-off's pair", s.pair, "member", signedIn, "pwd", "otp", "mfa")
	s.clock.Advance(time.Minute)
	now := s.clock.Now()
	entered := s.stepsUp(s.pair)
	s.wants("the pair of the step-up", entered.Pair, "founder", now, "pwd")
	want := s.begun // the journey and its end stay
	want.Generation, want.Elevated, want.AuthTime, want.AMR, want.LastUsedAt = 2, true, now, []string{"pwd"}, now
	if diff := cmp.Diff(want, entered.Session); diff != "" {
		t.Errorf("the session (-want +got):\n%s", diff)
	}
	if entered.User.ID != s.founder.ID || entered.ActingRole != "founder" || !before.Equal(entered.Session.CreatedAt) {
		t.Errorf("%+v", entered)
	}
	refreshed := s.refresh(entered.Pair)
	s.wants("its successor", refreshed.Pair, "founder", now, "pwd")

	// Once more: the same, and another pair.
	s.clock.Advance(time.Hour)
	s.wants("proved again", s.stepsUp(s.refresh(refreshed.Pair).Pair).Pair, "founder", now, "pwd")
	if n := testkit.Count(t, s.db, `SELECT count(*) FROM audit_log WHERE event = 'session.elevated' AND outcome = 'success' AND reason = 'password'
		AND actor_id = $1 AND handoff_id = $2 AND entry_product = 'think-tank' AND request_id = 'the request'`, s.founder.ID, s.begun.HandoffID); n != 2 {
		t.Errorf("I4: %d rows record 2 step-ups", n)
	}
}

// I10, the attack: somebody has a copy of the session from before, and waits. What they
// have, and whatever comes of it, acts as member and says what it said.
func TestI10_aStepUpIsNotInheritedByACopyFromBefore(t *testing.T) {
	t.Parallel()
	s := newStair(t, "right")
	signedIn := s.clock.Now().Add(-time.Hour)
	entered := s.stepsUp(s.pair)
	s.wants("the copy", s.pair, "member", signedIn, "pwd", "otp", "mfa")
	for _, shown := range []struct {
		pair   session.Pair
		proven bool
	}{{s.pair, false}, {entered.Pair, true}} {
		if _, proven, ok, err := s.Inside(t.Context(), shown.pair.Access.Reveal()); proven != shown.proven || !ok || err != nil {
			t.Errorf("an arrival would take it for proven: %v, want %v (%v, %v)", proven, shown.proven, ok, err)
		}
	}
	converged := s.refresh(s.pair)
	if converged.Session.Generation != entered.Session.Generation || converged.ActingRole != "member" || converged.Session.Elevated {
		t.Errorf("the copy leads to %+v", converged)
	}
	s.wants("what the copy leads to", converged.Pair, "member", signedIn, "pwd", "otp", "mfa")
	s.wants("and what that leads to", s.refresh(converged.Pair).Pair, "member", signedIn, "pwd", "otp", "mfa")
	s.wants("the founder meanwhile", entered.Pair, "founder", s.clock.Now(), "pwd")
}

// Tokens say whole seconds. Whoever steps up in the very second of their sign-in leaves
// no token behind that grows with them; and the DAO half's clock may be ahead of ours.
func TestI10_aStepUpInTheSecondOfTheSignInIsLaterAllTheSame(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{-time.Millisecond, 0, 900 * time.Millisecond, 20 * time.Second} {
		s := newStair(t, "right")
		signedIn := s.clock.Now().Add(ahead)
		testkit.Exec(t, s.db, `UPDATE sessions SET auth_time = $1`, signedIn)
		s.begun.AuthTime = signedIn
		pair, err := s.Signer.Pair(s.begun, "member")
		if err != nil {
			t.Fatal(err)
		}
		old, proved := s.claims(pair).AuthTime, s.claims(s.stepsUp(pair).Pair).AuthTime
		if !proved.After(old) || proved.Sub(signedIn) > time.Second {
			t.Errorf("ahead by %v: proved at %v, signed in at %v", ahead, proved, signedIn)
		}
		if who := s.current(pair); who.ActingRole != "member" {
			t.Errorf("ahead by %v: the token from before acts as %s", ahead, who.ActingRole)
		}
	}
}

// I11: a tab that refreshes, before or after, and one that was a step behind: nobody is
// signed out by a step-up, and none takes the session two generations on.
func TestI11_aStepUpLeavesNoTabBehind(t *testing.T) {
	t.Parallel()
	s := newStair(t, "right")
	refreshed := s.refresh(s.pair)          // a tab is first
	entered := s.stepsUp(s.pair)            // the step-up was under way with what it had then
	overtaken := s.refresh(s.pair)          // and so was another tab
	again, err := s.stepUp(s.pair, "right") // a second press
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]signin.Entered{"a tab": refreshed, "the step-up": entered, "the other tab": overtaken, "again": again} {
		if got.Session.Generation != 2 {
			t.Errorf("%s has generation %d", name, got.Session.Generation)
		}
	}
	// Its answer was lost, and the browser slept over it.
	lost := s.stepsUp(entered.Pair)
	s.clock.Advance(time.Hour)
	if late := s.refresh(entered.Pair); late.Session.Generation != lost.Session.Generation || late.ActingRole != "founder" {
		t.Errorf("after a lost answer: %+v", late)
	}
}

// A member may do it too: nothing is different but what their tokens say of the proof.
// So may who came in by password.
func TestI10_aStepUpOfSomebodyWhoNeedsNone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	member := d.account(t, "bob@example.org", "right")
	_, pair := d.arrived(t, member)
	d.account(t, "ada@example.org", "right", isFounder)
	byPassword := d.enters(t, "ada@example.org")
	s := &stair{desk: d, t: t}
	d.clock.Advance(time.Minute)
	if entered := s.stepsUp(pair); entered.ActingRole != "member" || !entered.Session.Elevated {
		t.Errorf("a member: %+v", entered)
	}
	entered := s.stepsUp(byPassword.Pair)
	if entered.ActingRole != "founder" || entered.Session.Generation != 2 || !entered.Session.AuthTime.Equal(byPassword.Session.AuthTime) {
		t.Errorf("by password: %+v", entered)
	}
	s.wants("the pair of before", byPassword.Pair, "founder", byPassword.Session.AuthTime, "pwd")
}

// Whoever tries and fails stays what they are; it is recorded, once, with the journey;
// and one password is checked, whatever the account has.
func TestI4_aStepUpThatFailsIsRecordedOnce(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		hash, change, password string
		want                   error
		reason                 string
	}{
		"a wrong password":              {"right", `SELECT 1`, "wrong", user.ErrInvalidCredentials, "invalid_credentials"},
		"no password":                   {"", `SELECT 1`, "", user.ErrInvalidCredentials, "invalid_credentials"},
		"no password, and one is tried": {"", `SELECT 1`, "right", user.ErrInvalidCredentials, "invalid_credentials"},
		"a second factor":               {"right", `UPDATE users SET totp_secret = 'x'`, "right", user.ErrSecondFactor, "second_factor_required"},
		"a second factor, and wrong":    {"right", `UPDATE users SET totp_secret = 'x'`, "wrong", user.ErrInvalidCredentials, "invalid_credentials"},
		"the address is not proven":     {"right", `UPDATE users SET email_verified = false`, "right", user.ErrEmailUnverified, "email_unverified"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStair(t, story.hash)
			testkit.Exec(t, s.db, story.change)
			entered, err := s.stepUp(s.pair, story.password)
			if !errors.Is(err, story.want) || entered.Pair.Access.Reveal() != "" {
				t.Errorf("%v, want %v", err, story.want)
			}
			if !slices.Equal(s.checker.asked, []string{story.hash}) {
				t.Errorf("verified %q", s.checker.asked)
			}
			if n := testkit.Count(t, s.db, `SELECT count(*) FROM audit_log WHERE event = 'step_up.failed' AND outcome = 'failure' AND reason = $1
				AND actor_id = $2 AND handoff_id = $3 AND entry_product = 'think-tank'`, story.reason, s.founder.ID, s.begun.HandoffID); n != 1 {
				t.Errorf("%d rows; recorded %q", n, testkit.Events(t, s.db))
			}
			s.wants("afterwards", s.pair, "member", s.begun.AuthTime, "pwd", "otp", "mfa")
		})
	}
}

// I9: what happens to the account, or to the session, while the password is checked. The
// attack: to be elevated in what its owner has just ended, or taken back.
func TestI9_aStepUpWhoseGroundGivesWayIsNone(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		change string
		want   error
		events int
	}{
		"another password":            {`UPDATE users SET password_hash = 'new'`, user.ErrInvalidCredentials, 1},
		"the password was taken away": {`UPDATE users SET password_hash = NULL`, user.ErrInvalidCredentials, 1},
		"suspended":                   {`UPDATE users SET status = 'SUSPENDED'`, user.ErrInactive, 1},
		"a second factor was added":   {`UPDATE users SET totp_secret = 'new'`, user.ErrSecondFactor, 1},
		"the user was deleted":        {`DELETE FROM users`, user.ErrInvalidCredentials, 1},
		"the session was ended":       {`UPDATE sessions SET ended_at = now(), ended_as = 'logout'`, session.ErrEnded, 0},
		"the session is over":         {`UPDATE sessions SET expires_at = created_at`, session.ErrEnded, 0},
		"the session is gone":         {`DELETE FROM sessions`, session.ErrEnded, 0},
		"it became somebody else's":   {`UPDATE sessions SET user_id = (SELECT id FROM users WHERE email = 'other@example.org')`, session.ErrEnded, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStair(t, "right")
			s.account(t, "other@example.org", "")
			s.checker.meanwhile = []func(){func() { testkit.Exec(t, s.db, story.change) }}
			if entered, err := s.stepUp(s.pair, "right"); !errors.Is(err, story.want) || entered.Pair.Access.Reveal() != "" {
				t.Errorf("%v, want %v", err, story.want)
			}
			if n := testkit.Count(t, s.db, `SELECT count(*) FROM sessions WHERE elevated OR generation <> 1`); n != 0 {
				t.Error("the session was elevated")
			}
			if events := testkit.Events(t, s.db); len(events) != story.events {
				t.Errorf("recorded %q", events)
			}
		})
	}
}

// The narrowest of them: the owner's arrival is emptying the account, and has not committed
// yet. The stranger, who is in and knows the password, waits for it, and both end well.
func TestI9_aStepUpWaitsForAReclaimThatIsUnderWay(t *testing.T) {
	t.Parallel()
	s := newStair(t, "right")
	testkit.Exec(t, s.db, `UPDATE users SET role = 'member'`)
	owner, who := testkit.Hold(t, s.db, ""), s.current(s.pair)
	s.checker.meanwhile = []func(){func() {
		if _, err := owner.Tx.Exec(t.Context(), `UPDATE users SET email_verified = false`); err != nil {
			t.Error(err)
		}
		reclaim(t, s.desk, owner.Tx, "ada@example.org")
	}}
	done := make(chan error, 1)
	go func() {
		_, err := s.StepUp(context.Background(), who, privacy.NewSecret("right"), origin)
		done <- err
	}()
	testkit.UntilWaiting(t, s.db, 1)
	owner.Commit()
	if err := <-done; !errors.Is(err, user.ErrInvalidCredentials) {
		t.Errorf("the stranger: %v", err)
	}
	if n := testkit.Count(t, s.db, `SELECT count(*) FROM sessions WHERE ended_as = 'reclaim' AND NOT elevated`); n != 1 {
		t.Error("the stranger's session was elevated, or is alive")
	}
}

// I4: without its row, or without its commit, a step-up is none.
func TestI4_aStepUpThatCannotBeRecordedIsNone(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string][2]string{
		"no log": {`ALTER TABLE audit_log RENAME TO away`, `ALTER TABLE away RENAME TO audit_log`},
		"no commit": {`
			CREATE FUNCTION no_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no commit' USING ERRCODE = 'disk_full'; END $$;
			CREATE CONSTRAINT TRIGGER no_commit AFTER UPDATE ON sessions DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW WHEN (NEW.elevated) EXECUTE FUNCTION no_commit()`, `DROP TRIGGER no_commit ON sessions`},
	} {
		s := newStair(t, "right")
		who := s.current(s.pair)
		before := testkit.Dump(t, s.db)
		testkit.Exec(t, s.db, trouble[0])
		for _, password := range []string{"right", "wrong"} {
			if name == "no commit" && password == "wrong" {
				continue
			}
			entered, err := s.StepUp(t.Context(), who, privacy.NewSecret(password), origin)
			if down := (*outage.Error)(nil); !errors.As(err, &down) || entered.Pair.Access.Reveal() != "" {
				t.Errorf("%s, the %s password: %v", name, password, err)
			}
		}
		testkit.Exec(t, s.db, trouble[1])
		if diff := cmp.Diff(before, testkit.Dump(t, s.db)); diff != "" {
			t.Errorf("%s: something is left:\n%s", name, diff)
		}
		s.stepsUp(s.pair)
	}
}
