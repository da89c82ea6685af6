package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Dependencies adds how long the half's stores and the other half take to answer, and
// returns the function that counts one command. Label "result" is answered or failed; an
// answer that says no is one.
func (r *Registry) Dependencies(half string, dependencies []string) func(dependency string, failed bool, took time.Duration) {
	known := wordsOf(dependencies)
	durations := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "handoff_dependency_duration_seconds", ConstLabels: prometheus.Labels{"half": half},
		Help: "How long postgres, redis and the other half (peer) took to answer, or to fail.",
		// From a key that is read to the longest that anybody waits.
		Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 3},
	}, []string{"dependency", "result"})
	for _, dependency := range dependencies {
		durations.WithLabelValues(dependency, "failed")
	}
	r.registry.MustRegister(durations)
	return func(dependency string, failed bool, took time.Duration) {
		result := "answered"
		if failed {
			result = "failed"
		}
		durations.WithLabelValues(known.label(dependency), result).Observe(took.Seconds())
	}
}

// Refused adds the tries that a half's limits refused, by the limit's name. The names are as
// few as there are limits.
func (r *Registry) Refused(half string, byLimit func() map[string]uint64) {
	r.registry.MustRegister(asked(func(send sending) {
		for limit, n := range byLimit() {
			send(refusedDesc, prometheus.CounterValue, float64(n), half, limit)
		}
	}))
}

var refusedDesc = prometheus.NewDesc("handoff_rate_limit_refused_total",
	"Tries that were refused, by the limit that they have to wait for.", []string{"half", "limit"}, nil)

// Pool is how the connections to a store are used; Most is 0 where it is not known. Waited is how often somebody had to wait
// for one, WaitedFor how long all together, TimedOut how often in vain.
type Pool struct {
	Most, Open, Idle int
	Waited, TimedOut uint64
	WaitedFor        time.Duration
}

// Pool adds the connections of a half to one of its stores.
func (r *Registry) Pool(half, store string, pool func() Pool) {
	r.registry.MustRegister(asked(func(send sending) {
		p := pool()
		send(poolDesc, prometheus.GaugeValue, float64(p.Open-p.Idle), half, store, "used")
		send(poolDesc, prometheus.GaugeValue, float64(p.Idle), half, store, "idle")
		if p.Most > 0 {
			send(poolDesc, prometheus.GaugeValue, float64(p.Most), half, store, "most")
		}
		send(waitedDesc, prometheus.CounterValue, float64(p.Waited), half, store)
		send(waitedForDesc, prometheus.CounterValue, p.WaitedFor.Seconds(), half, store)
		send(timedOutDesc, prometheus.CounterValue, float64(p.TimedOut), half, store)
	}))
}

var (
	poolDesc = prometheus.NewDesc("handoff_pool_connections",
		"Connections to a store: used, idle, and most, which is how many there may be, where that is known.", []string{"half", "store", "state"}, nil)
	waitedDesc = prometheus.NewDesc("handoff_pool_waits_total",
		"How often somebody had to wait for a connection.", []string{"half", "store"}, nil)
	waitedForDesc = prometheus.NewDesc("handoff_pool_wait_seconds_total",
		"For how long they waited, all together.", []string{"half", "store"}, nil)
	timedOutDesc = prometheus.NewDesc("handoff_pool_timeouts_total",
		"How often they waited in vain.", []string{"half", "store"}, nil)
)

// Queued adds how many requests of the half wait for a statement that they share.
func (r *Registry) Queued(half string, waiting func() int) {
	r.registry.MustRegister(asked(func(send sending) { send(queuedDesc, prometheus.GaugeValue, float64(waiting()), half) }))
}

var queuedDesc = prometheus.NewDesc("handoff_statements_queued",
	"Mints, exchanges, arrivals, logins, refreshes and refusals that wait for the statements before theirs; they go out together.", []string{"half"}, nil)

// Hashing is what the process' password hashes do: slots of 64 MiB that compute and that
// there are, callers that wait and that may, and those that were told to come back.
type Hashing struct {
	Taken, Slots, Waiting, Queue int
	Busy                         uint64
}

// Hashing adds them.
func (r *Registry) Hashing(load func() Hashing) {
	r.registry.MustRegister(asked(func(send sending) {
		h := load()
		for state, n := range map[string]int{"running": h.Taken, "slots": h.Slots, "waiting": h.Waiting, "queue": h.Queue} {
			send(hashingDesc, prometheus.GaugeValue, float64(n), state)
		}
		send(hashingBusyDesc, prometheus.CounterValue, float64(h.Busy))
	}))
}

var (
	hashingDesc = prometheus.NewDesc("handoff_password_hashing",
		"Passwords: slots that are running, slots that there are, callers waiting, and queue, which is how many may.", []string{"state"}, nil)
	hashingBusyDesc = prometheus.NewDesc("handoff_password_busy_total",
		"Logins that were told to come back, because the queue was full or their time was over.", nil, nil)
)

// TraceFailures adds the messages of spans that the collector did not take.
func (r *Registry) TraceFailures(messages func() uint64) {
	r.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "handoff_trace_export_failures_total",
		Help: "Messages of spans that the trace collector did not take; their spans are dropped.",
	}, func() float64 { return float64(messages()) }))
}

// ServiceTokenKeys adds which service tokens and bearers of services are accepted, by key id:
// "current", which stay, or "previous", which are to go.
func (r *Registry) ServiceTokenKeys(current, previous []string) {
	r.registry.MustRegister(asked(func(send sending) {
		for _, keyID := range current {
			send(tokenKeyDesc, prometheus.GaugeValue, 1, keyID, "current")
		}
		for _, keyID := range previous {
			send(tokenKeyDesc, prometheus.GaugeValue, 1, keyID, "previous")
		}
	}))
}

var tokenKeyDesc = prometheus.NewDesc("handoff_service_token_key",
	"Always 1: the service tokens, and the bearers of services, that are accepted, and which of them are to go.", []string{"key_id", "use"}, nil)

// sending sends one figure.
type sending func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string)

// asked is a collector that asks when it is scraped.
type asked func(send sending)

// Describe implements prometheus.Collector; it describes nothing, since the same figures
// come of both halves.
func (asked) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (a asked) Collect(figures chan<- prometheus.Metric) {
	a(func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		figures <- prometheus.MustNewConstMetric(desc, kind, value, labels...)
	})
}
