//go:build faults

package crowd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// front is the address of one half before its replicas: every request goes to the
// next replica that says it is ready. None is sent twice; one that was not sent,
// because the connection was refused, goes to another. It is safe for concurrent use.
type front struct {
	*httptest.Server
	transport *http.Transport
	refused   atomic.Int64 // connections

	mu       sync.Mutex
	replicas []*replica
	next     int
}

type replica struct {
	url   string
	ready atomic.Bool
	calls atomic.Int64
	stop  context.CancelFunc
}

// look is how often a replica is asked whether it is ready.
const look = 50 * time.Millisecond

func newFront(t testing.TB) *front {
	t.Helper()
	f := &front{transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.Close()
		f.transport.CloseIdleConnections()
	})
	return f
}

// put adds a replica and looks after it until it is taken away.
func (f *front) put(t testing.TB, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	added := &replica{url: url, stop: cancel}
	t.Cleanup(cancel)
	f.mu.Lock()
	f.replicas = append(f.replicas, added)
	f.mu.Unlock()
	first := make(chan struct{})
	go f.watch(ctx, added, first)
	select {
	case <-first:
	case <-time.After(10 * time.Second):
		t.Fatalf("the replica at %s does not become ready", url)
	}
}

// watch asks the replica all the time whether it is ready, and closes first when it
// is for the first time.
func (f *front) watch(ctx context.Context, of *replica, first chan<- struct{}) {
	client := &http.Client{Timeout: time.Second, Transport: f.transport}
	tick := time.NewTicker(look)
	defer tick.Stop()
	for begun := true; ctx.Err() == nil; {
		ready := isReady(ctx, client, of.url)
		of.ready.Store(ready)
		if ready && begun {
			close(first)
			begun = false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

func isReady(ctx context.Context, client *http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/health", http.NoBody)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, response.Body)
	return errors.Join(err, response.Body.Close()) == nil && response.StatusCode == http.StatusOK
}

// remove forgets a replica. It has been taken out before, by its own word, or it is
// late.
func (f *front) remove(url string) (calls int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.replicas, func(r *replica) bool { return r.url == url })
	gone := f.replicas[at]
	gone.stop()
	f.replicas = slices.Delete(f.replicas, at, at+1)
	return gone.calls.Load()
}

// turns are the replicas that are ready, whose turn it is first.
func (f *front) turns() []*replica {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	var ready []*replica
	for i := range f.replicas {
		if r := f.replicas[(f.next+i)%len(f.replicas)]; r.ready.Load() {
			ready = append(ready, r)
		}
	}
	return ready
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller has left
	}
	for _, to := range f.turns() {
		response, err := f.send(r, to, body)
		if refused := new(net.OpError); errors.As(err, &refused) && refused.Op == "dial" {
			f.refused.Add(1)
			continue
		}
		if err != nil {
			http.Error(w, fmt.Sprintf(`{"code":"replica lost: %v"}`, err), http.StatusBadGateway)
			return
		}
		to.calls.Add(1)
		maps.Copy(w.Header(), response.Header)
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body) // the caller sees what is missing
		_ = response.Body.Close()
		return
	}
	http.Error(w, `{"code":"no replica is ready"}`, http.StatusBadGateway)
}

func (f *front) send(r *http.Request, to *replica, body []byte) (*http.Response, error) {
	// A reader that net/http does not know cannot be read again: without that it would
	// repeat by itself what has an Idempotency-Key.
	again := io.NopCloser(bytes.NewReader(body))
	out, err := http.NewRequestWithContext(r.Context(), r.Method, to.url+r.URL.RequestURI(), again) //nolint:gosec // G704: a proxy of the test's own
	if err != nil {
		return nil, err
	}
	out.ContentLength, out.Header = int64(len(body)), r.Header.Clone()
	return f.transport.RoundTrip(out)
}
