package app_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// build makes, and does not run, one more process on the service's stores.
func build(t testing.TB, s *testkit.Service, env map[string]string) (*app.App, error) {
	t.Helper()
	all := maps.Clone(s.Environ)
	maps.Copy(all, env)
	return buildFrom(t, s.Log, all)
}

func buildFrom(t testing.TB, log *testkit.Log, env map[string]string) (*app.App, error) {
	t.Helper()
	environ := []string{}
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	c, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	return app.New(t.Context(), c, app.Options{Version: "1.2.3", Log: slog.New(slog.NewJSONHandler(log, nil))})
}

// process is a running app that the test tells to leave.
type process struct {
	dao, fos string // URLs, "" where a half is not part of it
	leave    context.CancelFunc
	ended    chan error
}

func run(t testing.TB, a *app.App) *process {
	t.Helper()
	p := &process{ended: make(chan error, 1)}
	for half, url := range map[string]*string{"dao": &p.dao, "fos": &p.fos} {
		if addr := a.Addr(half); addr != "" {
			*url = "http://" + addr
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.leave = cancel
	go func() { p.ended <- a.Run(ctx) }()
	t.Cleanup(cancel)
	return p
}

// gone waits until the process has left and returns what it said.
func (p *process) gone(t testing.TB) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("the process did not leave")
		return nil
	}
}

// until asks url again and again until done says so, for five seconds.
func until(t testing.TB, b *testkit.Browser, url string, done func(testkit.Answer, error) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	var answer testkit.Answer
	var err error
	for ctx.Err() == nil {
		if answer, err = b.Try(ctx, http.MethodGet, url, nil); done(answer, err) {
			return
		}
	}
	t.Fatalf("%s: in the end %d %s, %v", url, answer.Status, answer.Raw, err)
}

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// wantHealth demands an answer of /health within the time that it promises.
func wantHealth(t testing.TB, b *testkit.Browser, url string, status int, body map[string]any) {
	t.Helper()
	begun := time.Now()
	answer := b.Get(url + "/health")
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("/health took %v", took)
	}
	got, _ := answer.Body["checks"].(map[string]any)
	want, _ := body["checks"].(map[string]any)
	if answer.Status != status || answer.Body["status"] != body["status"] || !maps.Equal(got, want) {
		t.Errorf("/health: %d %s, want %d %v", answer.Status, answer.Raw, status, body)
	}
	if live := b.Get(url + "/health/live"); live.Status != http.StatusOK || live.Text("status") != "alive" {
		t.Errorf("/health/live: %d %s", live.Status, live.Raw)
	}
}

// checks is a body of /health.
func checks(status, postgres, redis string) map[string]any {
	return map[string]any{"status": status, "checks": map[string]any{"postgres": postgres, "redis": redis}}
}

func wantNoSecret(t testing.TB, text string, env map[string]string) {
	t.Helper()
	for name, value := range env {
		if strings.Contains(name, "DATABASE_URL") && strings.Contains(text, value) {
			t.Errorf("%s is in %q", name, text)
		}
	}
}
