package handoff_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/token"
)

// I2: a mint whose statement took longer than a token lives (a suspended machine,
// a clock that was set) gives no token and leaves nothing in Redis: without a time
// left, its claims would lie there for ever.
func TestI2_aMintThatOutlivesItsTokenGivesNone(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	trouble.mint = func() { b.clock.Advance(token.TTL) }
	minted, err := b.minter.Mint(inTime(t), b.ask())
	var down *outage.Error
	if !errors.As(err, &down) || minted.Token != (token.Token{}) {
		t.Errorf("token %v, %v", minted.Token, err)
	}
	var journey *handoff.JourneyError
	if !errors.As(err, &journey) || journey.HandoffID == uuid.Nil {
		t.Errorf("the ledger has a row, and the error does not say which: %v", err)
	}
}

// What is left of the 60 s is what Redis is told, not 60 s from whenever it is
// told.
func TestI2_redisIsToldWhatIsLeft(t *testing.T) {
	t.Parallel()
	b, trouble := newBench(t)
	trouble.mint = func() { b.clock.Advance(50 * time.Second) }
	minted := b.mintedToken(t)
	ttl := b.redis.PTTL(t.Context(), carrierKey(minted.Token)).Val()
	if ttl <= 0 || ttl > 10*time.Second {
		t.Errorf("redis keeps the claims for %v, of 10 s that are left", ttl)
	}
	if got := minted.ExpiresAt; !got.Equal(noon.Add(token.TTL)) {
		t.Errorf("expires at %v, which is not 60 s after the mint began", got)
	}
}

// A member who may not hand off is refused under an id that the record has too; a
// session that is nobody's leaves no record and has no journey.
func TestMint_aRefusalIsFoundByItsHandoffID(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql     string
		want    error
		reason  string
		journey bool
	}{
		"unverified":         {`UPDATE members SET email_verified = false`, member.ErrEmailUnverified, "email_unverified", true},
		"suspended":          {`UPDATE members SET membership_status = 'suspended'`, member.ErrSessionRevoked, "", false},
		"suspended long ago": {shutOutBefore + `UPDATE members SET membership_status = 'suspended'`, member.ErrInactive, "account_inactive", true},
		"pending":            {`UPDATE members SET membership_status = 'pending'`, member.ErrInactive, "account_inactive", true},
		"signed out":         {`UPDATE sessions SET ended_at = now(), ended_as = 'logout'`, member.ErrSessionRevoked, "", false},
		"idle":               {`UPDATE sessions SET idle_expires_at = '2026-11-21 12:00Z'`, member.ErrNoSession, "", false},
		"no session":         {`DELETE FROM sessions`, member.ErrNoSession, "", false},
		"the csrf value of another session": {
			`UPDATE sessions SET id = '0190a000-0000-7000-8000-00000000000a'`, member.ErrCSRF, "", false,
		},
	} {
		b, _ := newBench(t)
		b.change(t, c.sql)
		_, err := b.minter.Mint(inTime(t), b.ask())
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		var journey *handoff.JourneyError
		if errors.As(err, &journey) != c.journey {
			t.Errorf("%s: journey %v", name, journey)
		}
		recorded := testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE event LIKE 'handoff.%'`)
		if c.journey {
			recorded = testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE event = 'handoff.refused' AND outcome = 'failure'
				AND reason = $1 AND handoff_id = $2 AND actor_id = $3`, c.reason, journey.HandoffID, b.ada) - 1
		}
		if recorded != 0 {
			t.Errorf("%s: the record is not as it should be (%+d)", name, recorded)
		}
		if n := testkit.Count(t, b.db, `SELECT count(*) FROM handoffs`); n != 0 {
			t.Errorf("%s: %d rows in the ledger", name, n)
		}
	}
}

// What is not right with the request is said of the field, never of its value,
// and before any store is asked.
func TestMint_namesTheFieldThatIsWrong(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel() // any store would fail
	const secret = "hunter2"
	for field, alter := range map[string]func(*handoff.MintRequest){
		"entry_product": func(r *handoff.MintRequest) { r.EntryProduct = secret },
		"target_domain": func(r *handoff.MintRequest) { r.Target = secret },
		"return_path":   func(r *handoff.MintRequest) { path := "//" + secret; r.ReturnPath = &path },
		"challenge":     func(r *handoff.MintRequest) { r.Challenge = secret },
		"response_mode": func(r *handoff.MintRequest) { r.ResponseMode = secret },
		"max_age":       func(r *handoff.MintRequest) { r.MaxAge = 8 * 24 * time.Hour },
	} {
		request := b.ask()
		alter(&request)
		_, err := b.minter.Mint(gone, request)
		var fault *handoff.FieldError
		if !errors.As(err, &fault) || fault.Field != field || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// I10: who asks for a fresh sign-in gets a token from no other, and who was refused finds
// out why.
func TestI10_aMintCanDemandAFreshSignIn(t *testing.T) {
	t.Parallel()
	b, _ := newBench(t)
	b.change(t, `UPDATE sessions SET auth_time = '2026-11-21 11:50Z'`) // ten minutes ago
	for age, want := range map[time.Duration]error{
		0: nil, 10 * time.Minute: nil, 10*time.Minute - time.Millisecond: member.ErrSignInTooOld, time.Second: member.ErrSignInTooOld,
	} {
		request := b.ask()
		request.MaxAge = age
		before := testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE reason = 'sign_in_too_old'`)
		minted, err := b.minter.Mint(inTime(t), request)
		if !errors.Is(err, want) || (want != nil) != (minted.Token == token.Token{}) {
			t.Errorf("%v: %v, want %v", age, err, want)
		}
		recorded := testkit.Count(t, b.db, `SELECT count(*) FROM audit_log WHERE reason = 'sign_in_too_old'`) - before
		if (want != nil) != (recorded == 1) {
			t.Errorf("%v: %d rows say that it was too old", age, recorded)
		}
	}
	// An unverified address is the graver news.
	b.change(t, `UPDATE members SET email_verified = false`)
	request := b.ask()
	request.MaxAge = time.Second
	if _, err := b.minter.Mint(inTime(t), request); !errors.Is(err, member.ErrEmailUnverified) {
		t.Errorf("unverified and too old: %v", err)
	}
}

// The landing URL keeps what the operator wrote there, and its own parameter
// named token, were there one, would not stand beside ours.
func TestTarget_redirectPutsTheTokenWhereItIsAsked(t *testing.T) {
	t.Parallel()
	tok := tokenOf(t)
	type asked struct {
		landing string
		mode    handoff.ResponseMode
	}
	for of, want := range map[asked]string{
		{"https://founderyos.test/cross-domain", ""}:                         "https://founderyos.test/cross-domain?token=" + tok.Reveal(),
		{"https://founderyos.test/land?lang=en#top", handoff.InQuery}:        "https://founderyos.test/land?lang=en&token=" + tok.Reveal() + "#top",
		{"https://founderyos.test/land?token=planted", handoff.InQuery}:      "https://founderyos.test/land?token=" + tok.Reveal(),
		{"https://founderyos.test/land?lang=en#top", handoff.InFragment}:     "https://founderyos.test/land?lang=en#token=" + tok.Reveal(),
		{"https://founderyos.test/cross-domain?lang=en", handoff.ByFormPost}: "https://founderyos.test/cross-domain?lang=en",
	} {
		landing := of.landing
		parsed, err := url.Parse(landing)
		if err != nil {
			t.Fatal(err)
		}
		redirect := handoff.Target{LandingURL: parsed}.Redirect(tok, of.mode)
		if redirect.Reveal() != want || redirect.String() == want {
			t.Errorf("%s redirects to %s and prints as %s", landing, redirect.Reveal(), redirect)
		}
		if parsed.String() != landing {
			t.Errorf("the configured URL is now %s", parsed)
		}
	}
}
