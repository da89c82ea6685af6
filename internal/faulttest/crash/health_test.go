//go:build faults

package crash_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// health is what one half says of itself: the status, and the body. It must say one or
// the other, in time, whatever is away.
func health(t *testing.T, url string) (status int, said string, took time.Duration) {
	t.Helper()
	begun := time.Now()
	status, said = get(t, url)
	took = time.Since(begun)
	if (status != http.StatusOK && status != http.StatusServiceUnavailable) || took > healthy+busy {
		t.Errorf("I13: %s says %d %s after %v", url, status, said, took.Round(time.Millisecond))
	}
	return status, said, took
}

// get returns 0 if there is no answer.
func get(t *testing.T, url string) (status int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), faulttest.Patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(text)
}

func isReady(t *testing.T, server *faulttest.Server) bool {
	t.Helper()
	for _, url := range []string{server.DAOURL, server.FOSURL} {
		if url == "" {
			continue
		}
		if status, _, _ := health(t, url+"/health"); status != http.StatusOK {
			return false
		}
	}
	return true
}

// wantUnready waits until both halves say what is down, and returns how long the
// slowest answer took; liveness does not care.
func wantUnready(t *testing.T, server *faulttest.Server, f fault) time.Duration {
	t.Helper()
	var slowest time.Duration
	for url, down := range map[string]string{server.DAOURL: f.dao, server.FOSURL: f.fos} {
		if url == "" {
			continue
		}
		wanted, said := http.StatusOK, ""
		if down != "" {
			wanted, said = http.StatusServiceUnavailable, `"`+down+`":"down"`
		}
		until(t, answered, "readiness that says "+down, func() bool {
			status, text, took := health(t, url+"/health")
			slowest = max(slowest, took)
			return status == wanted && strings.Contains(text, said)
		})
		if status, text, _ := health(t, url+"/health/live"); status != http.StatusOK {
			t.Errorf("liveness while %s is down: %d %s", down, status, text)
		}
	}
	return slowest
}

// feel asks both halves how they are, again and again until it is over, and returns how
// long the slowest answer took.
func feel(t *testing.T, server *faulttest.Server, over <-chan struct{}) time.Duration {
	t.Helper()
	var slowest time.Duration
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return slowest
		case <-tick.C:
		}
		for _, url := range []string{server.DAOURL, server.FOSURL} {
			_, _, took := health(t, url+"/health")
			slowest = max(slowest, took)
		}
	}
}
