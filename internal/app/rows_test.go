package app_test

import (
	"context"
	"fmt"
	"net/http"
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

// patiently asks again while a machine that has much to do takes longer to hash than a
// request may.
func patiently(ask func() testkit.Answer) testkit.Answer {
	answer := ask()
	for range 20 {
		if answer.Code() != "dependency_unavailable" {
			break
		}
		answer = ask()
	}
	return answer
}

func daoLogin(s *testkit.Service, b *testkit.Browser, email, plain string) testkit.Answer {
	return patiently(func() testkit.Answer {
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

// onTheFOSHalf does everything there that leaves a row.
func onTheFOSHalf(t testing.TB, s *testkit.Service) {
	t.Helper()
	s.UserWithPassword(t, "founder@example.org", func(u *user.User) { u.Role = user.Founder })
	s.User(t, "linked@example.org")
	s.User(t, "reclaimed@example.org", func(u *user.User) { u.EmailVerified = false })
	founder := s.Browser(t)
	patiently(func() testkit.Answer { return founder.FOSLogin("founder@example.org", "wrong") })
	patiently(func() testkit.Answer { return founder.FOSLogin("founder@example.org", testkit.Password) })
	wantCode(t, s.Browser(t).Arrive(s.SignIn(t, s.Member(t, "founder@example.org")).MintToken()), "identity_conflict")
	for _, email := range []string{"linked@example.org", "reclaimed@example.org", "new@example.org"} {
		dao, b := s.SignIn(t, s.Member(t, email)), s.Browser(t)
		token := dao.MintToken()
		question := b.Arrive(token)
		if email == "new@example.org" {
			b.FOSPost("cross-domain/decline", map[string]any{"handoff_id": question.Text("handoff_id")})
			continue
		}
		if in := b.FOSPost("cross-domain/confirm", map[string]any{"handoff_id": question.Text("handoff_id")}); in.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", email, in.Status, in.Raw)
		}
		wantCode(t, s.Browser(t).Arrive(token, ownKey), "handoff_invalid") // somebody else, in time: the session ends
		s.Clock.Advance(time.Minute)
		dao.Post(s.DAOURL+"/api/auth/logout", nil, csrf(dao))
	}
	for _, plain := range []string{"wrong", testkit.Password} {
		patiently(func() testkit.Answer { return founder.FOSPost("step-up", map[string]any{"password": plain}) })
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
	if n := len(recorded(t, s)); n < 30 {
		t.Errorf("%d kinds of rows: the story does not tell of all: %v", n, recorded(t, s))
	}
}
