package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Audit counts a half's audit rows by their own words, which are the sets that are given.
type Audit struct {
	events, outcomes, reasons, losses words

	rows *prometheus.CounterVec
	lost *prometheus.CounterVec
}

// AuditWords are the closed sets of package audit.
type AuditWords[Event, Outcome, Reason, Loss ~string] struct {
	Events   []Event
	Outcomes []Outcome
	Reasons  []Reason
	Losses   []Loss
}

// AddAudit adds a half's audit rows and those that could not be written.
func AddAudit[E, O, R, L ~string](r *Registry, half string, w AuditWords[E, O, R, L]) *Audit {
	labels := prometheus.Labels{"half": half}
	a := &Audit{
		events: wordsOf(w.Events), outcomes: wordsOf(w.Outcomes), reasons: wordsOf(w.Reasons), losses: wordsOf(w.Losses),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_audit_rows_total", ConstLabels: labels,
			Help: "Audit rows that this process has committed, and with each what it records.",
		}, []string{"event", "outcome", "reason"}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_audit_failures_total", ConstLabels: labels,
			Help: "Statements that failed because their audit row could not be written: unavailable (Postgres is away, slow or full) or refused (rights, a check).",
		}, []string{"why"}),
	}
	for _, loss := range a.losses.all() {
		a.lost.WithLabelValues(loss)
	}
	r.registry.MustRegister(a.rows, a.lost)
	return a
}

// Expect lets a kind of row stand at 0 from the start.
func (a *Audit) Expect(event, outcome, reason string) { a.of(event, outcome, reason) }

// Row counts one row.
func (a *Audit) Row(event, outcome, reason string) { a.of(event, outcome, reason).Inc() }

func (a *Audit) of(event, outcome, reason string) prometheus.Counter {
	return a.rows.WithLabelValues(a.events.label(event), a.outcomes.label(outcome), a.reasons.label(reason))
}

// Lost counts a row that could not be written.
func (a *Audit) Lost(why string) { a.lost.WithLabelValues(a.losses.label(why)).Inc() }

// Steps counts hand-offs as they come to each stage, and how long each step takes.
type Steps struct {
	known words
	stage *prometheus.CounterVec
	took  *prometheus.HistogramVec
}

// AddSteps adds a half's; stages is the closed set.
func AddSteps[Stage ~string](r *Registry, half string, stages []Stage) *Steps {
	labels := prometheus.Labels{"half": half}
	s := &Steps{
		known: wordsOf(stages),
		stage: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "handoff_stage_total", ConstLabels: labels,
			Help: "Hand-offs that came to a stage: minted, exchanged (DAO half); arrived, asked, agreed, declined, session (FOS half).",
		}, []string{"stage"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "handoff_step_duration_seconds", ConstLabels: labels,
			Help: "How long a hand-off took from one stage to another.",
			// From two statements to a person who thinks for the 120 s that they have.
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120},
		}, []string{"from", "to"}),
	}
	r.registry.MustRegister(s.stage, s.took)
	return s
}

// Expect lets a step stand at 0 from the start. From "" is the beginning, which takes no
// time.
func (s *Steps) Expect(from, to string) {
	s.stage.WithLabelValues(s.known.label(to))
	if from != "" {
		s.took.WithLabelValues(s.known.label(from), s.known.label(to))
	}
}

// Step counts one.
func (s *Steps) Step(from, to string, took time.Duration) {
	s.stage.WithLabelValues(s.known.label(to)).Inc()
	if from != "" {
		s.took.WithLabelValues(s.known.label(from), s.known.label(to)).Observe(took.Seconds())
	}
}

// Outcomes adds what a half's requests come to at each of its stages, and returns the
// function that counts one.
func (r *Registry) Outcomes(half string, stages, outcomes []string) func(stage, outcome string) {
	knownStages, knownOutcomes := wordsOf(stages), wordsOf(outcomes)
	counted := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "handoff_outcomes_total", ConstLabels: prometheus.Labels{"half": half},
		Help: "Requests of each stage of a hand-off by what they came to: ok, asked, overloaded or a problem's code.",
	}, []string{"stage", "outcome"})
	for _, stage := range stages {
		for _, outcome := range outcomes {
			counted.WithLabelValues(stage, outcome)
		}
	}
	r.registry.MustRegister(counted)
	return func(stage, outcome string) {
		counted.WithLabelValues(knownStages.label(stage), knownOutcomes.label(outcome)).Inc()
	}
}
