package fosapi_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// I4: who came in, and how, is in the log exactly once, under the journey's id and
// the request's.
func TestI4_everyArrivalIsRecordedOnce(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		s.User(t, "known@example.org")
		s.User(t, "unproven@example.org", func(u *user.User) { u.EmailVerified = false })
		for email, events := range map[string][]string{
			"new@example.org":      {"user.created success", "session.created success handoff"},
			"known@example.org":    {"user.linked success", "session.created success handoff"},
			"unproven@example.org": {"user.reclaimed success", "session.created success handoff"},
		} {
			b := s.SignIn(t, s.Member(t, email))
			minted := b.Mint(map[string]any{"entry_product": "dao"})
			answer := arrived(t, b.Arrive(minted.Text("token")))
			if diff := cmp.Diff(events, eventsOf(t, s, minted.Text("handoff_id"))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", email, diff)
			}
			n := testkit.Count(t, s.FOS, `
				SELECT count(*) FROM audit_log
				WHERE handoff_id = $1 AND actor_id = $2 AND at = $3 AND entry_product = 'dao' AND target_domain = $4
				  AND request_id = $5 AND origin ~ '^[0-9a-f]{32}$' AND origin_key = $6`,
				minted.Text("handoff_id"), userID(answer), s.Clock.Now(), testkit.Target,
				answer.Header.Get("X-Request-ID"), testkit.Key(t, testkit.PseudonymKey).KeyID())
			if n != 2 {
				t.Errorf("%s: %d rows are complete", email, n)
			}
		}
		second := s.SignIn(t, s.Member(t, "known@example.org"))
		minted := second.Mint(nil)
		arrived(t, second.Arrive(minted.Text("token")))
		want := []string{"session.created success handoff"}
		if diff := cmp.Diff(want, eventsOf(t, s, minted.Text("handoff_id"))); diff != "" {
			t.Errorf("who is linked already (-want +got):\n%s", diff)
		}
	})
}

// eventsOf are the FOS half's audit rows of one journey.
func eventsOf(t testing.TB, s *testkit.Service, handoffID string) []string {
	t.Helper()
	all := testkit.Events(t, s.FOS)
	n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE handoff_id = $1`, handoffID)
	return all[len(all)-n:]
}

// auditBroken makes the audit log of the FOS half unwritable until mended: the disk
// is full, rights were taken away, the table is gone.
var auditBroken = map[string][2]string{
	"disk full": {
		`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = 'disk_full'; END $$;
		 CREATE TRIGGER broken BEFORE INSERT ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION full_disk()`,
		`DROP TRIGGER broken ON audit_log`,
	},
	"no right": {
		`CREATE FUNCTION no_right() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'denied' USING ERRCODE = 'insufficient_privilege'; END $$;
		 CREATE TRIGGER broken BEFORE INSERT ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION no_right()`,
		`DROP TRIGGER broken ON audit_log`,
	},
	"no table": {`ALTER TABLE audit_log RENAME TO audit_log_away`, `ALTER TABLE audit_log_away RENAME TO audit_log`},
}

// I4: no row, no credential, and nothing else either. The exchange has taken place,
// so that it is the same browser that gets in once the log can be written again.
func TestI4_anArrivalThatCannotBeRecordedIsNone(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, s *testkit.Service) {
		ada := s.SignIn(t, s.Member(t, "ada@example.org"))
		for name, audit := range auditBroken {
			minted := ada.Mint(nil)
			before := testkit.Dump(t, s.FOS, "audit_log", "audit_log_away")
			testkit.Exec(t, s.FOS, audit[0])
			answer := ada.Arrive(minted.Text("token"), key(firstKey))
			wantProblem(t, answer, http.StatusServiceUnavailable, "dependency_unavailable")
			if answer.Text("handoff_id") != minted.Text("handoff_id") || answer.Text("stage") != "login" {
				t.Errorf("%s: %s", name, answer.Raw)
			}
			if diff := cmp.Diff(before, testkit.Dump(t, s.FOS, "audit_log", "audit_log_away")); diff != "" {
				t.Errorf("%s left something:\n%s", name, diff)
			}
			testkit.Exec(t, s.FOS, audit[1])
			arrived(t, ada.Arrive(minted.Text("token"), key(firstKey)))
			if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.created' AND handoff_id = $1`,
				minted.Text("handoff_id")); n != 1 {
				t.Errorf("%s: %d rows record the session", name, n)
			}
		}
	})
}

// A refusal too is told only once it is recorded: else somebody could try without
// leaving a trace.
func TestI4_aRefusalThatCannotBeRecordedIsAnOutage(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	s.User(t, "founder@example.org", func(u *user.User) { u.Role = user.Founder })
	usurper := s.SignIn(t, s.Member(t, "founder@example.org"))
	spent := ada.MintToken()
	arrived(t, ada.Arrive(spent))
	for name, audit := range auditBroken {
		conflict := usurper.MintToken()
		testkit.Exec(t, s.FOS, audit[0])
		for _, token := range []string{spent, conflict} {
			wantProblem(t, ada.Arrive(token), http.StatusServiceUnavailable, "dependency_unavailable")
		}
		testkit.Exec(t, s.FOS, audit[1])
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

func TestI4_leavingThatCannotBeRecordedIsNoLeaving(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	arrived(t, ada.Arrive(ada.MintToken()))
	for name, audit := range auditBroken {
		testkit.Exec(t, s.FOS, audit[0])
		leaving := ada.Post(s.FOSURL+"/api/v1/auth/logout", nil, header("X-Requested-With", "test"))
		wantProblem(t, leaving, http.StatusServiceUnavailable, "dependency_unavailable")
		if me := ada.Me(); me.Status != http.StatusOK {
			t.Errorf("%s: the session ended unrecorded: %d %s", name, me.Status, me.Raw)
		}
		testkit.Exec(t, s.FOS, audit[1])
	}
}

// I6: where a browser is, the log keeps as a pseudonym only.
func TestI6_theOriginIsAPseudonymOfTheClientBehindATrustedProxy(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"TRUSTED_PROXIES": "127.0.0.1"}})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	arrived(t, ada.Arrive(ada.MintToken(), header("X-Forwarded-For", "198.51.100.9, 203.0.113.77")))
	want := privacy.NewPseudonymizer(testkit.Key(t, testkit.PseudonymKey)).Of(address(t, "203.0.113.77"), s.Clock.Now())
	if n := testkit.Count(t, s.FOS, `SELECT count(*) FROM audit_log WHERE event = 'session.created' AND origin = $1 AND origin_key = $2`,
		want.Value, want.KeyID); n != 1 {
		t.Errorf("%d rows", n)
	}
}
