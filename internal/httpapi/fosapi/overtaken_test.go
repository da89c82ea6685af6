package fosapi_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// The news was quicker than the arrival, whose exchange had gone well. Whoever comes with
// it, and under which key, comes to nothing; the second time too.
func TestI8_theNewsThatOvertakesAnArrivalBarsIt(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		dao := s.SignIn(t, s.Member(t, "ada@example.org"))
		minted := dao.Mint(nil)
		id, b := minted.Text("handoff_id"), s.Browser(t)
		for range 2 { // it is told again, and that changes nothing
			wantNoContent(t, tellFOS(b, s.FOSURL, id))
		}
		for range 2 {
			wantInvalid(t, b.Arrive(minted.Text("token"), key(firstKey)), "invalid", id)
		}
		want := []string{"handoff.ended success source_ended", "handoff.refused failure source_ended", "handoff.refused failure source_ended"}
		if diff := cmp.Diff(want, eventsOf(t, s, id)); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		noKey := dao.Mint(nil)
		wantNoContent(t, tellFOS(b, s.FOSURL, noKey.Text("handoff_id")))
		wantInvalid(t, b.Arrive(noKey.Text("token")), "invalid", noKey.Text("handoff_id"))
		if n := testkit.Count(t, s.FOS, `SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM users)`); n != 0 {
			t.Errorf("%d users and sessions came of it", n)
		}
	})
}

// They sign out over there while they are being asked here: to say yes is too late.
func TestI8_whoLeavesWhileTheyAreAskedIsNotLetIn(t *testing.T) {
	t.Parallel()
	asking(t, "confirm", func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		id := asked(t, ada.Arrive(ada.MintToken(), key(firstKey)), "ada@example.org", "")
		leave(t, s, ada)
		soon(t, "the news", func() bool {
			return testkit.Count(t, s.FOS, `SELECT count(*) FROM handoffs_ended WHERE shown_as IS NULL`) == 1
		})
		wantInvalid(t, confirms(ada, id), "invalid", id)
		wantIn(t, ada, "")
	})
}

// A hand-off that was shown under another key was over for all other keys; when its
// source has ended it is over for that one too.
func TestI8_theNewsBarsAlsoWhoShowedItAgain(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	minted := dao.Mint(nil)
	testkit.Exec(t, s.FOS, `INSERT INTO handoffs_ended (handoff_id, ended_at, ended_as, shown_as) VALUES ($1, now(), 'replayed', sha256($2::bytea))`,
		minted.Text("handoff_id"), []byte(firstKey))
	wantNoContent(t, tellFOS(dao, s.FOSURL, minted.Text("handoff_id")))
	wantInvalid(t, s.Browser(t).Arrive(minted.Text("token"), key(firstKey)), "invalid", minted.Text("handoff_id"))
}

// Arrival and end at the same moment, again and again: whichever is first, no session is
// left, and what was let in is signed out.
func TestI8_anArrivalAndItsEndAtTheSameMoment(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		dao := s.SignIn(t, s.Member(t, "ada@example.org"))
		for range 12 {
			minted, b := dao.Mint(nil), s.Browser(t)
			var both sync.WaitGroup
			both.Go(func() { b.Arrive(minted.Text("token"), key(firstKey)) })
			both.Go(func() { wantNoContent(t, tellFOS(s.Browser(t), s.FOSURL, minted.Text("handoff_id"))) })
			both.Wait()
			if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE handoff_id = $1 AND ended_at IS NULL`, minted.Text("handoff_id")); n != 0 {
				t.Fatal("a session lives on")
			}
			ended := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE handoff_id = $1 AND event IN ('session.ended', 'handoff.ended')`, minted.Text("handoff_id"))
			if ended != 1 {
				t.Fatalf("its end is recorded %d times", ended)
			}
		}
	})
}

// Signing out while the exchange of a token is under way: either the token is dead, or what
// comes of it ends.
func TestI1_signingOutWhileATokenIsOnItsWay(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.Member(t, "ada@example.org")
		for range 8 {
			dao, b := s.SignIn(t, ada), s.Browser(t)
			token := dao.MintToken()
			var both sync.WaitGroup
			both.Go(func() { b.Arrive(token) })
			both.Go(func() { leave(t, s, dao) })
			both.Wait()
		}
		soon(t, "the end of all", func() bool {
			return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`) == 0 &&
				testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE ended_at IS NULL`) == 0
		})
	})
}

// An arrival that holds the hand-off, and has not committed yet: the news waits for it, and
// finds the session.
func TestI8_theNewsWaitsForAnArrival(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	_, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	id := answer.Text("handoff_id")
	arriving := testkit.Hold(t, s.FOS, "")
	if err := session.HoldHandoff(t.Context(), arriving.Tx, uuid.MustParse(id), session.Arrival{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan testkit.Answer, 1)
	go func() { done <- tellFOS(s.Browser(t), s.FOSURL, id) }()
	soon(t, "the news", func() bool {
		return len(done) > 0 || testkit.Count(t, s.FOS, `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`) > 0
	})
	if len(done) > 0 {
		t.Fatal("it did not wait")
	}
	arriving.Commit()
	wantNoContent(t, <-done)
}
