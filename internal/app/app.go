package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"golang.org/x/sync/errgroup"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/handoff"
	"github.com/hello-world-co-op/handoff/internal/health"
	"github.com/hello-world-co-op/handoff/internal/httpapi"
	"github.com/hello-world-co-op/handoff/internal/leaving"
	"github.com/hello-world-co-op/handoff/internal/metrics"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/tracing"
	"github.com/hello-world-co-op/handoff/password"
)

// Options are what a test replaces. The zero value is what is shipped.
type Options struct {
	Version string
	Now     func() time.Time // nil: the wall clock, UTC, to the millisecond
	Random  io.Reader        // nil: crypto/rand
	Log     *slog.Logger     // nil: slog.Default
	// LimiterTimeout is how long a limit may take to ask Redis; 0: package ratelimit's.
	LimiterTimeout time.Duration
}

func (o *Options) complete() {
	if o.Now == nil {
		// Answers speak in milliseconds; what is stored must not say more, or a token's
		// stored and told times would differ.
		o.Now = func() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// App is a process of this service. Close it if it is not run.
type App struct {
	config     *config.Config
	options    Options
	started    time.Time
	pseudonyms *privacy.Pseudonymizer
	metrics    *metrics.Registry
	tracer     *tracing.Tracer // nil: nothing is traced
	hasher     *password.Hasher
	// admission bounds what all of the process works on: were it one for each half, a
	// crowd that mints would leave no processor to those who arrive.
	admission *httpapi.Admission
	// connections is how many each listener may hold open.
	connections int
	listeners   []*listener
	couriers    []*leaving.Courier
	uses        []*handoff.TokenUse // of service tokens, by half
	// When the process leaves, it waits for all of wait at once, and then for all closers.
	wait    []func()
	closers []func() error
}

// listener is one half, or the metrics, on its address.
type listener struct {
	half   string
	socket net.Listener
	server *http.Server
	checks *health.Checks

	connections *httpapi.Connections
}

// New builds the configured halves and binds their addresses. Stores need not be
// up yet, but a database that is up and older than this program is an error.
func New(ctx context.Context, c *config.Config, options Options) (*App, error) {
	options.complete()
	a := &App{
		config: c, options: options, started: time.Now(),
		pseudonyms: privacy.NewPseudonymizer(c.PseudonymKeys[0]), metrics: metrics.New(options.Version),
		hasher: newHasher(options.Log), admission: httpapi.NewAdmission(c.MaxRequests),
	}
	a.metrics.Shed(a.admission.Shed)
	hashingFigures(a.metrics, a.hasher)
	memory, source := memoryLimit(debug.SetMemoryLimit(-1), memlimit.FromCgroup)
	if source == "nobody" {
		memory = math.MaxInt64
	}
	a.connections = connections(c.MaxConnections, c.MaxRequests, memory)
	if err := a.trace(ctx); err != nil {
		return nil, err
	}
	if err := a.build(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *App) build(ctx context.Context) error {
	var dao *daoHalf
	if a.config.Halves.DAO {
		half, err := a.buildDAO(ctx)
		if err != nil {
			return err
		}
		dao = half
	}
	var fos *fosHalf
	if a.config.Halves.FOS {
		half, err := a.buildFOS(ctx, dao)
		if err != nil {
			return err
		}
		fos = half
	}
	a.introduce(dao, fos)
	a.tokenFigures()
	if a.config.MetricsEnabled {
		connections := httpapi.NewConnections(a.connections)
		return a.listen(ctx, listening{"metrics", a.config.MetricsAddr, connections.Protect(a.metricsHandler()), health.New(nil), connections})
	}
	return nil
}

// metricsHandler is on a listener of its own, so that no route of a gateway leads
// to it by accident.
func (a *App) metricsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	return mux
}

// listening is what a listener needs to know of its half.
type listening struct {
	half, addr  string
	handler     http.Handler
	checks      *health.Checks
	connections *httpapi.Connections
}

// listen binds the address of one half, or of the metrics.
func (a *App) listen(ctx context.Context, l listening) error {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp", l.addr)
	if err != nil {
		return fmt.Errorf("%s: cannot listen on %s: %w", l.half, l.addr, err)
	}
	a.listeners = append(a.listeners, &listener{
		half: l.half, socket: socket, checks: l.checks, connections: l.connections,
		server: httpapi.Server(l.addr, l.handler, l.connections, a.options.Log),
	})
	return nil
}

// Addr returns the address that a half ("dao" or "fos"), "authz" or "metrics" listens on,
// "" if it is not part of this process.
func (a *App) Addr(half string) string {
	for _, l := range a.listeners {
		if l.half == half {
			return l.socket.Addr().String()
		}
	}
	return ""
}

// Run serves until ctx ends, then leaves in order. It returns nil after an
// orderly end.
func (a *App) Run(ctx context.Context) error {
	serving, failed := errgroup.WithContext(ctx)
	for _, l := range a.listeners {
		a.options.Log.InfoContext(ctx, "listening", "half", l.half, "addr", l.socket.Addr().String())
		serving.Go(func() error {
			if err := l.server.Serve(l.socket); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve the %s half: %w", l.half, err)
			}
			return nil
		})
	}
	for _, courier := range a.couriers {
		courier.Start(ctx)
	}
	<-failed.Done() // ctx ended, or a listener broke
	left := a.leave(context.WithoutCancel(ctx))
	return errors.Join(serving.Wait(), left, a.Close())
}

func (a *App) leave(ctx context.Context) error {
	a.options.Log.InfoContext(ctx, "leaving", "delay", a.config.ShutdownDelay, "timeout", a.config.ShutdownTimeout)
	for _, l := range a.listeners {
		l.checks.Drain()
	}
	if a.config.ShutdownDelay > 0 {
		<-time.After(a.config.ShutdownDelay)
	}
	ctx, cancel := context.WithTimeout(ctx, a.config.ShutdownTimeout)
	defer cancel()
	var leaving errgroup.Group
	for _, l := range a.listeners {
		leaving.Go(func() error {
			l.connections.CloseUnused()
			if err := l.server.Shutdown(ctx); err != nil {
				return errors.Join(fmt.Errorf("the %s half had requests left: %w", l.half, err), l.server.Close())
			}
			return nil
		})
	}
	return leaving.Wait()
}

// Close releases what New took. Run does it by itself.
func (a *App) Close() error {
	var faults []error
	for _, l := range a.listeners {
		if err := l.socket.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			faults = append(faults, err)
		}
	}
	var waits []func() error
	for _, wait := range a.wait {
		waits = append(waits, func() error { wait(); return nil })
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	for _, closers := range [][]func() error{waits, a.closers} {
		left, err := together(ctx, closers)
		if left > 0 {
			a.options.Log.Warn("what was open does not let go; leaving without it", "left", left)
		}
		faults = append(faults, err)
	}
	a.listeners, a.wait, a.closers = nil, nil, nil
	return errors.Join(faults...)
}

// edge is the part of the edge's configuration that both halves share.
func (a *App) edge(half string, origins []string, checks *health.Checks) httpapi.Config {
	connections := httpapi.NewConnections(a.connections)
	a.metrics.Evicted(half, connections.Evicted)
	return httpapi.Config{
		Half: half, AllowedOrigins: origins, Admission: a.admission, Connections: connections,
		LoopbackSameOrigin: a.config.Environment == config.Development,
		TrustedProxies:     a.config.TrustedProxies,
		Headers: httpapi.SecurityHeaders{
			HSTS: a.config.Security.HSTS, FrameOptions: a.config.Security.FrameOptions,
			CSP: a.config.Security.CSP, ReferrerPolicy: a.config.Security.ReferrerPolicy,
		},
		Tracer: a.tracer, Peers: a.config.ServiceTokens,
		Outcome:    a.metrics.Outcomes(half, httpapi.Stages(), httpapi.Outcomes()),
		Pseudonyms: a.pseudonyms, Health: checks, Metrics: a.metrics, Log: a.options.Log, Now: a.options.Now,
	}
}
