package session_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func TestAPairIsReadBackAsItWasMeant(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	now := clock.Now()
	s, of := signer(t, configAt(clock)), stay(now)
	p := pair(t, s, of)

	access, err := s.VerifyAccess(p.Access.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if access.UserID != of.UserID || access.SessionID != of.ID || access.TokenID != tokenID(1, 3) || access.Generation != 3 || access.Role != "member" ||
		strings.Join(access.AMR, " ") != "pwd otp" || !access.AuthTime.Equal(of.AuthTime) || !access.IssuedAt.Equal(now) ||
		!access.ExpiresAt.Equal(now.Add(30*time.Minute)) || !access.ExpiresAt.Equal(p.AccessExpiresAt) {
		t.Errorf("the access token says %+v", access)
	}
	refresh, err := s.VerifyRefresh(p.Refresh.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if refresh.Generation != 3 || refresh.SessionID != of.ID || refresh.TokenID != tokenID(2, 3) ||
		!refresh.ExpiresAt.Equal(of.ExpiresAt) || !refresh.ExpiresAt.Equal(p.RefreshExpiresAt) {
		t.Errorf("the refresh token says %+v", refresh)
	}
}

// I12: neither token passes for the other, with an audience configured or not.
func TestI12_accessAndRefreshNeverPassForEachOther(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	for _, audience := range []string{"founderyos-api", ""} {
		config := configAt(clock)
		config.Audience = audience
		s := signer(t, config)
		p := pair(t, s, stay(clock.Now()))
		if _, err := s.VerifyAccess(p.Refresh.Reveal()); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("audience %q: a refresh token as access: %v", audience, err)
		}
		if _, err := s.VerifyRefresh(p.Access.Reveal()); !errors.Is(err, session.ErrInvalidToken) {
			t.Errorf("audience %q: an access token as refresh: %v", audience, err)
		}
	}
}

// The end of a session is absolute: no token passes it, and a short rest makes a
// short access token.
func TestNoTokenOutlivesItsSession(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s, of := signer(t, configAt(clock)), stay(clock.Now())
	if !s.SessionExpiry(of.CreatedAt).Equal(of.ExpiresAt) {
		t.Errorf("a session that begins at %v ends at %v", of.CreatedAt, s.SessionExpiry(of.CreatedAt))
	}
	clock.Advance(7*24*time.Hour - time.Minute)
	p := pair(t, s, of)
	if !p.AccessExpiresAt.Equal(of.ExpiresAt) || !p.RefreshExpiresAt.Equal(of.ExpiresAt) {
		t.Errorf("a minute before the end, the pair lives until %v and %v", p.AccessExpiresAt, p.RefreshExpiresAt)
	}
	clock.Advance(time.Minute)
	if _, err := s.VerifyAccess(p.Access.Reveal()); !errors.Is(err, session.ErrInvalidToken) {
		t.Errorf("an access token at the end of its session: %v", err)
	}
	if _, err := s.VerifyRefresh(p.Refresh.Reveal()); !errors.Is(err, session.ErrInvalidToken) {
		t.Errorf("a refresh token at the end of its session: %v", err)
	}
	if _, err := s.Pair(of, "member"); !errors.Is(err, session.ErrEnded) {
		t.Errorf("a pair for an expired session: %v", err)
	}
	clock = testkit.NewClock()
	ended := clock.Now()
	of.EndedAt = &ended
	if _, err := signer(t, configAt(clock)).Pair(of, "member"); !errors.Is(err, session.ErrEnded) {
		t.Errorf("a pair for an ended session: %v", err)
	}
}

// Three rollouts: the new key where it only verifies, then signing, then alone.
func TestKeysRotateWithoutSigningAnybodyOut(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	with := func(key string, previous ...string) *session.Signer {
		config := configAt(clock)
		config.Key = privacy.NewSecret(key)
		for _, p := range previous {
			config.Previous = append(config.Previous, privacy.NewSecret(p))
		}
		return signer(t, config)
	}
	before, announced, switched, after := with(firstKey), with(firstKey, secondKey), with(secondKey, firstKey), with(secondKey)
	for name, tc := range map[string]struct {
		signs, verifies *session.Signer
		good            bool
	}{
		"old replica's, at one that knows both":     {before, announced, true},
		"new key's, at one that only verifies it":   {switched, announced, true},
		"old key's, at one that has switched":       {before, switched, true},
		"new key's, at the end":                     {switched, after, true},
		"old key's, at the end":                     {before, after, false},
		"new key's, at a replica that was left out": {switched, before, false},
	} {
		p := pair(t, tc.signs, stay(clock.Now()))
		_, errAccess := tc.verifies.VerifyAccess(p.Access.Reveal())
		_, errRefresh := tc.verifies.VerifyRefresh(p.Refresh.Reveal())
		if (errAccess == nil) != tc.good || (errRefresh == nil) != tc.good {
			t.Errorf("%s: %v, %v", name, errAccess, errRefresh)
		}
	}
}

func TestI12_aSignerWithoutAProperKeyIsNotMade(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*session.Config){
		"no key":                func(c *session.Config) { c.Key = privacy.Secret{} },
		"a short key":           func(c *session.Config) { c.Key = privacy.NewSecret(strings.Repeat("k", 31)) },
		"an empty previous key": func(c *session.Config) { c.Previous = []privacy.Secret{{}} },
		"no issuer":             func(c *session.Config) { c.Issuer = "" },
		"the refresh audience":  func(c *session.Config) { c.Audience = "founderyos-refresh" },
		"no access life":        func(c *session.Config) { c.AccessTTL = 0 },
		"access beyond refresh": func(c *session.Config) { c.AccessTTL = c.RefreshTTL + 1 },
		"no clock":              func(c *session.Config) { c.Now = nil },
		"no randomness":         func(c *session.Config) { c.Random = nil },
	} {
		config := configAt(testkit.NewClock())
		edit(&config)
		if s, err := session.NewSigner(config); err == nil || s != nil {
			t.Errorf("%s: a signer was made", name)
		} else if strings.Contains(err.Error(), "kkk") {
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestNoTokenWithoutAnID(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	config := configAt(clock)
	broken := errors.New("no randomness")
	config.Random = iotest.ErrReader(broken)
	if _, err := signer(t, config).Pair(stay(clock.Now()), "member"); !errors.Is(err, broken) {
		t.Errorf("Pair = %v", err)
	}
}

// I10: what a session was opened with is what its tokens say, later and elsewhere.
func TestI10_authTimeAndAMRAreCarried(t *testing.T) {
	t.Parallel()
	clock := testkit.NewClock()
	s, of := signer(t, configAt(clock)), stay(clock.Now())
	of.AMR = nil // the DAO half did not say how
	clock.Advance(24 * time.Hour)
	p := pair(t, s, of)
	access, err := s.VerifyAccess(p.Access.Reveal())
	if err != nil || !access.AuthTime.Equal(of.AuthTime) || len(access.AMR) != 0 {
		t.Errorf("a day later the token says %+v, %v", access, err)
	}
}
