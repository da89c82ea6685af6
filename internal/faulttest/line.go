package faulttest

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Line is the way from a process under test to something that it depends on, or from
// a caller to a server: a toxiproxy in this process, with one toxic of our own that
// does what the Line is told at each moment. Its faults act on connections that are
// open already as on later ones, unless said otherwise. It is safe for concurrent use.
type Line struct {
	id    int64
	proxy *toxiproxy.Proxy

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when anything below changes
	hung    bool
	garbage bool
	delay   time.Duration
	open    map[*wire]bool
	newest  *wire // whose second direction toxiproxy sets up next

	name    string
	moments *Moments
}

// LineTo makes a line to the host of the URL to, and returns the URL through it. The
// line ends with the test.
func LineTo(t testing.TB, to string) (*Line, string) {
	t.Helper()
	parsed, err := url.Parse(to)
	if err != nil || parsed.Host == "" {
		t.Fatal("a line leads to a URL with a host")
	}
	l := &Line{id: lastLine.Add(1), changed: make(chan struct{}), open: map[*wire]bool{}}
	l.name = fmt.Sprintf("line %d", l.id)
	l.proxy = toxiproxy.NewProxy(lineServer(), l.name, "127.0.0.1:0", parsed.Host)
	lines.Store(l.id, l)
	for _, stream := range []string{"upstream", "downstream"} {
		if err := l.addToxic(stream); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Cut()
		lines.Delete(l.id)
	})
	parsed.Host = l.proxy.Listen
	return l, parsed.String()
}

// Cut ends every connection, and refuses later ones: the far end is down.
func (l *Line) Cut() {
	l.Reset()
	l.proxy.Stop()
}

// Reset ends every connection; later ones work.
func (l *Line) Reset() {
	l.change(func() {
		for w := range l.open {
			w.release()
		}
	})
}

// Hang passes nothing, either way, while connections can still be made: the far end
// is stopped, or the network is partitioned. What was sent meanwhile arrives when the
// line is mended, as TCP would send it again.
func (l *Line) Hang() { l.change(func() { l.hung = true }) }

// HalfOpen makes the connections that are open now go dead for good: nothing passes,
// and neither end hears that the other has gone, as when a firewall forgets them.
// Later connections work. It returns how many went.
func (l *Line) HalfOpen() int {
	n := 0
	l.change(func() {
		for w := range l.open {
			if !w.dead {
				w.dead = true
				n++
			}
		}
	})
	return n
}

// Delay holds back everything that the far end sends, each piece for d.
func (l *Line) Delay(d time.Duration) { l.change(func() { l.delay = d }) }

// GarbageAnswers turns everything that the far end sends into bytes of no protocol.
func (l *Line) GarbageAnswers() { l.change(func() { l.garbage = true }) }

// Mend ends every fault. Connections that were half open are closed, as the first
// packet after a partition would close them.
func (l *Line) Mend(t testing.TB) {
	t.Helper()
	l.change(func() {
		l.hung, l.garbage, l.delay = false, false, 0
		for w := range l.open {
			if w.dead {
				w.release()
			}
		}
	})
	// The port was ours before the cut; a connection of somebody's may have come to
	// use it for a moment.
	var err error
	Await(t, func() bool {
		err = l.proxy.Start()
		return err == nil || errors.Is(err, toxiproxy.ErrProxyAlreadyStarted)
	}, func() string { return err.Error() })
}

// Watch numbers what passes in moments, under a name of the line's own.
func (l *Line) Watch(name string, moments *Moments) {
	l.change(func() { l.name, l.moments = name, moments })
}

func (l *Line) change(how func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	how()
	close(l.changed)
	l.changed = make(chan struct{})
}

// wait returns when nothing hangs any more, or w is to be closed.
func (l *Line) wait(w *wire) {
	for {
		l.mu.Lock()
		hung, changed := l.hung, l.changed
		l.mu.Unlock()
		if !hung {
			return
		}
		select {
		case <-w.released:
			return
		case <-changed:
		}
	}
}

var (
	lastLine atomic.Int64
	lines    sync.Map // of *Line, by id: a toxic is made of JSON, which cannot point
)

// lineServer is what toxiproxy wants around a proxy: a log, which is silent, and
// figures, which nobody reads. It serves nothing.
var lineServer = sync.OnceValue(func() *toxiproxy.ApiServer {
	return toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
})
