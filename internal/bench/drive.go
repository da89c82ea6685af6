package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// driven is what became of one turn.
type driven struct {
	took      []time.Duration // each answer that was good, in order of size
	elapsed   time.Duration   // from the first request to the last answer
	computed  time.Duration   // by us
	failed    int
	complaint string // what the first of those said
}

// drive sends requests over connections, which are dealt out among the addresses, each its
// own and the next when the one before is answered, until they are used up or limit is over.
// It returns an error where a connection cannot be made.
func drive(ctx context.Context, addresses []string, connections int, requests [][]byte, limit time.Duration) (driven, error) {
	var wires []*wire
	defer func() {
		for _, w := range wires {
			w.close()
		}
	}()
	for i := range connections {
		w, err := dial(ctx, addresses[i%len(addresses)])
		if err != nil {
			return driven{}, err
		}
		wires = append(wires, w)
	}
	loops := make([]loop, connections)
	var next atomic.Int64
	var running sync.WaitGroup
	begun := time.Now()
	for i, w := range wires {
		loops[i].took = make([]time.Duration, 0, 2*len(requests)/connections)
		running.Go(func() { loops[i].run(w, requests, &next, begun.Add(limit)) })
	}
	running.Wait()
	d := driven{elapsed: time.Since(begun)}
	for _, l := range loops {
		d.took = append(d.took, l.took...)
		d.failed += l.failed
		if d.complaint == "" {
			d.complaint = l.complaint
		}
	}
	slices.Sort(d.took)
	if len(d.took) == 0 && d.failed == 0 {
		return d, errors.New("bench: there was nothing to send")
	}
	return d, nil
}

// loop is what one connection has seen.
type loop struct {
	took      []time.Duration
	failed    int
	complaint string
}

func (l *loop) run(w *wire, requests [][]byte, next *atomic.Int64, end time.Time) {
	for begun := time.Now(); begun.Before(end); {
		i := int(next.Add(1)) - 1
		if i >= len(requests) {
			return
		}
		status, body, err := w.do(requests[i])
		now := time.Now()
		switch {
		case err != nil:
			l.complain(err.Error())
			return // the connection is of no use any more
		case status != 200:
			l.complain(fmt.Sprintf("%d %s", status, body))
		default:
			l.took = append(l.took, now.Sub(begun))
		}
		begun = now
	}
}

func (l *loop) complain(text string) {
	l.failed++
	if l.complaint == "" {
		l.complaint = text
	}
}

// rate is answers a second.
func (d driven) rate() float64 { return float64(len(d.took)) / d.elapsed.Seconds() }

// percentile is the smallest time that p of 100 answers did not take longer than; 0
// without answers.
func (d driven) percentile(p int) time.Duration {
	if len(d.took) == 0 {
		return 0
	}
	return d.took[max(0, (len(d.took)*p+99)/100-1)]
}
