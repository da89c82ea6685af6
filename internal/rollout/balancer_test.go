package rollout_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// balancer sends every request to the next of its backends, and sends none twice:
// what a replica loses is lost. It is safe for concurrent use.
type balancer struct {
	*httptest.Server
	mu       sync.Mutex
	backends []*backend
	next     int
}

type backend struct {
	url    string
	proxy  *httputil.ReverseProxy
	busy   sync.WaitGroup
	served atomic.Int64
}

func newBalancer(t testing.TB) *balancer {
	t.Helper()
	b := &balancer{}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	chosen := b.choose()
	if chosen == nil {
		http.Error(w, "no replica is there", http.StatusServiceUnavailable)
		return
	}
	defer chosen.busy.Done()
	chosen.served.Add(1)
	chosen.proxy.ServeHTTP(w, r)
}

func (b *balancer) choose() *backend {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.backends) == 0 {
		return nil
	}
	b.next++
	chosen := b.backends[b.next%len(b.backends)]
	chosen.busy.Add(1)
	return chosen
}

// put adds a replica.
func (b *balancer) put(t testing.TB, replicaURL string) {
	t.Helper()
	target, err := url.Parse(replicaURL)
	if err != nil {
		t.Fatal(err)
	}
	added := &backend{url: replicaURL, proxy: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host },
		// net/http repeats by itself what a connection lost that it had used before.
		Transport: &http.Transport{DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the replica is lost: "+err.Error(), http.StatusBadGateway)
		},
	}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.backends = append(b.backends, added)
}

// drain takes a replica out and waits until it has answered what it was sent.
func (b *balancer) drain(replicaURL string) {
	b.mu.Lock()
	at := slices.IndexFunc(b.backends, func(known *backend) bool { return known.url == replicaURL })
	drained := b.backends[at]
	b.backends = slices.Delete(b.backends, at, at+1)
	b.mu.Unlock()
	drained.busy.Wait()
}

// shares are how many requests each replica has served since it was put there.
func (b *balancer) shares() []int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []int64
	for _, known := range b.backends {
		all = append(all, known.served.Load())
	}
	return all
}
