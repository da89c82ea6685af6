package app_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

const rowsTotal = "handoff_audit_rows_total"

// recorded are the rows of the service's own in both audit logs, as their counters are to
// be.
func recorded(t testing.TB, s *testkit.Service) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for half, db := range map[string]*pgxpool.Pool{"dao": s.DAO, "fos": s.FOS} {
		rows, err := db.Query(context.Background(), `SELECT event, outcome, COALESCE(reason, ''), count(*) FROM audit_log
			WHERE event <> 'account.seeded' AND request_id IS DISTINCT FROM 'testkit' GROUP BY 1, 2, 3`)
		if err != nil {
			t.Fatal(err)
		}
		var event, outcome, reason string
		var n float64
		if _, err := pgx.ForEachRow(rows, []any{&event, &outcome, &reason, &n}, func() error {
			all[fmt.Sprintf(`%s{event=%q,half=%q,outcome=%q,reason=%q}`, rowsTotal, event, half, outcome, reason)] = n
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// withPassword gives a member testkit.Password.
func withPassword(t testing.TB) func(*member.Account) {
	t.Helper()
	return func(a *member.Account) { a.PasswordHash = privacy.NewSecret(testkit.PasswordHash()) }
}

// csrf is the browser's header for the DAO half.
func csrf(b *testkit.Browser) testkit.Header {
	return testkit.Header{Name: "X-CSRF-Token", Value: b.CSRF}
}

func daoLogin(s *testkit.Service, b *testkit.Browser, email, plain string) testkit.Answer {
	return testkit.Judged(func() testkit.Answer {
		return b.Post(s.DAOURL+"/api/auth/login", map[string]any{"email": email, "password": plain})
	})
}

// onTheDAOHalf does everything there that leaves a row.
func onTheDAOHalf(t testing.TB, s *testkit.Service) {
	t.Helper()
	s.Member(t, "ada@example.org", withPassword(t))
	ada, peer := s.Browser(t), s.Browser(t)
	daoLogin(s, ada, "ada@example.org", "wrong")
	daoLogin(s, ada, "ada@example.org", testkit.Password)
	ada.FetchCSRF()
	unproven := s.SignIn(t, s.Member(t, "unproven@example.org", func(a *member.Account) { a.EmailVerified = false }))
	wantCode(t, unproven.Mint(nil), "email_unverified")
	s.Clock.Advance(time.Minute)
	wantCode(t, ada.Mint(map[string]any{"max_age": 1}), "login_required")
	first, late, misdirected := ada.MintToken(), ada.MintToken(), ada.MintToken()
	peer.Exchange(first)
	wantCode(t, peer.Exchange(first), "token_used")
	wantCode(t, peer.Exchange(strings.Repeat("0f", 32)), "token_unknown")
	wantCode(t, peer.Post(s.DAOURL+"/api/staging_token/exchange", map[string]any{"token": misdirected, "target_domain": testkit.OtherTarget},
		bearer(testkit.ServiceToken)), "token_wrong_target")
	s.Clock.Advance(time.Minute + time.Second)
	wantCode(t, peer.Exchange(late), "token_expired")
	old := ada.Cookie(s.DAOURL, "dao_session")
	ada.Post(s.DAOURL+"/api/auth/refresh", nil, csrf(ada))
	tab := testkit.Header{Name: "Cookie", Value: "dao_session=" + old + "; csrf_token=" + ada.CSRF}
	if answer := peer.Post(s.DAOURL+"/api/auth/refresh", nil, csrf(ada), tab); answer.Status != http.StatusOK {
		t.Errorf("converge: %d %s", answer.Status, answer.Raw)
	}
	left := ada.Mint(nil).Text("handoff_id")
	ada.Do(http.MethodDelete, s.DAOURL+"/api/auth/handoffs/"+left, nil, csrf(ada))
	ada.Post(s.DAOURL+"/api/auth/logout", nil, csrf(ada))
}

// visit is a person who comes from the DAO half.
type visit struct {
	dao, b *testkit.Browser
	token  string
}

// enters is asked, and says yes; it returns the session's id.
func (v visit) enters(t testing.TB) string {
	t.Helper()
	asked := v.b.Arrive(v.token, testkit.Header{Name: "Idempotency-Key", Value: "the-key-of-the-first-one"})
	in := v.b.FOSPost("cross-domain/confirm", map[string]any{"handoff_id": asked.Text("handoff_id")})
	session, _ := in.Body["session"].(map[string]any)
	id, _ := session["id"].(string)
	if in.Status != http.StatusOK || id == "" {
		t.Fatalf("not in: %d %s, asked %s", in.Status, in.Raw, asked.Raw)
	}
	return id
}

// afterwards is how it goes on with each.
var afterwards = map[string]func(t testing.TB, s *testkit.Service, v visit){
	"declines@example.org": func(_ testing.TB, _ *testkit.Service, v visit) {
		v.b.FOSPost("cross-domain/decline", map[string]any{"handoff_id": v.b.Arrive(v.token).Text("handoff_id")})
	},
	"linked@example.org": func(t testing.TB, s *testkit.Service, v visit) {
		v.enters(t)
		v.dao.Post(s.DAOURL+"/api/auth/logout", nil, csrf(v.dao)) // and out here, too
	},
	"reclaimed@example.org": func(t testing.TB, s *testkit.Service, v visit) {
		v.enters(t)
		wantCode(t, s.Browser(t).Arrive(v.token, ownKey), "handoff_invalid") // somebody else, in time: the session ends
	},
	"leaves@example.org": func(t testing.TB, _ *testkit.Service, v visit) {
		v.enters(t)
		v.b.FOSPost("logout", nil)
	},
	"leaves-all@example.org": func(t testing.TB, _ *testkit.Service, v visit) {
		v.enters(t)
		v.b.FOSPost("logout-all", nil)
	},
	"ends@example.org": func(t testing.TB, s *testkit.Service, v visit) {
		v.b.Do(http.MethodDelete, s.FOSURL+"/api/v1/auth/sessions/"+v.enters(t), nil, testkit.Header{Name: "X-Requested-With", Value: "test"})
	},
	"again@example.org": func(t testing.TB, s *testkit.Service, v visit) {
		v.enters(t)
		// In the same browser, as the same person, who need not be asked; and there are as
		// many sessions by then as are kept.
		testkit.Exec(t, s.FOS, `INSERT INTO sessions (id, user_id, origin, generation, elevated, auth_time, amr, created_at, last_used_at, expires_at)
			SELECT gen_random_uuid(), s.user_id, 'password', 1, true, s.auth_time, s.amr, s.created_at, s.last_used_at - interval '1 hour', s.expires_at
			FROM sessions s JOIN users u ON u.id = s.user_id, generate_series(1, 510) WHERE u.email = 'again@example.org'`)
		if again := v.b.Arrive(v.dao.MintToken()); again.Status != http.StatusOK {
			t.Errorf("again: %d %s", again.Status, again.Raw)
		}
	},
}

// onTheFOSHalf does everything there that leaves a row.
func onTheFOSHalf(t testing.TB, s *testkit.Service) {
	t.Helper()
	s.UserWithPassword(t, "founder@example.org", func(u *user.User) { u.Role = user.Founder })
	s.User(t, "linked@example.org")
	s.User(t, "reclaimed@example.org", func(u *user.User) { u.EmailVerified = false })
	founder := s.Browser(t)
	testkit.Judged(func() testkit.Answer { return founder.FOSLogin("founder@example.org", "wrong") })
	testkit.Judged(func() testkit.Answer { return founder.FOSLogin("founder@example.org", testkit.Password) })
	wantCode(t, s.Browser(t).Arrive(s.SignIn(t, s.Member(t, "founder@example.org")).MintToken()), "identity_conflict")
	for email, goOn := range afterwards {
		dao, b := s.SignIn(t, s.Member(t, email)), s.Browser(t)
		goOn(t, s, visit{dao: dao, b: b, token: dao.MintToken()})
		s.Clock.Advance(time.Minute)
	}
	for _, plain := range []string{"wrong", testkit.Password} {
		testkit.Judged(func() testkit.Answer { return founder.FOSPost("step-up", map[string]any{"password": plain}) })
	}
	refreshes(t, s, founder)
	founder.FOSPost("logout", nil) // of a session that has ended: no row
}

// refreshes rotates, converges, and shows a copy, which ends the session.
func refreshes(t testing.TB, s *testkit.Service, b *testkit.Browser) {
	t.Helper()
	tokens := func() (access, refresh string) {
		return b.Cookie(s.FOSURL, "access_token"), b.Cookie(s.FOSURL+"/api/v1/auth", "refresh_token")
	}
	access, first := tokens()
	show := func(refresh string) testkit.Answer {
		return s.Browser(t).FOSPost("refresh", nil, testkit.Header{Name: "Cookie", Value: "access_token=" + access + "; refresh_token=" + refresh})
	}
	b.FOSPost("refresh", nil)
	if answer := show(first); answer.Status != http.StatusOK {
		t.Errorf("converge: %d %s", answer.Status, answer.Raw)
	}
	s.Clock.Advance(time.Minute)
	if answer := show(first); answer.Status != http.StatusOK {
		t.Errorf("converge late: %d %s", answer.Status, answer.Raw)
	}
	b.FOSPost("refresh", nil)
	wantCode(t, show(first), "session_revoked")
}

// I4, for whoever watches and cannot read the log: each row that is committed is counted
// once, in the log's own words, and nothing else is. Whoever adds an event meets this.
func TestI4_theCountersSayWhatTheAuditLogSays(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: measuredWith(map[string]string{"HANDOFF_UNBOUND": "confirm"})})
	onTheDAOHalf(t, s)
	onTheFOSHalf(t, s)
	eventually(t, func() string { return cmp.Diff(recorded(t, s), changed(nil, scraped(t, s), rowsTotal)) })
	told := []string{}
	for name := range recorded(t, s) {
		told = append(told, strings.NewReplacer(rowsTotal, "", `{event="`, "", `",half="`, " ", `",outcome="success`, "", `",outcome="failure`, "", `",reason="`, " ", `"}`, "").Replace(name))
	}
	slices.Sort(told)
	if diff := cmp.Diff(kinds, told); diff != "" {
		t.Errorf("kinds of rows (-want +got):\n%s", diff)
	}
}

// kinds are what the story leaves: event, half, reason.
var kinds = []string{
	"handoff.declined fos ", "handoff.ended dao ended_by_user", "handoff.ended dao target_ended", "handoff.ended fos source_ended",
	"handoff.exchanged dao ", "handoff.minted dao ", "handoff.pending fos ",
	"handoff.refused dao email_unverified", "handoff.refused dao sign_in_too_old", "handoff.refused dao token_expired",
	"handoff.refused dao token_unknown", "handoff.refused dao token_wrong_target", "handoff.refused fos identity_conflict",
	"handoff.replayed dao token_used", "handoff.replayed fos token_used",
	"login.failed dao invalid_credentials", "login.failed fos invalid_credentials",
	"session.created dao password", "session.created fos handoff", "session.created fos password", "session.elevated fos password",
	"session.ended dao logout", "session.ended fos displaced", "session.ended fos ended_by_user", "session.ended fos logout",
	"session.ended fos logout_all", "session.ended fos replaced", "session.ended fos replayed", "session.ended fos source_ended",
	"session.refreshed dao converged", "session.refreshed dao rotated",
	"session.refreshed fos converged", "session.refreshed fos converged_late", "session.refreshed fos rotated",
	"session.reuse_detected fos ", "step_up.failed fos invalid_credentials",
	"user.created fos ", "user.linked fos ", "user.reclaimed fos ",
}
