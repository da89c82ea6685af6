// Package metrics is the registry that operators scrape: the Go runtime's and the
// process's own figures, the build, and every HTTP request by half, method, route
// pattern and status.
//
// Labels are closed sets. A label whose value a client can choose (a path, a
// code it sent, an address) would let a stranger fill the memory of every scraper,
// and put personal data where it is kept for years (invariant I6).
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds the process's metrics. It is safe for concurrent use.
type Registry struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

// New returns a registry for one process of this version.
func New(version string) *Registry {
	r := &Registry{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "handoff_http_request_duration_seconds",
			Help: "Time to answer HTTP requests, by half, method, route pattern and status.",
			// From a cached read to the request deadline of 2.9 s.
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 3},
		}, []string{"half", "method", "route", "status"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "handoff_build_info", Help: "Always 1; the label says which version runs.",
	}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	r.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), r.requests, build,
	)
	return r
}

// Request counts one answered request. Method and route must be of closed sets.
func (r *Registry) Request(half, method, route string, status int, took time.Duration) {
	r.requests.WithLabelValues(half, method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

// TokenUse is when a service token was accepted. First is zero where that is not known.
type TokenUse struct{ First, Last time.Time }

// ServiceTokens adds, by key id, when each service token was last accepted by this process,
// and since when it has been by any. The ids are as few as were configured.
func (r *Registry) ServiceTokens(uses func() map[string]TokenUse) {
	r.registry.MustRegister(tokenUse{uses})
}

// Unlimited adds how many tries of a half were let pass because its limiter could
// not be asked.
func (r *Registry) Unlimited(half string, passed func() uint64) {
	r.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "handoff_rate_limit_unchecked_total", ConstLabels: prometheus.Labels{"half": half},
		Help: "Tries that were let pass uncounted because Redis did not answer.",
	}, func() float64 { return float64(passed()) }))
}

// Resurrected adds the redeemed tokens that Redis gave back, which should never happen.
func (r *Registry) Resurrected(tokens func() uint64) {
	r.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "handoff_tokens_resurrected_total",
		Help: "Redeemed tokens that Redis gave back. They were refused; alarm all the same.",
	}, func() float64 { return float64(tokens()) }))
}

// Unresolved adds the hand-offs that were, or may have been, lost in an outage.
func (r *Registry) Unresolved(half string, outcomes func() uint64) {
	r.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "handoff_exchanges_unresolved_total", ConstLabels: prometheus.Labels{"half": half},
		Help: "Exchanges and arrivals without a key that ended in an outage when the token was redeemed, or may have been.",
	}, func() float64 { return float64(outcomes()) }))
}

// Shed adds the requests that there was no place for.
func (r *Registry) Shed(requests func() uint64) {
	r.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "handoff_requests_shed_total",
		Help: "Requests that were answered 503 because too many were being worked on.",
	}, func() float64 { return float64(requests()) }))
}

// Evicted adds the connections of a half that were of no use and in the way.
func (r *Registry) Evicted(half string, connections func() uint64) {
	r.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "handoff_connections_evicted_total", ConstLabels: prometheus.Labels{"half": half},
		Help: "Connections that were closed to make room for others.",
	}, func() float64 { return float64(connections()) }))
}

// Endings adds what a half's courier has to tell the other half: how many hand-offs, for
// how long the oldest has waited, and how often telling has failed.
func (r *Registry) Endings(half string, waiting func() (int, time.Duration), failures func() uint64) {
	labels := prometheus.Labels{"half": half}
	r.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "handoff_endings_waiting", ConstLabels: labels,
			Help: "Ended hand-offs that the other half has not been told of.",
		}, func() float64 { n, _ := waiting(); return float64(n) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "handoff_endings_oldest_seconds", ConstLabels: labels,
			Help: "For how long the oldest of them has waited. More than 5 outside an outage is worth an alarm.",
		}, func() float64 { _, oldest := waiting(); return oldest.Seconds() }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "handoff_endings_failures_total", ConstLabels: labels,
			Help: "Tries to tell the other half that failed.",
		}, func() float64 { return float64(failures()) }),
	)
}

// tokenUse asks when it is scraped.
type tokenUse struct{ uses func() map[string]TokenUse }

var (
	tokenUseDesc = prometheus.NewDesc("handoff_service_token_last_used_timestamp_seconds",
		"When this process last accepted the service token with the key id; absent until it does.", []string{"key_id"}, nil)
	tokenAgeDesc = prometheus.NewDesc("handoff_service_token_first_used_timestamp_seconds",
		"When any process first accepted the service token with the key id: its age. Absent until this one has accepted it.", []string{"key_id"}, nil)
)

// Describe implements prometheus.Collector.
func (tokenUse) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- tokenUseDesc
	descriptions <- tokenAgeDesc
}

// Collect implements prometheus.Collector.
func (t tokenUse) Collect(figures chan<- prometheus.Metric) {
	for keyID, use := range t.uses() {
		for desc, at := range map[*prometheus.Desc]time.Time{tokenUseDesc: use.Last, tokenAgeDesc: use.First} {
			if !at.IsZero() {
				figures <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(at.UnixMilli())/1000, keyID)
			}
		}
	}
}

// Handler serves the metrics in Prometheus' text format.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{})
}
