package session_test

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// I11: that a pair has reached its browser shows when its access token comes back.
// Its claims are a contract, so the generation travels in the token's id.
func TestI11_theAccessTokensIDCarriesTheGeneration(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	config := configAt(clock)
	config.Random = rand.Reader
	s := signer(t, config)
	for _, generation := range []int{1, 2, 255, 256, 65536, 1<<31 - 1} {
		of := stay(clock.Now())
		of.Generation = generation
		p := pair(t, s, of)
		access, err := s.VerifyAccess(p.Access.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		refresh, err := s.VerifyRefresh(p.Refresh.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if access.Generation != generation || refresh.Generation != generation {
			t.Errorf("generation %d: the access token says %d, the refresh token %d", generation, access.Generation, refresh.Generation)
		}
		for kind, tokenID := range map[string]uuid.UUID{"access": access.TokenID, "refresh": refresh.TokenID} {
			if tokenID.Version() != 8 || tokenID.Variant() != uuid.RFC4122 {
				t.Errorf("%s: %s is no UUIDv8 (RFC 9562, 5.8)", kind, tokenID)
			}
		}
	}
}

// The generation is the only part of an id that repeats: the ids of two pairs of one
// generation, as ten tabs are given them, are four.
func TestTokenIDsOfOneGenerationDiffer(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	config := configAt(clock)
	config.Random = rand.Reader
	s := signer(t, config)
	ids := map[uuid.UUID]bool{}
	for range 2 {
		p := pair(t, s, stay(clock.Now()))
		access, errAccess := s.VerifyAccess(p.Access.Reveal())
		refresh, errRefresh := s.VerifyRefresh(p.Refresh.Reveal())
		if errAccess != nil || errRefresh != nil {
			t.Fatal(errAccess, errRefresh)
		}
		ids[access.TokenID], ids[refresh.TokenID] = true, true
	}
	if len(ids) != 4 {
		t.Errorf("four tokens have the ids %v", ids)
	}
}

// Tokens of the program before, and of the platform's Python side, have an id that
// says nothing of a generation: they are good, and count as no sign of any.
func TestATokenIDThatSomebodyElseMadeIsOfNoGeneration(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	raw := pair(t, s, stay(clock.Now())).Access.Reveal()
	for name, tokenID := range map[string]string{
		"UUIDv7": "0190a000-0000-7000-8000-000000000003", "UUIDv4": "0190a000-0000-4000-8000-000000000003",
	} {
		f := good(t, raw)
		f.claims["jti"] = tokenID
		claims, err := s.VerifyAccess(f.sign(t))
		if err != nil || claims.Generation != 0 {
			t.Errorf("%s: generation %d, %v", name, claims.Generation, err)
		}
	}
}

// Two replicas' clocks: a token may begin up to 5 s ahead of ours. Nothing is given
// at the end, or every token would live longer than it says.
func TestATokenMayBeginAheadOfOurClockAndNeverEndsBehindIt(t *testing.T) {
	t.Parallel()
	here := testkit.NewClock()
	s := signer(t, configAt(here))
	for by, want := range map[time.Duration]bool{0: true, 5 * time.Second: true, 6 * time.Second: false} {
		ahead := testkit.NewClock()
		ahead.Advance(by)
		p := pair(t, signer(t, configAt(ahead)), stay(ahead.Now()))
		_, errAccess := s.VerifyAccess(p.Access.Reveal())
		_, errRefresh := s.VerifyRefresh(p.Refresh.Reveal())
		if (errAccess == nil) != want || (errRefresh == nil) != want {
			t.Errorf("made %v ahead of us: %v, %v", by, errAccess, errRefresh)
		}
	}

	p := pair(t, s, stay(here.Now()))
	here.Advance(30*time.Minute - time.Second)
	if _, err := s.VerifyAccess(p.Access.Reveal()); err != nil {
		t.Errorf("a second before its end: %v", err)
	}
	here.Advance(time.Second)
	if _, err := s.VerifyAccess(p.Access.Reveal()); !errors.Is(err, session.ErrInvalidToken) {
		t.Errorf("at its end: %v", err)
	}
}

// Each of the two beginnings is looked at.
func TestNeitherBeginningMayLieAhead(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	raw := pair(t, s, stay(clock.Now())).Access.Reveal()
	for _, claim := range []string{"nbf", "iat"} {
		for by, want := range map[time.Duration]bool{5 * time.Second: true, 6 * time.Second: false} {
			f := good(t, raw)
			f.claims[claim] = unix(clock.Now().Add(by))
			if _, err := s.VerifyAccess(f.sign(t)); (err == nil) != want {
				t.Errorf("%s %v ahead: %v", claim, by, err)
			}
		}
	}
}

// Which session a browser was in, its access token says after it has ended too: to
// leave it, and to know whose refresh token is meant.
func TestAnEndedAccessTokenIsReadAndLetsNobodyIn(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s, of := signer(t, configAt(clock)), stay(clock.Now())
	p := pair(t, s, of)
	for _, later := range []time.Duration{0, 31 * time.Minute, 6 * 24 * time.Hour} {
		clock.Advance(later)
		claims, err := s.ReadAccess(p.Access.Reveal())
		if err != nil || claims.SessionID != of.ID || claims.UserID != of.UserID || claims.Generation != of.Generation {
			t.Errorf("%v later: %+v, %v", later, claims, err)
		}
		if _, err := s.VerifyAccess(p.Access.Reveal()); (err == nil) != (later == 0) {
			t.Errorf("%v later it is verified: %v", later, err)
		}
	}
}

// I12: but for its time, what is read has to be as good as what lets somebody in.
// The attack is to write the session's id oneself.
func TestI12_whatIsReadAfterItsEndIsStillOurs(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s := signer(t, configAt(clock))
	p := pair(t, s, stay(clock.Now()))
	now := clock.Now()
	clock.Advance(time.Hour)
	refused := forgeries(now)
	for _, timely := range []string{"expired now", "not yet valid", "issued in the future"} {
		delete(refused, timely)
	}
	refused["over for longer than a session may last"] = func(f *forged) { f.claims["exp"] = unix(clock.Now().Add(-7*24*time.Hour - time.Second)) }
	refused["a generation claim"] = func(f *forged) { f.claims["gen"] = 1 }
	for name, forge := range refused {
		f := good(t, p.Access.Reveal())
		forge(&f)
		if _, err := s.ReadAccess(f.sign(t)); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.ReadAccess(p.Refresh.Reveal()); !errors.Is(err, session.ErrInvalidToken) {
		t.Errorf("a refresh token: %v", err)
	}
}

// The row is written when a token says something new, and no more often.
func TestARowIsTouchedAtFirstUseAndEveryMinute(t *testing.T) {
	t.Parallel()
	now := testkit.NewClock().Now()
	for name, tc := range map[string]struct {
		generation int
		used       bool
		after      time.Duration
		want       bool
	}{
		"the first of its generation":        {3, false, 0, true},
		"the next":                           {3, true, 0, false},
		"an older pair's":                    {2, false, 0, false},
		"of no generation":                   {0, false, 0, false},
		"used, 59 s later":                   {3, true, 59 * time.Second, false},
		"used, a minute later":               {3, true, time.Minute, true},
		"of no generation, a minute later":   {0, false, time.Minute, true},
		"of a generation that is not there":  {4, false, 0, false},
		"by a replica whose clock is behind": {3, true, -time.Hour, false},
	} {
		s := stay(now)
		s.GenerationUsed = tc.used
		if got := s.NeedsTouch(tc.generation, now.Add(tc.after)); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
