//go:build faults

package crowd_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
)

// leeway is how much later than its bound a connection may end, on a busy machine.
const leeway = 5 * time.Second

// siege is one test of attackers who hold what they can.
type siege struct {
	kinds []attacker
	n     int // of each kind, at each half
	long  time.Duration
}

// I13: people who send a byte a second hold a connection for a while, and nothing
// else: there are more of them than places for requests at work.
func TestFaults_I13_SlowClientsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	withstand(t, siege{slow, faulttest.Scale(50, 200), time.Duration(faulttest.Scale(6, 12)) * time.Second})
}

// I13: people who read no answer hold a connection for a while, and nothing else.
func TestFaults_I13_DeafClientsHoldNobodyUp(t *testing.T) {
	t.Parallel()
	withstand(t, siege{[]attacker{deaf}, faulttest.Scale(16, 50), time.Duration(faulttest.Scale(10, 20)) * time.Second})
}

// I13: a page is more than net/http keeps for later, so that its handler waits for who
// reads it. It must not wait in a place that others need.
func TestFaults_I13_PagesThatNobodyReadsHoldNoPlace(t *testing.T) {
	t.Parallel()
	withstand(t, siege{[]attacker{reader}, faulttest.Scale(60, 100), time.Duration(faulttest.Scale(6, 20)) * time.Second})
}

// withstand demands that people who mean well are served while the siege is on, that
// the server gives up every attacker in time, and that nothing remains of it.
func withstand(t *testing.T, s siege) {
	t.Helper()
	stores := faulttest.NewStores(t)
	server := watched(t, stores, map[string]string{"GOMEMLIMIT": collector, "MAX_CONNECTIONS": "2048", "MAX_REQUESTS_IN_FLIGHT": "16"})
	people := travellers(t, stores, 64)
	closed(t.Context(), 4, server.honest(people), during(warmUp/2)) // fills the pools
	before := server.vitals(t)

	lives := besiege(t, server, s)
	got := open(t.Context(), 5, s.long, server.honest(people))
	at := server.vitals(t)
	lived := lives()
	faulttest.Report(t, "%d clients at each half, 16 places: meanwhile honest mint %v, arrive %v; %v then; the process held at most %d MiB",
		s.n*len(s.kinds), got.good[mint], got.good[arrive], at, server.PeakMemory(t)>>20)
	wantHonest(t, got)
	for _, kind := range s.kinds {
		took := lived[kind.name]
		faulttest.Report(t, "%s: given up after at most %v", kind.name, took.at(1).Round(100*time.Millisecond))
		if len(took) != 2*s.n || took.at(1) > kind.bound+leeway {
			t.Errorf("%s: %v, of %d", kind.name, took, 2*s.n)
		}
	}
	server.wantRecovered(t, before)
	wantWithin(t, server.Server, container)
	wantReady(t, server.Server)
}

// besiege sets the attackers on both halves. The function that it returns
// waits until the server has given all of them up, and says how long they lived.
func besiege(t testing.TB, server *patient, with siege) func() map[string]times {
	t.Helper()
	var mu sync.Mutex
	lived := map[string]times{}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var all sync.WaitGroup
	for _, kind := range with.kinds {
		for i := range 2 * with.n {
			url := []string{server.DAOURL, server.FOSURL}[i%2]
			all.Go(func() {
				took, err := kind.attack(ctx, url)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					lived[kind.name] = append(lived[kind.name], took)
				}
			})
		}
	}
	return func() map[string]times {
		all.Wait()
		cancel()
		return lived
	}
}

// I13: who sends without end hears so, and is heard no further.
func TestFaults_I13_WhatHasNoEndIsNotRead(t *testing.T) {
	t.Parallel()
	stores := faulttest.NewStores(t)
	server := watched(t, stores, small)
	people := travellers(t, stores, 64)
	closed(t.Context(), 16, server.honest(people), during(warmUp/2))
	before, atRest := server.vitals(t), server.PeakMemory(t)

	for _, kind := range gushes {
		most, n := 0, faulttest.Scale(20, 200)
		var mu sync.Mutex
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				a, sent, err := kind.pour(t.Context(), server.FOSURL)
				mu.Lock()
				defer mu.Unlock()
				most = max(most, sent)
				if err != nil || a.status != kind.status || sent > tolerable {
					t.Errorf("%s: %v %v after %d KiB", kind.name, a, err, sent>>10)
				}
			})
		}
		got := open(t.Context(), 20, warmUp, server.honest(people))
		all.Wait()
		faulttest.Report(t, "%s, %d at once: %d, at most %d KiB each were taken; honest mint %v, arrive %v",
			kind.name, n, kind.status, most>>10, got.good[mint], got.good[arrive])
		wantHonest(t, got)
	}
	faulttest.Report(t, "the process held at most %d MiB, %d before", server.PeakMemory(t)>>20, atRest>>20)
	server.wantRecovered(t, before)
	wantWithin(t, server.Server, container)
}
