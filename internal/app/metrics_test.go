package app_test

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// What an operator is woken by. Each of these stands at 0 in a service that is well.
const (
	resurrected   = "handoff_tokens_resurrected_total"
	unresolvedDAO = `handoff_exchanges_unresolved_total{half="dao"}`
	unresolvedFOS = `handoff_exchanges_unresolved_total{half="fos"}`
	shed          = "handoff_requests_shed_total"
	uncheckedDAO  = `handoff_rate_limit_unchecked_total{half="dao"}`
	uncheckedFOS  = `handoff_rate_limit_unchecked_total{half="fos"}`
	evictedDAO    = `handoff_connections_evicted_total{half="dao"}`
	evictedFOS    = `handoff_connections_evicted_total{half="fos"}`
)

var alarms = []string{resurrected, unresolvedDAO, unresolvedFOS, shed, uncheckedDAO, uncheckedFOS, evictedDAO, evictedFOS}

// ownKey is of somebody who can ask again.
var ownKey = testkit.Header{Name: "Idempotency-Key", Value: "the-key-of-this-arrival"}

// measured is a process that tells its figures, on a listener of their own.
var measured = map[string]string{"METRICS_ENABLED": "true", "METRICS_ADDR": "127.0.0.1:0"}

// wantAlarms scrapes the process and demands that its alarms are these, and the others 0.
func wantAlarms(t testing.TB, s *testkit.Service, want map[string]string) {
	t.Helper()
	answer := s.Browser(t).Get("http://" + s.Started[0].Addr("metrics") + "/metrics")
	got, all := map[string]string{}, map[string]string{}
	for _, name := range alarms {
		all[name] = "0"
	}
	maps.Copy(all, want)
	for line := range strings.Lines(answer.Raw) {
		name, figure, _ := strings.Cut(strings.TrimSpace(line), " ")
		if _, isAlarm := all[name]; isAlarm {
			got[name] = figure
		}
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("/metrics, %d (-want +got):\n%s", answer.Status, diff)
	}
}

// wantCode demands how a request was refused.
func wantCode(t testing.TB, answer testkit.Answer, code string) {
	t.Helper()
	if answer.Code() != code {
		t.Errorf("%d %s, want %s", answer.Status, answer.Raw, code)
	}
}

// I1: a token is redeemed and Redis, which had lost the news, has it as it was. It opens
// nothing, and somebody must be told.
func TestTheMetricsTellOfATokenThatIsBack(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: measured})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	names := s.Redis.Keys(t.Context(), "dao:handoff:*").Val()
	if len(names) != 1 {
		t.Fatalf("Redis carries %d tokens", len(names))
	}
	claims := s.Redis.Get(t.Context(), names[0]).Val()
	if answer := ada.Exchange(token); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	untilRetired(t, s, names[0])
	wantCode(t, ada.Exchange(token), "token_used")
	wantAlarms(t, s, nil) // an ordinary replay is none

	if err := s.Redis.Set(t.Context(), names[0], claims, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(5 * time.Second)
	wantCode(t, ada.Exchange(token), "token_used")
	wantAlarms(t, s, map[string]string{resurrected: "1"})
}

// untilRetired waits for what is tidied behind the answer.
func untilRetired(t testing.TB, s *testkit.Service, name string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if s.Redis.PTTL(t.Context(), name).Val() <= 10*time.Second {
			return
		}
	}
	t.Fatal("a redeemed token stays in Redis")
}

// I8: nobody can say whether the statement took effect, and who has no key cannot ask.
func TestTheMetricsTellOfAnExchangeThatNobodyKnows(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: measured})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	withKey, without := ada.MintToken(), ada.MintToken()
	release := hold(t, s)
	wantCode(t, ada.Exchange(withKey, ownKey), "dependency_unavailable")
	wantAlarms(t, s, nil) // that one asks again
	wantCode(t, ada.Exchange(without), "dependency_unavailable")
	wantAlarms(t, s, map[string]string{unresolvedDAO: "1"})
	release()
}

// hold takes the locks of all rows of the ledger, so that every gate waits until
// release.
func hold(t testing.TB, s *testkit.Service) (release func()) {
	t.Helper()
	return testkit.Hold(t, s.DAO, `SELECT FROM handoffs FOR UPDATE`).Release
}

// I8: the token is redeemed, the FOS half's database is away, and the browser made no
// arrival key.
func TestTheMetricsTellOfAnArrivalThatIsLost(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	linked := s.Linked(t, measured)
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	withKey, without := ada.MintToken(), ada.MintToken()
	linked.FOSPostgres.Cut()
	wantCode(t, linked.Browser(t).Arrive(withKey, ownKey), "dependency_unavailable")
	wantAlarms(t, linked.Service, nil) // that one asks again
	wantCode(t, linked.Browser(t).Arrive(without), "dependency_unavailable")
	wantAlarms(t, linked.Service, map[string]string{unresolvedFOS: "1"})
}

// I13: those who are on their way have the places, and one more who begins is told to
// come back.
func TestTheMetricsTellOfWhoWasTurnedAway(t *testing.T) {
	t.Parallel()
	const places = 8 // of which half are for beginners, as long as they are free
	env := maps.Clone(measured)
	env["MAX_REQUESTS_IN_FLIGHT"] = strconv.Itoa(places)
	s := testkit.Start(t, testkit.Options{Env: env})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	token := ada.MintToken()
	release := hold(t, s)
	var arriving sync.WaitGroup
	for range places / 2 {
		b := s.Browser(t)
		arriving.Go(func() { b.Exchange(token, ownKey) })
	}
	for end := time.Now().Add(2 * time.Second); testkit.Waiting(t, s.DAO) < places/2 && time.Now().Before(end); {
	}
	wantAlarms(t, s, nil)
	answer := ada.Mint(nil)
	release()
	arriving.Wait()
	if wantCode(t, answer, "dependency_unavailable"); answer.Header.Get("Retry-After") != "1" {
		t.Errorf("come back after %q s", answer.Header.Get("Retry-After"))
	}
	wantAlarms(t, s, map[string]string{shed: "1"})
}

// I13: nobody can ask how often somebody has tried, and the try is let pass.
func TestTheMetricsTellOfWhatWasNotCounted(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	linked := s.Linked(t, measured)
	ada := linked.SignIn(t, s.Member(t, "ada@example.org"))
	linked.RedisLink.Cut()
	wantCode(t, ada.Mint(nil), "dependency_unavailable") // it is counted by Postgres
	wantAlarms(t, linked.Service, nil)
	wrong := testkit.Header{Name: "Authorization", Value: "Bearer wrong"}
	wantCode(t, ada.Post(linked.DAOURL+"/api/staging_token/exchange", map[string]any{"token": "x"}, wrong), "invalid_service_token")
	wantAlarms(t, linked.Service, map[string]string{uncheckedDAO: "1"})
	wantCode(t, ada.Arrive(strings.Repeat("0f", 32)), "dependency_unavailable")
	wantAlarms(t, linked.Service, map[string]string{uncheckedDAO: "1", uncheckedFOS: "1"})
}

// I13: one connection more than are held, and the one that was of no use for longest is
// closed.
func TestTheMetricsTellOfAConnectionThatWasInTheWay(t *testing.T) {
	t.Parallel()
	env := maps.Clone(measured)
	env["MAX_REQUESTS_IN_FLIGHT"], env["MAX_CONNECTIONS"] = "8", "9"
	s := testkit.Start(t, testkit.Options{Env: env})
	want := map[string]string{}
	for url, figure := range map[string]string{s.DAOURL: evictedDAO, s.FOSURL: evictedFOS} {
		var idle []net.Conn
		for range 10 {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			idle = append(idle, conn)
		}
		if err := idle[0].SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := idle[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the first connection: %v", err)
		}
		want[figure] = "1"
		wantAlarms(t, s, want)
	}
}

// Who signed out here is signed in over there, and nobody hears of it: how many, for how
// long, and that it has been tried.
func TestTheMetricsTellOfWhatCouldNotBeTold(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{OverHTTP: true, Env: measured})
	ada := s.SignIn(t, s.Member(t, "ada@example.org"))
	if answer := s.Browser(t).Arrive(ada.MintToken()); answer.Status != http.StatusOK {
		t.Fatalf("%d %s", answer.Status, answer.Raw)
	}
	s.ToFOS.Cut()
	ada.Post(s.DAOURL+"/api/auth/logout", nil, testkit.Header{Name: "X-CSRF-Token", Value: ada.CSRF})
	figure := func(name string) string {
		answer := s.Browser(t).Get("http://" + s.Started[0].Addr("metrics") + "/metrics")
		for line := range strings.Lines(answer.Raw) {
			if got, figure, _ := strings.Cut(strings.TrimSpace(line), " "); got == name {
				return figure
			}
		}
		return ""
	}
	for end := time.Now().Add(20 * time.Second); ; {
		if figure(`handoff_endings_waiting{half="dao"}`) == "1" && figure(`handoff_endings_oldest_seconds{half="dao"}`) > "0" && figure(`handoff_endings_failures_total{half="dao"}`) > "0" {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nobody would know")
		}
	}
}
