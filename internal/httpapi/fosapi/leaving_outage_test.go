package fosapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

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
