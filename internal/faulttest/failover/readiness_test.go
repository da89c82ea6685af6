//go:build faults

package failover_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// readiness is what a half says at /health: its status and its body.
func (s *service) readiness(ctx context.Context, url string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", http.NoBody)
	if err != nil {
		return 0, err.Error()
	}
	response, err := s.http.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

// isReady reports whether all halves are ready.
func (s *service) isReady(ctx context.Context) bool {
	return s.all(ctx, func(status int, _ string) bool { return status == http.StatusOK })
}

// allSayRedisIsDown reports whether all halves are unready, and say why.
func (s *service) allSayRedisIsDown(ctx context.Context) bool { return s.all(ctx, saysRedisIsDown) }

func saysRedisIsDown(status int, body string) bool {
	return status == http.StatusServiceUnavailable && strings.Contains(body, `"redis":"down"`)
}

func (s *service) all(ctx context.Context, is func(status int, body string) bool) bool {
	var asking sync.WaitGroup
	var no atomic.Bool
	for _, replica := range s.replicas {
		for _, url := range []string{replica.DAOURL, replica.FOSURL} {
			asking.Go(func() {
				if !is(s.readiness(ctx, url)) {
					no.Store(true)
				}
			})
		}
	}
	asking.Wait()
	return !no.Load()
}

func (s *service) awaitReady(t *testing.T) {
	t.Helper()
	faulttest.Await(t, func() bool { return s.isReady(t.Context()) }, func() string { return "not ready" })
}

// probe is one question for one half's readiness.
type probe struct {
	half         string
	begun, ended time.Time
	isReady      bool
	saysRedis    bool // is down
}

// watch is an outage that is looked at: Redis is away since then, and every half is
// asked all the time whether it is ready.
type watch struct {
	since  time.Time
	until  time.Time // when it was known to end, if it was
	stop   context.CancelFunc
	asking sync.WaitGroup
	mu     sync.Mutex
	probes []probe
}

// watchOutage begins to look. Redis is away now.
func (s *service) watchOutage(t *testing.T) *watch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watch{since: time.Now(), stop: cancel}
	t.Cleanup(cancel)
	for _, replica := range s.replicas {
		for _, url := range []string{replica.DAOURL, replica.FOSURL} {
			w.asking.Go(func() { w.ask(ctx, s, url) })
		}
	}
	return w
}

func (w *watch) ask(ctx context.Context, s *service, half string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		begun := time.Now()
		status, body := s.readiness(context.WithoutCancel(ctx), half)
		w.mu.Lock()
		w.probes = append(w.probes, probe{half, begun, time.Now(), status == http.StatusOK, saysRedisIsDown(status, body)})
		w.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// end stops looking, before Redis is started again: it is there at once, and the test
// knows it later.
func (w *watch) end() {
	w.stop()
	w.asking.Wait()
	w.until = time.Now()
}

const (
	// probeTime bounds a question for readiness (protocol, section 2).
	probeTime = time.Second
	// switching is how long before the test knows of the new primary the service may.
	switching = 500 * time.Millisecond
	// stopping is how long a server that was told to stop may go on.
	stopping = 100 * time.Millisecond
)

// judge asks, after the outage, whether readiness was right in it: where it was longer
// than a probe takes, every half said that Redis was down, and none that it was ready.
// It reports whether all said so.
func (w *watch) judge(t *testing.T, back time.Time) bool {
	t.Helper()
	w.stop()
	w.asking.Wait()
	if w.until.IsZero() {
		w.until = back.Add(-switching)
	}
	said, lied := map[string]bool{}, map[string]bool{}
	for _, p := range w.probes {
		said[p.half] = said[p.half] || p.saysRedis
		if p.isReady && !lied[p.half] && p.begun.After(w.since.Add(stopping)) && p.ended.Before(w.until) {
			lied[p.half] = true
			t.Errorf("a half is ready %v after redis went away, %v before it was back", p.ended.Sub(w.since), w.until.Sub(p.ended))
		}
		if took := p.ended.Sub(p.begun); took > answerTime+busyForAnswer {
			t.Errorf("I13: an answer about readiness took %v", took)
		}
	}
	all := true
	for half, it := range said {
		all = all && it
		if away := w.until.Sub(w.since); !it && away > probeTime {
			t.Errorf("%s did not say that redis was down, which it was for %v", half, away)
		}
	}
	return all
}
