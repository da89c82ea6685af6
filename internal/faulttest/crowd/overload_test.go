//go:build faults

package crowd_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	// container is the memory of a small container, in bytes; collector is what the
	// server's garbage collector is told of it.
	container = 256 << 20
	collector = "128MiB"
	// places is MAX_REQUESTS_IN_FLIGHT as it is by default.
	places = "32"
	// beyond is how many times what it can do the service is asked.
	beyond = 5
	// atPeak is how many hand off at once when nobody has to be told to come back: as
	// many as may begin something.
	atPeak = 16
	// crowded is how many connections a crowd opens to one half: many, but no flood.
	crowded = 1024
	// robust is the share of the peak that must remain, whoever else has the machine;
	// prompt is when an answer that costs nothing must be there on such a machine.
	robust = 0.6
	prompt = 500 * time.Millisecond
	// bearable is when the last accepted request must have been answered.
	bearable = 3 * time.Second
)

// small is a server in a small container that lets a whole crowd in: that connections
// are closed to make room is another story.
var small = map[string]string{"GOMEMLIMIT": collector, "MAX_CONNECTIONS": "2048", "MAX_REQUESTS_IN_FLIGHT": places}

// I13: five times as many people want to hand off as the service can serve. It serves
// as many as ever, tells the others at once to come back, and lives within its
// memory; and when they have gone the next is served at once.
func TestFaults_I13_BeyondCapacityTheServiceShedsAndServes(t *testing.T) {
	stores := faulttest.NewStores(t)
	server := faulttest.Serve(t, stores.Environ(), small)
	way := newRoad(t, server.DAOURL, server.FOSURL, travellers(t, stores, 8192), crowded)
	first := precedence(t)
	peak := closed(t.Context(), atPeak, way.handoff, during(2*time.Second)).goodput() // pools and caches fill meanwhile

	laps := make(laps, faulttest.Scale(2, 12))
	for i := range laps {
		laps[i] = way.lap(t, server, stores, beyond*peak, i%2 == 0)
		peak = laps[i].best.goodput()
		wantOnly(t, laps[i].best)
		wantShed(t, laps[i].got, []float64{0.5, 0.99}[faulttest.Scale(0, 1)])
		faulttest.Report(t, "the first hand-off afterwards took %v", way.wantHandoff(t).Round(time.Millisecond))
		wantReady(t, server)
	}
	shed, sent := laps.shed()
	faulttest.Report(t, "at %d times the peak, %d laps, %s: goodput %.0f%% of it (of a lap: %s), %.0f%% for the processor time that the crowd left; hand-offs for a second of the server's processor %.0f%% of those at the peak; %d of %d tokens were for nothing; shed %v, from when the crowd had set out %v; the process held at most %d MiB",
		beyond, len(laps), first, 100*laps.kept(), laps.spread(), 100*laps.fair(), 100*laps.thrift(),
		laps.minted()-laps.used(), laps.minted(), shed, sent, server.PeakMemory(t)>>20)
	wantWithin(t, server, container)
	// What others take of the machine between two measurements is no fault of the
	// service: in a short run it must do as well with what it gets.
	if laps.thrift() < robust || faulttest.Scale(0, 1) == 1 && laps.kept() < robust {
		t.Errorf("beyond its peak the service does less than at it: %.2f of its goodput, %.2f for its computing", laps.kept(), laps.thrift())
	}
	if float64(laps.used()) < robust*float64(laps.minted()) {
		t.Errorf("of %d tokens %d were used", laps.minted(), laps.used())
	}
}

// lap is a measurement at the peak and one beyond it, and what the server computed
// for each.
type lap struct {
	best, got         *tally
	bestTook, gotTook time.Duration
}

// lap measures both, one right after the other, offering so many hand-offs a second
// beyond.
func (r *road) lap(t testing.TB, server *faulttest.Server, stores *faulttest.Stores, rate float64, peakFirst bool) (l lap) {
	t.Helper()
	const long = 3 * time.Second
	turns := []func(){
		func() {
			learn(t, stores)
			used := server.ProcessorTime(t)
			l.best = closed(t.Context(), atPeak, r.handoff, during(long))
			l.bestTook = server.ProcessorTime(t) - used
			faulttest.Report(t, "peak, %d at once: %.0f hand-offs/s; %v; processor: server %.2f, crowd %.2f (%v a request)",
				atPeak, l.best.goodput(), l.best, share(l.bestTook, l.best), l.best.share(), l.best.each())
		},
		func() {
			learn(t, stores)
			pulse, used := feel(t, server), server.ProcessorTime(t)
			l.got = open(t.Context(), rate, long, r.handoff)
			l.gotTook = server.ProcessorTime(t) - used
			faulttest.Report(t, "%d times as many, %.0f/s offered: %.0f hand-offs/s; %v; processor: server %.2f, crowd %.2f (%v a request); alive meanwhile: %v",
				beyond, rate, l.got.goodput(), l.got, share(l.gotTook, l.got), l.got.share(), l.got.each(), pulse())
		},
	}
	if !peakFirst {
		slices.Reverse(turns)
	}
	for _, measure := range turns {
		measure()
	}
	return l
}

// laps took turns: what the machine has for us changes from second to second, for both
// kinds of measurement alike.
type laps []lap

func (ls laps) sum(of func(lap) float64) (all float64) {
	for _, l := range ls {
		all += of(l)
	}
	return all
}

// kept is how much of its goodput at the peak the service has beyond it.
func (ls laps) kept() float64 {
	return ls.sum(func(l lap) float64 { return l.got.goodput() }) / ls.sum(func(l lap) float64 { return l.best.goodput() })
}

// fair is the same for each second of processor time that the crowd, which is on other
// machines in life, left to the service and its stores.
func (ls laps) fair() float64 {
	left := func(all *tally) float64 { return float64(runtime.NumCPU()) - all.share() }
	return ls.kept() * ls.sum(func(l lap) float64 { return left(l.best) }) / ls.sum(func(l lap) float64 { return left(l.got) })
}

// thrift is the same of the hand-offs that it did for what it computed.
func (ls laps) thrift() float64 {
	beyond := ls.sum(func(l lap) float64 { return float64(l.got.done()) }) / ls.sum(func(l lap) float64 { return l.gotTook.Seconds() })
	return beyond * ls.sum(func(l lap) float64 { return l.bestTook.Seconds() }) / ls.sum(func(l lap) float64 { return float64(l.best.done()) })
}

// spread is the least, the middle and the most of what single laps kept.
func (ls laps) spread() string {
	kept := make([]float64, len(ls))
	for i, l := range ls {
		kept[i] = 100 * l.got.goodput() / l.best.goodput()
	}
	slices.Sort(kept)
	return fmt.Sprintf("%.0f, %.0f, %.0f%%", kept[0], kept[len(kept)/2], kept[len(kept)-1])
}

func (ls laps) minted() int {
	return int(ls.sum(func(l lap) float64 { return float64(l.got.count(mint)) }))
}

func (ls laps) used() int {
	return int(ls.sum(func(l lap) float64 { return float64(l.got.count(arrive)) }))
}

func (ls laps) shed() (shed, sent times) {
	for _, l := range ls {
		shed, sent = append(shed, l.got.shed...), append(sent, l.got.sent...)
	}
	return shed, sent
}

// precedence lets the crowd be scheduled before the service, for as long as the test
// runs, and says whether it is: in life it is on other machines, and here its own wait
// for a processor would be told of the service. Only root may.
func precedence(t testing.TB) string {
	t.Helper()
	if err := nice(-15); err != nil {
		return "the crowd waits for processors like the service"
	}
	t.Cleanup(func() {
		if err := nice(0); err != nil {
			t.Error(err)
		}
	})
	return "the crowd is scheduled first"
}

// nice is setpriority(2) for each thread; those to come are like those that they come from.
func nice(priority int) error {
	threads, err := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name()) // the kernel counts its threads
		err = errors.Join(err, syscall.Setpriority(syscall.PRIO_PROCESS, id, priority))
	}
	return err
}

// wantOnly demands that everybody was served.
func wantOnly(t testing.TB, all *tally) {
	t.Helper()
	if len(all.faults) > 0 || len(all.shed) > 0 || all.unasked > 0 {
		t.Errorf("not everybody was served: %v", all)
	}
}

// wantShed demands that whoever was not served was told to come back, soon (in that
// share of the cases), and that whoever was did not wait too long.
func wantShed(t testing.TB, all *tally, soon float64) {
	t.Helper()
	if len(all.shed) == 0 {
		t.Errorf("an overload that tests nothing: %v", all)
	}
	// A few who found no line free are the crowd's own limit, on a machine that is busy.
	if len(all.faults) > 0 || all.unasked*10 > all.answered() {
		t.Errorf("not everybody was served or told to come back: %v", all)
	}
	if took := all.shed.at(soon); took > prompt {
		t.Errorf("telling people to come back takes %v", took)
	}
	for request, took := range all.good {
		if p99 := took.at(0.99); p99 > bearable {
			t.Errorf("%s: p99 %v, want at most %v", request, p99, bearable)
		}
	}
}

func wantWithin(t testing.TB, server *faulttest.Server, most int64) {
	t.Helper()
	if peak := server.PeakMemory(t); peak > most {
		t.Errorf("the process held %d MiB, want at most %d", peak>>20, most>>20)
	}
}

// wantReady demands that both halves say that they are.
func wantReady(t testing.TB, server *faulttest.Server) {
	t.Helper()
	client := faulttest.NewClient(1)
	defer client.Close()
	for _, url := range []string{server.DAOURL, server.FOSURL} {
		if ready := client.Ready(t.Context(), url); !ready.OK() {
			t.Errorf("not ready: %v", ready)
		}
	}
}

// feel asks the server all the while whether it lives, until the function is called,
// which returns how long the answers took.
func feel(t testing.TB, server *faulttest.Server) func() times {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	felt := make(chan times)
	go func() {
		var took times
		defer func() { felt <- took }()
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			<-tick.C
			asked := time.Now()
			if a, err := once(ctx, server.DAOURL, []byte("GET /health/live HTTP/1.1\r\nHost: crowd\r\n\r\n")); err != nil || a.status != 200 {
				if ctx.Err() == nil {
					t.Errorf("is it alive? %v %v", a, err)
				}
				continue
			}
			took = append(took, time.Since(asked))
		}
	}()
	return func() times {
		cancel()
		return <-felt
	}
}

// once asks over a connection of its own.
func once(ctx context.Context, url string, request []byte) (answer, error) {
	l, err := dial(ctx, url)
	if err != nil {
		return answer{}, err
	}
	defer l.close()
	return l.ask(request)
}

// share is how much of one processor that was, while the crowd was there.
func share(used time.Duration, while *tally) float64 {
	return used.Seconds() / while.ended.Sub(while.begun).Seconds()
}

// learn does what autovacuum does within its first minute: plans that were made for
// empty tables are made anew. Else every lap would be slower than the one before.
func learn(t testing.TB, stores *faulttest.Stores) {
	t.Helper()
	testkit.Exec(t, stores.DAO, "ANALYZE") //nolint:misspell // SQL
	testkit.Exec(t, stores.FOS, "ANALYZE") //nolint:misspell // SQL
}
