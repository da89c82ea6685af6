package app_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// heldPeer is a DAO half that has been asked, and answers when it is told to.
func heldPeer(t testing.TB) (url string, asked <-chan struct{}, answer func()) {
	t.Helper()
	came, release := make(chan struct{}, 1), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // then net/http notices when the client leaves
		came <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
		w.Header().Set("Content-Type", "application/json")
		now := time.Now().UnixMilli()
		_, _ = fmt.Fprintf(w, `{"user_id":"6f1f6b0a-5c35-4f0e-9d0f-1c1a3b5d7e90","email":"ada@example.org","display_name":null,`+
			`"ic_principal":null,"roles":[],"entry_product":"dao","target_domain":%q,"issued_at":%d,"expires_at":%d,"email_verified":true}`,
			testkit.Target, now, now+60_000)
	}))
	t.Cleanup(server.Close)
	return server.URL, came, func() { close(release) }
}

// arrival is one cross-domain login under way.
func arrival(t testing.TB, b *testkit.Browser, fosURL string) <-chan testkit.Answer {
	t.Helper()
	done := make(chan testkit.Answer, 1)
	go func() {
		answer, err := b.Try(context.Background(), http.MethodPost, fosURL+"/api/v1/auth/cross-domain-login",
			map[string]any{"token": strings.Repeat("0f", 32)}, testkit.Header{Name: "X-Requested-With", Value: "test"})
		if err != nil {
			t.Log(err)
		}
		done <- answer
	}()
	return done
}

// Leaving: unready first, while all is served; then no new connections; and who was
// being served is served to the end.
func TestAProcessLeavesInOrder(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	peer, asked, answer := heldPeer(t)
	a, err := build(t, s, map[string]string{"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": peer, "SHUTDOWN_DELAY": "300ms"})
	if err != nil {
		t.Fatal(err)
	}
	p, b, probe := run(t, a), s.Browser(t), s.Browser(t)
	done := arrival(t, b, p.fos)
	<-asked

	p.leave()
	until(t, probe, p.fos+"/health", func(answer testkit.Answer, _ error) bool {
		return answer.Status == http.StatusServiceUnavailable && answer.Text("status") == "draining"
	})
	if live := probe.Get(p.fos + "/health/live"); live.Status != http.StatusOK {
		t.Errorf("draining is not dying: %d", live.Status)
	}
	if me := probe.Get(p.fos + "/api/v1/auth/me"); me.Code() != "session_required" {
		t.Errorf("while draining: %d %s", me.Status, me.Raw)
	}
	until(t, probe, p.fos+"/health/live", func(_ testkit.Answer, err error) bool { return refused(err) })
	answer()
	if got := <-done; got.Status != http.StatusOK {
		t.Errorf("the arrival in flight: %d %s", got.Status, got.Raw)
	}
	if err := p.gone(t); err != nil {
		t.Error(err)
	}
}

// Whoever supervises the process has limited patience, and so has the process.
func TestARequestThatDoesNotEndDoesNotKeepTheProcess(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	peer, asked, _ := heldPeer(t)
	a, err := build(t, s, map[string]string{
		"HANDOFF_HALVES": "fos", "ORACLE_BRIDGE_URL": peer, "SHUTDOWN_DELAY": "0s", "SHUTDOWN_TIMEOUT": "1s",
	})
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, a)
	done := arrival(t, s.Browser(t), p.fos)
	<-asked
	p.leave()
	begun := time.Now()
	err = p.gone(t)
	if err == nil || !strings.Contains(err.Error(), "fos half had requests left") || time.Since(begun) > 3*time.Second {
		t.Errorf("left after %v: %v", time.Since(begun), err)
	}
	<-done
}

// What hangs does not hold a process that leaves, and takes no time from one another: pgx
// would wait 15 s for Postgres to acknowledge that a statement was cancelled, and a collector
// has 5 s for each message.
func TestWhatHangsDoesNotKeepTheProcess(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	collector, asked := hangingCollector(t)
	links, env := s.Links(t)
	env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector
	a, err := build(t, s, env)
	if err != nil {
		t.Fatal(err)
	}
	p, b := run(t, a), s.Browser(t)
	wantHealth(t, b, p.fos, http.StatusOK, checks("ready", "ok", "ok"))
	b.Get(p.fos + "/api/v1/auth/me")
	<-asked
	links.FOSPostgres.Freeze()
	links.DAOPostgres.Freeze()
	wantHealth(t, b, p.fos, http.StatusServiceUnavailable, checks("unavailable", "down", "ok"))
	p.leave()
	begun := time.Now()
	if err := p.gone(t); err != nil || time.Since(begun) > 6500*time.Millisecond { // 8 s, one after the other
		t.Errorf("left after %v: %v", time.Since(begun), err)
	}
}

// What an app starts ends with it. Not parallel: other tests' goroutines come and go.
func TestAProcessLeavesNothingRunning(t *testing.T) { //nolint:paralleltest // counts goroutines
	env := map[string]string{
		"ENVIRONMENT": "development", "DAO_ADDR": "127.0.0.1:0", "FOS_ADDR": "127.0.0.1:0", "METRICS_ADDR": "127.0.0.1:0",
		"DAO_DATABASE_URL": testkit.DatabaseURL(t, datastore.DAO).Reveal(), "DATABASE_URL": testkit.DatabaseURL(t, datastore.FOS).Reveal(),
		"REDIS_URL": testkit.RedisURL(t).Reveal(), "CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken, "JWT_SECRET_KEY": testkit.JWTKey,
		"HANDOFF_SEALING_KEYS": testkit.SealingKey, "AUDIT_PSEUDONYM_KEYS": testkit.PseudonymKey,
		"HANDOFF_TARGETS": testkit.Target + "=https://" + testkit.Target + "/cross-domain", "CROSS_DOMAIN_EXPECTED_TARGET": testkit.Target,
	}
	before := goleak.IgnoreCurrent()
	a, err := buildFrom(t, &testkit.Log{}, env)
	if err != nil {
		t.Fatal(err)
	}
	p := run(t, a)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, url := range []string{p.dao + "/health", p.fos + "/health"} {
		answer, err := client.Get(url) //nolint:noctx // ends with the process under test
		if err != nil {
			t.Fatal(err)
		}
		if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d, %v", url, answer.StatusCode, err)
		}
	}
	p.leave()
	if err := p.gone(t); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)

	a, err = buildFrom(t, &testkit.Log{}, env)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	goleak.VerifyNone(t, before)
}
