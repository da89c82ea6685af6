//go:build faults

package crowd_test

import (
	"context"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// I13: far more connections are opened than a listener holds, and nothing comes over
// them, or half a request. Newcomers who mean well are served all the same, and a
// balancer that asks over one connection all the while whether the replica is ready
// keeps that connection.
func TestFaults_I13_AFloodOfConnectionsKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	// Of each kind, half of them at each half of the service; and what a listener holds.
	n, held := faulttest.Scale(800, 5000), faulttest.Scale(256, 2048)
	wantFiles(t, uint64(2*n+1000)) //nolint:gosec // G115: not negative
	stores := faulttest.NewStores(t)
	server := watched(t, stores, map[string]string{"GOMEMLIMIT": collector, "MAX_CONNECTIONS": strconv.Itoa(held), "MAX_REQUESTS_IN_FLIGHT": "64"})
	people := travellers(t, stores, 64)
	closed(t.Context(), 16, server.honest(people), during(warmUp/2))
	before := server.vitals(t)

	long := time.Duration(faulttest.Scale(3, 10)) * time.Second
	flood, drain := context.WithCancel(t.Context())
	rate := float64(2*n) / (long - time.Second).Seconds()
	var around sync.WaitGroup
	around.Go(func() { open(flood, rate, long-time.Second, server.flooding()) })
	asked := make(chan times, 1)
	go func() { asked <- server.probe(t, long) }()
	most := make(chan int, 1)
	go func() {
		defer close(most) // also when it could not be asked
		most <- server.mostFiles(t, long)
	}()
	got := open(t.Context(), 10, long, server.honest(people))
	probes, files := <-asked, <-most
	drain()
	around.Wait()

	faulttest.Report(t, "%d silent connections and %d half requests, %.0f a second, %d held by each listener: honest mint %v, arrive %v; readiness %v; at most %d open files, %d before; at most %d MiB",
		n, n, rate, held, got.good[mint], got.good[arrive], probes, files, before.files, server.PeakMemory(t)>>20)
	wantHonest(t, got)
	if slack := 200; files > before.files+2*held+slack {
		t.Errorf("%d open files, with %d connections to each listener", files, held)
	} else if files < before.files+held*9/10 {
		t.Errorf("a flood that fills nothing: %d open files", files)
	}
	server.wantRecovered(t, before)
	wantWithin(t, server.Server, container)
	wantReady(t, server.Server)
}

// flooding is an errand: a connection on which nothing comes, or half a request.
func (p *patient) flooding() errand {
	kinds := []attacker{{every: time.Minute}, {opening: minting, every: time.Minute}}
	return func(ctx context.Context, due time.Time, _ *tally) {
		at := int(due.UnixNano()/1000) % 4
		// That it was not let in is what it is for.
		_, _ = kinds[at%2].attack(ctx, []string{p.DAOURL, p.FOSURL}[at/2])
	}
}

// probe asks over one connection for so long whether the DAO half is ready, as a
// balancer does.
func (p *patient) probe(t testing.TB, long time.Duration) (took times) {
	l, err := dial(t.Context(), p.DAOURL)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer l.close()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		asked := time.Now()
		if a, err := l.ask([]byte("GET /health HTTP/1.1\r\nHost: crowd\r\n\r\n")); err != nil || a.status != 200 {
			t.Errorf("is it ready? %v %v, after %d times", a, err, len(took))
			return took
		}
		took = append(took, time.Since(asked))
	}
	return took
}

// mostFiles is the most that the server has open within so long.
func (p *patient) mostFiles(t testing.TB, long time.Duration) (most int) {
	tick := time.NewTicker(long / 10)
	defer tick.Stop()
	for end := time.Now().Add(long); time.Now().Before(end); <-tick.C {
		most = max(most, p.vitals(t).files)
	}
	return most
}

// wantFiles makes room for so many open files in this process.
func wantFiles(t testing.TB, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur >= n {
		return
	}
	limit.Cur, limit.Max = n, max(limit.Max, n)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatalf("this test opens %d files; raise the limit (ulimit -n): %v", n, err)
	}
}
