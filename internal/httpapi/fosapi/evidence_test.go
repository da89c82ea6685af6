package fosapi_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const fosReplay, fosEndedByReplay = "handoff.replayed failure token_used", "session.ended success replayed"

func wantEnded(t testing.TB, s *testkit.Service, first testkit.Answer, ended bool) {
	t.Helper()
	want := map[bool]string{true: "session_revoked", false: ""}[ended]
	if me := meAt(t, s, first.Cookie("access_token").Value); me.Code() != want {
		t.Errorf("who came first hears %d %s, want %q", me.Status, me.Raw, want)
	}
	events := testkit.Events(t, s.FOS)
	if slices.Contains(events, fosEndedByReplay) != ended || !slices.Contains(events, fosReplay) {
		t.Errorf("events %v", events)
	}
}

// I8: one token in two browsers, each with a key of its own, within the token's minute:
// one of them is a thief's, and nobody knows which. The attack is to be quicker than
// the person whose link it is; it ends when they arrive.
func TestI8_twoBrowsersWithOneTokenEndTheSession(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(nil)
		thief := arrived(t, s.Browser(t).Arrive(minted.Text("token"), key(firstKey)))
		s.Clock.Advance(59 * time.Second)
		wantInvalid(t, ada.Arrive(minted.Text("token"), key(secondKey)), "used", minted.Text("handoff_id"))
		wantEnded(t, s, thief, true)
		wantInvalid(t, ada.Arrive(minted.Text("token"), key(secondKey)), "used", minted.Text("handoff_id"))
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE reason = 'replayed'`); n != 1 {
			t.Errorf("the end was recorded %d times", n)
		}
	})
}

// I8: a spent link is no weapon. Whoever finds one in a log has no key, comes late, or
// both; and a browser that made no key cannot be told from another.
func TestI8_withoutEvidenceNothingIsEnded(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		first, second []testkit.Header
		wait          time.Duration
	}{
		"the second has no key":       {[]testkit.Header{key(firstKey)}, nil, time.Second},
		"the first had no key":        {nil, []testkit.Header{key(secondKey)}, time.Second},
		"neither has":                 {nil, nil, time.Second},
		"the same, ten seconds later": {[]testkit.Header{key(firstKey)}, []testkit.Header{key(firstKey)}, 11 * time.Second},
		"another, a minute later":     {[]testkit.Header{key(firstKey)}, []testkit.Header{key(secondKey)}, time.Minute},
		"another, a day later":        {[]testkit.Header{key(firstKey)}, []testkit.Header{key(secondKey)}, 20 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, s *testkit.Service) {
				ada := s.SignIn(t, s.Member(t, "ada@example.org"))
				minted := ada.Mint(nil)
				first := arrived(t, ada.Arrive(minted.Text("token"), story.first...))
				s.Clock.Advance(story.wait)
				wantInvalid(t, s.Browser(t).Arrive(minted.Text("token"), story.second...), "used", minted.Text("handoff_id"))
				if story.wait > 29*time.Minute { // the access token has ended by itself
					if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`); n != 1 {
						t.Errorf("%d live sessions", n)
					}
					return
				}
				wantEnded(t, s, first, false)
			})
		})
	}
}

// I4: a session that a replay should end and cannot is an outage for who replays.
func TestI4_anEndThatCannotBeRecordedEndsNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	first := arrived(t, ada.Arrive(token, key(firstKey)))
	testkit.Exec(t, s.FOS, `ALTER TABLE audit_log ADD CONSTRAINT no_replay CHECK (event <> 'handoff.replayed') NOT VALID`)
	if answer := s.Browser(t).Arrive(token, key(secondKey)); answer.Status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
	if me := meAt(t, s, first.Cookie("access_token").Value); me.Status != http.StatusOK {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
}

// I8: the attack: show the token first, break off before the session is written, and
// take it up again with the same key when the person whose link it is has been and
// gone. Their coming bars everybody else's key, also from a session that is not there yet.
func TestI8_whoBreaksOffDoesNotDodgeTheEvidence(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(nil)
		token := minted.Text("token")
		testkit.Exec(t, s.FOS, refuseCommit)
		if broken := s.Browser(t).Arrive(token, key(firstKey)); broken.Status != http.StatusServiceUnavailable {
			t.Fatalf("%d %s", broken.Status, broken.Raw)
		}
		testkit.Exec(t, s.FOS, `DROP TRIGGER no_commit ON sessions`)
		wantInvalid(t, ada.Arrive(token, key(secondKey)), "used", minted.Text("handoff_id"))
		wantInvalid(t, s.Browser(t).Arrive(token, key(firstKey)), "used", minted.Text("handoff_id"))
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`); n != 0 {
			t.Errorf("%d sessions", n)
		}
	})
}

// I8: who has no key is nobody's evidence, and nobody's victim.
func TestI8_anArrivalWithoutAKeyIsNotBarred(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	handoffID := uuid.Must(uuid.NewV7())
	for name, row := range map[string]struct {
		by   session.Arrival
		want error
	}{
		"the same key": {session.NewArrival(firstKey, ""), nil},
		"no key":       {session.NewArrival("", ""), nil},
		"another key":  {session.NewArrival(secondKey, ""), session.ErrHandoffUsed},
	} {
		shown := session.NewArrival(firstKey, "")
		testkit.Exec(t, s.FOS, `INSERT INTO handoffs_ended VALUES ($1, now(), 'replayed', $2) ON CONFLICT DO NOTHING`, handoffID, shown.Key[:])
		err := pgx.BeginFunc(t.Context(), s.FOS, func(tx pgx.Tx) error {
			return session.HoldHandoff(t.Context(), tx, handoffID, row.by)
		})
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// I8: the nonce cookie shows the same browser as well as an arrival key does, and its
// absence of one another: two tabs with one link are one browser, whatever keys they made.
func TestI8_theNonceIsAMarkOfTheBrowser(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		first, second []testkit.Header
		same          bool // the browser that came first
		converges     bool // within ten seconds
		ends          bool // later
	}{
		"its other tab, another key":    {[]testkit.Header{key(firstKey)}, []testkit.Header{key(secondKey)}, true, true, false},
		"its other tab, no keys":        {nil, nil, true, true, false},
		"another browser, no keys":      {nil, nil, false, false, true},
		"another browser, another key":  {[]testkit.Header{key(firstKey)}, []testkit.Header{key(secondKey)}, false, false, true},
		"another browser, the same key": {[]testkit.Header{key(firstKey)}, []testkit.Header{key(firstKey)}, false, false, false},
	} {
		for _, late := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := testkit.Start(t, testkit.Options{})
				ada, b := s.SignIn(t, s.Member(t, "ada@example.org")), s.Browser(t)
				starts(t, s, b)
				minted := ada.Mint(nil)
				first := arrived(t, b.Arrive(minted.Text("token"), story.first...))
				again := s.Browser(t) // with the nonce, and no session: the answer was lost
				if story.same {
					again.SetCookie(s.FOSURL, nonceNamed, b.Cookie(s.FOSURL, nonceNamed))
				} else {
					starts(t, s, again)
				}
				if late {
					s.Clock.Advance(30 * time.Second)
				}
				answer := again.Arrive(minted.Text("token"), story.second...)
				if story.converges && !late {
					if arrived(t, answer); sessionID(answer) != sessionID(first) {
						t.Errorf("sessions %s and %s", sessionID(first), sessionID(answer))
					}
					return
				}
				wantInvalid(t, answer, "used", minted.Text("handoff_id"))
				wantEnded(t, s, first, story.ends)
			})
		}
	}
}
