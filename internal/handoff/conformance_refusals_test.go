package handoff_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// wantRefused demands one sentinel with one hand-off, in an error that gives
// nothing away.
func wantRefused(t testing.TB, p handoff.Presentation, err error, cause error, journey uuid.UUID) {
	t.Helper()
	var refused *token.Refused
	if !errors.As(err, &refused) || !errors.Is(err, cause) {
		t.Fatalf("got %v, want it refused because %v", err, cause)
	}
	if refused.HandoffID != journey {
		t.Errorf("hand-off %s, want %s", refused.HandoffID, journey)
	}
	wantSilent(t, p, err)
}

// wantSilent: no error text holds the token, the email or the bearer (I6).
func wantSilent(t testing.TB, p handoff.Presentation, err error) {
	t.Helper()
	for _, secret := range []string{p.Token.Reveal(), "@example.org", testkit.ServiceToken} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error's text gives %q away", secret)
		}
	}
}

func TestI8_bothSeamsRefuseASecondUse(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		m := s.mint(t, s.Member(t, "ada@example.org"), nil)
		if _, err := s.show(t, m.Presentation); err != nil {
			t.Fatal(err)
		}
		_, err := s.show(t, m.Presentation)
		wantRefused(t, m.Presentation, err, token.ErrUsed, m.handoffID)
		s.Clock.Advance(24 * time.Hour)
		_, err = s.show(t, m.Presentation)
		wantRefused(t, m.Presentation, err, token.ErrUsed, m.handoffID)
	})
}

func TestI2_bothSeamsRefuseATokenOfSixtySeconds(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		ada := s.Member(t, "ada@example.org")
		inTime, late := s.mint(t, ada, nil), s.mint(t, ada, nil)
		// The gate gets what is left of the minute in real time; the exact moment is
		// token.Judge's.
		s.Clock.Advance(55 * time.Second)
		if _, err := s.show(t, inTime.Presentation); err != nil {
			t.Errorf("five seconds before its time is over: %v", err)
		}
		s.Clock.Advance(5 * time.Second)
		_, err := s.show(t, late.Presentation)
		wantRefused(t, late.Presentation, err, token.ErrExpired, late.handoffID)
	})
}

func TestBothSeamsDoNotKnowAForeignToken(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		tok, err := token.Parse(strings.Repeat("0f", 32))
		if err != nil {
			t.Fatal(err)
		}
		foreign := handoff.Presentation{Token: tok, Target: testkit.Target}
		_, err = s.show(t, foreign)
		wantRefused(t, foreign, err, token.ErrUnknown, uuid.Nil)
	})
}

func TestI7_bothSeamsBurnATokenForAnotherTarget(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		m := s.mint(t, s.Member(t, "ada@example.org"), map[string]any{"target_domain": testkit.OtherTarget})
		_, err := s.show(t, m.Presentation)
		wantRefused(t, m.Presentation, err, token.ErrWrongTarget, m.handoffID)

		right := m.Presentation
		right.Target = testkit.OtherTarget
		_, err = s.show(t, right)
		wantRefused(t, right, err, token.ErrUsed, m.handoffID)
	})
}

func TestBothSeamsRefuseATokenWithoutItsVerifierAndKeepIt(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		verifier, challenge := binding("the browser's own secret")
		another, _ := binding("another browser's")
		m := s.mint(t, s.Member(t, "ada@example.org"), map[string]any{"challenge": challenge})
		for _, wrong := range []string{"", another} {
			p := m.Presentation
			p.Verifier = privacy.NewSecret(wrong)
			_, err := s.show(t, p)
			wantRefused(t, p, err, token.ErrBinding, m.handoffID)
		}
		m.Verifier = privacy.NewSecret(verifier)
		if _, err := s.show(t, m.Presentation); err != nil {
			t.Errorf("with its verifier: %v", err)
		}
	})
}

func TestBothSeamsDoNotKnowATokenWhoseSessionEnded(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		m := s.mint(t, s.Member(t, "ada@example.org"), nil)
		testkit.Exec(t, s.DAO, `UPDATE sessions SET ended_at = $1, ended_as = 'logout'`, s.Clock.Now())
		_, err := s.show(t, m.Presentation)
		wantRefused(t, m.Presentation, err, token.ErrUnknown, m.handoffID)
	})
}

func TestI8_bothSeamsRepeatForTheSameKeyAndNoOther(t *testing.T) {
	t.Parallel()
	eachSeam(t, func(t *testing.T, s seam) {
		m := s.mint(t, s.Member(t, "ada@example.org"), nil)
		first, err := s.show(t, m.under(firstKey))
		if err != nil {
			t.Fatal(err)
		}
		before := testkit.Events(t, s.DAO)
		s.Clock.Advance(10 * time.Second)
		again, err := s.show(t, m.under(firstKey))
		if err != nil {
			t.Fatalf("the same attempt ten seconds later: %v", err)
		}
		if diff := cmp.Diff(first, again, claimed); diff != "" {
			t.Errorf("the repeat says something else:\n%s", diff)
		}
		if diff := cmp.Diff(before, testkit.Events(t, s.DAO)); diff != "" {
			t.Errorf("the repeat left something:\n%s", diff)
		}
		for _, key := range []string{secondKey, ""} {
			_, err = s.show(t, m.under(key))
			wantRefused(t, m.Presentation, err, token.ErrUsed, m.handoffID)
		}
		s.Clock.Advance(time.Millisecond)
		_, err = s.show(t, m.under(firstKey))
		wantRefused(t, m.Presentation, err, token.ErrUsed, m.handoffID)
	})
}
