package fosapi_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/session"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// soon asks until the news has come: it travels behind the answer of whoever left. Its
// promise of five seconds is for machines that have something left; here it is whether.
func soon(t testing.TB, what string, come func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if come() {
			return
		}
	}
	t.Fatalf("%s: it never came", what)
}

// leave signs out at the DAO half.
func leave(t testing.TB, s *testkit.Service, dao *testkit.Browser) {
	t.Helper()
	answer := dao.Post(s.DAOURL+"/api/auth/logout", nil, header("X-CSRF-Token", dao.CSRF))
	if answer.Status != http.StatusOK {
		t.Fatalf("logout: %d %s", answer.Status, answer.Raw)
	}
}

// forget ends one hand-off at the DAO half.
func forget(s *testkit.Service, dao *testkit.Browser, handoffID string) testkit.Answer {
	return dao.Do(http.MethodDelete, s.DAOURL+"/api/auth/handoffs/"+handoffID, nil, header("X-CSRF-Token", dao.CSRF))
}

// tellFOS is the DAO half's message, under the service token.
func tellFOS(b *testkit.Browser, fosURL string, ids ...string) testkit.Answer {
	return b.Post(fosURL+leaving.EndPath, map[string]any{"handoff_ids": ids}, bearer)
}

var bearer = header("Authorization", "Bearer "+testkit.ServiceToken)

// signedOut waits until a browser's session is over, and demands that nothing of it works.
func signedOut(t testing.TB, s *testkit.Service, what string, b *testkit.Browser, answer testkit.Answer) {
	t.Helper()
	soon(t, what, func() bool { return b.Me().Code() == "session_revoked" })
	held := tokensOf(t, answer)
	wantProblem(t, refreshSending(t, s, refreshToken(held.refresh), accessToken(held.access)), http.StatusUnauthorized, "session_revoked")
}

// whatEnds are the ways in which the source of a hand-off ends.
var whatEnds = map[string]struct {
	end    func(t testing.TB, s *testkit.Service, dao *testkit.Browser, handoffID string)
	ledger string // what the DAO half's row says
}{
	"they sign out": {func(t testing.TB, s *testkit.Service, dao *testkit.Browser, _ string) {
		t.Helper()
		leave(t, s, dao)
	}, "session_ended"},
	"another program revokes the session": {func(t testing.TB, s *testkit.Service, _ *testkit.Browser, id string) {
		t.Helper()
		testkit.Exec(t, s.DAO, `UPDATE sessions SET ended_at = now(), ended_as = 'revoked' WHERE id = (SELECT session_id FROM handoffs WHERE handoff_id = $1)`, id)
	}, "session_ended"},
	"another program shuts the member out": {func(t testing.TB, s *testkit.Service, _ *testkit.Browser, _ string) {
		t.Helper()
		testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'suspended' WHERE email_canonical = 'ada@example.org'`)
	}, "session_ended"},
	"the membership is pending again": {func(t testing.TB, s *testkit.Service, _ *testkit.Browser, _ string) {
		t.Helper()
		testkit.Exec(t, s.DAO, `UPDATE members SET membership_status = 'pending' WHERE email_canonical = 'ada@example.org'`)
	}, "account_inactive"},
	"they end this hand-off": {func(t testing.TB, s *testkit.Service, dao *testkit.Browser, id string) {
		t.Helper()
		if answer := forget(s, dao, id); answer.Status != http.StatusNoContent {
			t.Fatalf("%d %s", answer.Status, answer.Raw)
		}
	}, "ended_by_user"},
}

// Who leaves one site has left what came of it on the other: nothing of that session works
// any more, one row says why, and nobody else is signed out.
func TestI4_whoLeavesTheDAOHasLeftHere(t *testing.T) {
	t.Parallel()
	for name, way := range whatEnds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, s *testkit.Service) {
				ada := s.Member(t, "ada@example.org")
				dao := s.SignIn(t, ada)
				laptop, answer := arrives(t, s, dao)
				eve, _ := arrives(t, s, s.SignIn(t, s.Member(t, "eve@example.org")))
				byPassword := s.SignInAtFOS(t, s.User(t, "else@example.org"))
				id := answer.Text("handoff_id")

				way.end(t, s, dao, id)
				signedOut(t, s, "the laptop", laptop, answer)
				want := []string{"user.created success", "session.created success handoff", "session.ended success source_ended"}
				if diff := cmp.Diff(want, eventsOf(t, s, id)); diff != "" {
					t.Errorf("rows (-want +got):\n%s", diff)
				}
				for who, b := range map[string]*testkit.Browser{"Eve": eve, "who signed in here": byPassword} {
					if me := b.Me(); me.Status != http.StatusOK {
						t.Errorf("%s: %d %s", who, me.Status, me.Raw)
					}
				}
				soon(t, "the outbox", func() bool { return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`) == 0 })
				// What was heard is not said back.
				if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings`); n != 0 {
					t.Errorf("%d rows are to be told back", n)
				}
				if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND ended_as = $2`, id, way.ledger); n != 1 {
					t.Error("the ledger does not say so")
				}
			})
		})
	}
}

// They ended one journey, and stay signed in at the DAO half; from another one of theirs
// they stay signed in here.
func TestEndingOneHandoffEndsNoOther(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		dao := s.SignIn(t, s.Member(t, "ada@example.org"))
		laptop, onLaptop := arrives(t, s, dao)
		phone, _ := arrives(t, s, dao)
		if answer := forget(s, dao, onLaptop.Text("handoff_id")); answer.Status != http.StatusNoContent {
			t.Fatalf("%d %s", answer.Status, answer.Raw)
		}
		signedOut(t, s, "the laptop", laptop, onLaptop)
		if me := phone.Me(); me.Status != http.StatusOK {
			t.Errorf("the phone: %d %s", me.Status, me.Raw)
		}
		dao.MintToken()
	})
}

// Whatever ends a session here, the member sees it over there, once; and what the DAO half
// hears it does not tell back.
func TestI4_whoLeavesHereIsSeenToHaveLeft(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t testing.TB, s *testkit.Service, b *testkit.Browser, id string){
		"they sign out": func(t testing.TB, _ *testkit.Service, b *testkit.Browser, _ string) {
			t.Helper()
			wantGone(t, b.FOSPost("logout", nil))
		},
		"everywhere": func(t testing.TB, _ *testkit.Service, b *testkit.Browser, _ string) {
			t.Helper()
			wantGone(t, b.FOSPost("logout-all", nil))
		},
		"from the list": func(t testing.TB, s *testkit.Service, b *testkit.Browser, id string) {
			t.Helper()
			wantGone(t, endSession(b, s, id))
		},
		"for another program's reasons": func(t testing.TB, s *testkit.Service, _ *testkit.Browser, id string) {
			t.Helper()
			testkit.Exec(t, s.FOS, `UPDATE sessions SET ended_at = now(), ended_as = 'revoked' WHERE id = $1`, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachWay(t, func(t *testing.T, s *testkit.Service) {
				dao := s.SignIn(t, s.Member(t, "ada@example.org"))
				b, answer := arrives(t, s, dao)
				end(t, s, b, sessionID(answer))
				id := answer.Text("handoff_id")
				soon(t, "the news", func() bool {
					return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoffs WHERE handoff_id = $1 AND ended_as = 'target_ended' AND ended_at = $2`, id, s.Clock.Now()) == 1
				})
				if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM audit_log WHERE event = 'handoff.ended' AND reason = 'target_ended' AND handoff_id = $1
					AND actor_id = (SELECT member_id FROM handoffs) AND entry_product = 'think-tank' AND target_domain = $2`, id, testkit.Target); n != 1 {
					t.Errorf("%d rows record it", n)
				}
				if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`); n != 0 {
					t.Errorf("%d rows are to be told back", n)
				}
				soon(t, "the outbox", func() bool { return testkit.Count(t, s.FOS, `SELECT count(*) FROM handoff_endings`) == 0 })
			})
		})
	}
}

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
	tx, err := s.FOS.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback(context.Background()) })
	if err := session.HoldHandoff(t.Context(), tx, uuid.MustParse(id), session.Arrival{}); err != nil {
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
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantNoContent(t, <-done)
}

// A hundred at once, each of them once: known, unknown, named twice, ended before.
func TestAHundredHandoffsEndAtOnce(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	b, answer := arrives(t, s, dao)
	left, onLeft := arrives(t, s, dao)
	wantGone(t, left.FOSPost("logout", nil))
	ids := []string{answer.Text("handoff_id"), answer.Text("handoff_id"), onLeft.Text("handoff_id")}
	for len(ids) < leaving.MostAtOnce {
		ids = append(ids, uuid.NewString())
	}
	events := len(testkit.Events(t, s.FOS))
	for range 2 {
		wantNoContent(t, tellFOS(b, s.FOSURL, ids...))
	}
	if me := b.Me(); me.Code() != "session_revoked" {
		t.Errorf("%d %s", me.Status, me.Raw)
	}
	got := strings.Join(testkit.Events(t, s.FOS)[events:], "\n")
	if strings.Count(got, "session.ended success source_ended") != 1 || strings.Count(got, "handoff.ended success source_ended") != 97 {
		t.Errorf("recorded:\n%s", got)
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM sessions WHERE handoff_id = $1 AND ended_as = 'logout'`, onLeft.Text("handoff_id")); n != 1 {
		t.Error("what had ended before has another reason now")
	}
	wantProblem(t, tellFOS(b, s.FOSURL, append(ids, uuid.NewString())...), http.StatusBadRequest, "invalid_request")
}

// I3, I12, I4: switched off, without the service token, and without a record, nothing ends.
func TestI4_noEndWithoutTheServiceTokenOrARecord(t *testing.T) {
	t.Parallel()
	off := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN": ""}})
	wantProblem(t, tellFOS(off.Browser(t), off.FOSURL, uuid.NewString()), http.StatusServiceUnavailable, "exchange_disabled")

	s := testkit.Start(t, testkit.Options{})
	b, answer := arrives(t, s, s.SignIn(t, s.Member(t, "ada@example.org")))
	id := answer.Text("handoff_id")
	body := map[string]any{"handoff_ids": []string{id}}
	for _, wrong := range []testkit.Header{header("Authorization", "Bearer "+testkit.ServiceToken[1:]), header("Authorization", "Bearer "), header("X-Requested-With", "test")} {
		wantProblem(t, b.Post(s.FOSURL+leaving.EndPath, body, wrong), http.StatusUnauthorized, "invalid_service_token")
	}
	for name, audit := range auditBroken {
		testkit.Exec(t, s.FOS, audit[0])
		wantProblem(t, tellFOS(b, s.FOSURL, id), http.StatusServiceUnavailable, "dependency_unavailable")
		testkit.Exec(t, s.FOS, audit[1])
		if me := b.Me(); me.Status != http.StatusOK {
			t.Errorf("%s: %d %s", name, me.Status, me.Raw)
		}
	}
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM handoffs_ended`); n != 0 {
		t.Error("the hand-off is barred")
	}
	wantNoContent(t, tellFOS(b, s.FOSURL, id))
}

func wantNoContent(t testing.TB, answer testkit.Answer) {
	t.Helper()
	if answer.Status != http.StatusNoContent || answer.Raw != "" {
		t.Errorf("%d %s", answer.Status, answer.Raw)
	}
}

// While the FOS half cannot be reached, or hangs, people sign out all the same; it hears
// of it when it is back, also from a process that was not there when it happened.
func TestAnOutageOfTheFOSHalfDelaysTheNewsAndLosesNone(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*testkit.Link){"it is down": (*testkit.Link).Cut, "it hangs": (*testkit.Link).Freeze} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := testkit.Start(t, testkit.Options{OverHTTP: true})
			dao := s.SignIn(t, s.Member(t, "ada@example.org"))
			b, answer := arrives(t, s, dao)
			begin(s.ToFOS)
			leave(t, s, dao)
			soon(t, "the first failure", func() bool { return len(s.Log.Lines("cannot be told")) > 0 })
			soon(t, "a second try", func() bool { return testkit.Count(t, s.DAO, `SELECT attempts FROM handoff_endings`) > 1 })
			if me := b.Me(); me.Status != http.StatusOK {
				t.Errorf("in the outage: %d %s", me.Status, me.Raw)
			}
			s.ToFOS.Mend()
			mended := time.Now()
			signedOut(t, s, "after the outage", b, answer)
			t.Logf("signed out %v after the outage", time.Since(mended).Round(time.Millisecond))
			soon(t, "the outbox", func() bool { return testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`) == 0 })
			if n := len(s.Log.Lines("cannot be told")); n != 1 {
				t.Errorf("one outage is %d lines in the log", n)
			}
		})
	}
}

// The process that people signed out at is gone before it could tell anybody.
func TestTheNewsOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{OverHTTP: true})
	dao := s.SignIn(t, s.Member(t, "ada@example.org"))
	b, answer := arrives(t, s, dao)
	env := map[string]string{}
	for name, value := range s.Environ {
		env[name] = value
	}
	env["HANDOFF_HALVES"], env["FOUNDERYOS_API_URL"] = "dao", "http://"+s.ToFOS.Addr()
	s.ToFOS.Cut()
	first := s.Launch(t, env)
	leave(t, &testkit.Service{DAOURL: first.DAOURL}, dao)
	first.Leave(t)
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM handoff_endings`); n != 1 {
		t.Fatalf("%d rows wait", n)
	}
	s.ToFOS.Mend()
	s.Launch(t, env)
	signedOut(t, s, "from another process", b, answer)
}
