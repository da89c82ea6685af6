package fosapi_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// both are the audit logs of the two halves.
func both(t testing.TB, s *testkit.Service) [2][]string {
	t.Helper()
	return [2][]string{testkit.Events(t, s.DAO), testkit.Events(t, s.FOS)}
}

// I8: a lost answer or a double click does not cost the person the hand-off.
func TestI8_theSameBrowserMayAskAgainForTenSeconds(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		token := ada.MintToken()
		first := arrived(t, ada.Arrive(token, key(firstKey)))
		before := both(t, s)
		s.Clock.Advance(10 * time.Second)
		again := arrived(t, ada.Arrive(token, key(firstKey)))
		if sessionID(again) != sessionID(first) || userID(again) != userID(first) {
			t.Errorf("session %s of %s, then %s of %s", sessionID(first), userID(first), sessionID(again), userID(again))
		}
		if diff := cmp.Diff(before, both(t, s)); diff != "" {
			t.Errorf("the repeat left something:\n%s", diff)
		}
		if me := meAt(t, s, again.Cookie("access_token").Value); me.Status != http.StatusOK {
			t.Errorf("with the second pair: %d %s", me.Status, me.Raw)
		}
		s.Clock.Advance(time.Millisecond)
		if late := ada.Arrive(token, key(firstKey)); late.Text("reason") != "used" {
			t.Errorf("after ten seconds: %d %s", late.Status, late.Raw)
		}
	})
}

func TestI8_anotherBrowserMayNotAskAgain(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		for name, story := range map[string][2][]testkit.Header{
			"another key":             {{key(firstKey)}, {key(secondKey)}},
			"none, after one":         {{key(firstKey)}, nil},
			"one, after none":         {nil, {key(firstKey)}},
			"none, after none":        {nil, nil},
			"the key in another case": {{key("arrival-abcdefgh0123")}, {key("arrival-ABCDEFGH0123")}},
		} {
			minted := ada.Mint(nil)
			arrived(t, ada.Arrive(minted.Text("token"), story[0]...))
			answer := s.Browser(t).Arrive(minted.Text("token"), story[1]...)
			wantInvalid(t, answer, "used", minted.Text("handoff_id"))
			if t.Failed() {
				t.Log(name)
			}
		}
	})
}

// The scope of a key is one token: the same browser's next hand-off is another one.
func TestI8_oneKeyForTwoHandOffsIsTwoSessions(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		one := arrived(t, ada.Arrive(ada.MintToken(), key(firstKey)))
		two := arrived(t, ada.Arrive(ada.MintToken(), key(firstKey)))
		if sessionID(one) == sessionID(two) {
			t.Error("the second hand-off was given the first one's session")
		}
	})
}

func TestI8_twentyRepeatsAtOnceThroughTwoReplicasAreOneSession(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		token, other := ada.MintToken(), replica(t, s)
		answers := make([]testkit.Answer, 20)
		var wg sync.WaitGroup
		b := s.Browser(t)
		for i := range answers {
			wg.Go(func() { answers[i] = arriveAt(b, []string{s.FOSURL, other}[i%2], token, key(firstKey)) })
		}
		wg.Wait()
		for _, answer := range answers {
			if arrived(t, answer); sessionID(answer) != sessionID(answers[0]) {
				t.Errorf("sessions %s and %s", sessionID(answers[0]), sessionID(answer))
			}
		}
		want := [2][]string{
			{"handoff.minted success", "handoff.exchanged success"},
			{"user.created success", "session.created success handoff"},
		}
		if diff := cmp.Diff(want, both(t, s)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// Who has signed out is out: the repeat brings neither the ended session back nor a
// new one.
func TestI8_aRepeatAfterSigningOutIsRefused(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := ada.Mint(nil)
		arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
		ada.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"))
		wantInvalid(t, ada.Arrive(minted.Text("token"), key(firstKey)), "used", minted.Text("handoff_id"))
		if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions`); n != 1 {
			t.Errorf("%d sessions", n)
		}
		if got := both(t, s)[1]; got[len(got)-1] != "handoff.replayed failure token_used" {
			t.Errorf("events %q", got)
		}
	})
}

// Nor does it help to have been suspended in between.
func TestI9_aRepeatAfterBeingSuspendedIsRefused(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		token := ada.MintToken()
		arrived(t, ada.Arrive(token, key(firstKey)))
		testkit.Exec(t, s.FOS, `UPDATE users SET status = 'SUSPENDED'`)
		wantProblem(t, ada.Arrive(token, key(firstKey)), http.StatusForbidden, "account_inactive")
	})
}

// I4: a repeat records nothing, unless something had to be done once more.
func TestI4_aRepeatThatLinksAnewSaysSo(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	first := arrived(t, ada.Arrive(token, key(firstKey)))
	testkit.Exec(t, s.FOS, `DELETE FROM identity_link`) // an operator's mistake
	if again := arrived(t, ada.Arrive(token, key(firstKey))); sessionID(again) != sessionID(first) {
		t.Errorf("sessions %s and %s", sessionID(first), sessionID(again))
	}
	want := []string{"user.created success", "session.created success handoff", "user.linked success"}
	if diff := cmp.Diff(want, both(t, s)[1]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
