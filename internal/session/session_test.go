package session_test

import (
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/session"
)

// I10: a hand-off gives nobody the powers of a founder or an admin.
func TestI10_aPrivilegedHandoffActsAsMemberUntilProven(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		role     string
		origin   session.Origin
		elevated bool
		allowed  bool
		want     string
	}{
		{"founder", session.Handoff, false, false, "member"},
		{"admin", session.Handoff, false, false, "member"},
		{"member", session.Handoff, false, false, "member"},
		{"guest", session.Handoff, false, false, "guest"}, // nor does it lift anybody up
		{"founder", session.Handoff, true, false, "founder"},
		{"admin", session.Handoff, true, false, "admin"},
		{"founder", session.Handoff, false, true, "founder"},
		{"founder", session.Password, true, false, "founder"},
		{"admin", session.Password, false, false, "admin"},
		{"guest", session.Password, true, false, "guest"},
		{"owner", session.Handoff, false, false, "member"}, // a role that is not known
		{"founder", "sso", false, false, "member"},         // an origin that is not known
	} {
		s := session.Session{Origin: tc.origin, Elevated: tc.elevated}
		if got := session.ActingRole(tc.role, s, tc.allowed); got != tc.want {
			t.Errorf("%+v acts as %q", tc, got)
		}
	}
}

// I10: who proved themselves later has done so for the tokens made from then on. What is
// older is as it was; a fraction of a second, which no token says, makes nothing older.
func TestI10_aLaterProofIsNotAnOlderTokens(t *testing.T) {
	t.Parallel()
	proved := time.Date(2026, 11, 21, 12, 0, 0, 500e6, time.UTC)
	for _, tc := range []struct {
		ago   time.Duration
		older bool
	}{
		{0, false}, {500 * time.Millisecond, false}, {501 * time.Millisecond, true}, {time.Hour, true}, {-time.Hour, false},
	} {
		row := session.Session{Origin: session.Handoff, Elevated: true, AuthTime: proved, AMR: []string{"pwd"}}
		got := row.ProvedAt(proved.Add(-tc.ago), []string{"otp"})
		if got.Elevated == tc.older || got.AuthTime.Equal(proved) != (!tc.older || tc.ago == 0) || (got.AMR[0] == "otp") != tc.older {
			t.Errorf("a token of %v before: %+v", tc.ago, got)
		}
	}
}

func TestASessionIsLiveUntilItEndsOrExpires(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	s := session.Session{ExpiresAt: now.Add(time.Second)}
	if !s.Live(now) || s.Live(now.Add(time.Second)) {
		t.Error("a session is not live exactly until its end")
	}
	s.EndedAt = &now
	if s.Live(now) || s.Live(now.Add(-time.Hour)) {
		t.Error("an ended session is live")
	}
}

func TestNoArrivalKeyIsNoArrival(t *testing.T) {
	t.Parallel()
	if !session.NewArrival("", "").IsNone() || session.NewArrival("a key of the browser", "").IsNone() {
		t.Error("an arrival is none exactly when there is no key")
	}
	if session.NewArrival("a key of the browser", "") == session.NewArrival("another key of it", "") {
		t.Error("two keys are one arrival")
	}
}
