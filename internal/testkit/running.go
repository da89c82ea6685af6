package testkit

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/app"
	"github.com/hello-world-co-op/handoff/internal/config"
)

// Running is one process that a test may stop before it ends itself.
type Running struct {
	DAOURL, FOSURL, AuthzURL string // "" where the listener is no part of it
	stop                     context.CancelFunc
	ended                    chan error
	at                       hosts
}

// Launch runs one more process on the service's clock and log. environ is all of its
// environment.
func (s *Service) Launch(t testing.TB, environ map[string]string) *Running {
	t.Helper()
	list := make([]string, 0, len(environ))
	for name, value := range environ {
		list = append(list, name+"="+value)
	}
	c, err := config.Load(list)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewJSONHandler(s.Log, nil))
	a, err := app.New(context.Background(), c, app.Options{
		Version: "test", Now: s.Clock.Now, Log: log,
		LimiterTimeout: time.Second, // a busy machine is no outage
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &Running{ended: make(chan error, 1)}
	// Asked for before Run, which forgets its listeners when it leaves.
	for half, url := range map[string]*string{"dao": &r.DAOURL, "fos": &r.FOSURL, "authz": &r.AuthzURL} {
		if addr := a.Addr(half); addr != "" {
			*url = "http://" + addr
		}
	}
	r.at = listens(map[string]string{"dao": r.DAOURL, "fos": r.FOSURL, unpublished: r.AuthzURL})
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- a.Run(ctx) }()
	t.Cleanup(func() { r.Leave(t) })
	return r
}

// Leave tells the process to leave, as SIGTERM does, and waits until it has. To
// leave again is nothing.
func (r *Running) Leave(t testing.TB) {
	t.Helper()
	if r.ended == nil {
		return
	}
	r.at.forget()
	r.stop()
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("the process did not leave in order: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the process did not leave")
	}
	r.ended = nil
}

// Plant is SetCookie with every attribute of c, as an answer would set it.
func (b *Browser) Plant(url string, c *http.Cookie) {
	b.client.Jar.SetCookies(mustParse(url), []*http.Cookie{c})
}
