package handoff

import (
	"time"

	"github.com/google/uuid"

	"github.com/hello-world-co-op/handoff/internal/token"
)

// Stage is how far a hand-off has come.
type Stage string

// The stages. The DAO half sees the first two, the FOS half the others, of which those
// between StageArrived and StageInside are of people who were asked.
const (
	StageMinted    Stage = "minted"
	StageExchanged Stage = "exchanged"
	StageArrived   Stage = "arrived" // with a token that was good
	StageAsked     Stage = "asked"
	StageAgreed    Stage = "agreed"
	StageDeclined  Stage = "declined"
	StageInside    Stage = "session"
)

// Step is one hand-off that has come to a stage, and how long it took from another one; a
// mint comes from nowhere.
type Step struct {
	From, To Stage
	Took     time.Duration
}

// Steps are all that are taken.
func Steps() []Step {
	return []Step{
		{To: StageMinted}, {From: StageMinted, To: StageExchanged},
		{From: StageMinted, To: StageArrived}, {From: StageArrived, To: StageInside}, {From: StageArrived, To: StageAsked},
		{From: StageAsked, To: StageAgreed}, {From: StageAsked, To: StageDeclined}, {From: StageAgreed, To: StageInside},
	}
}

// Progress is told of each step; nil tells nobody. What a browser repeats is told once, but
// for arrivals that ended in an outage.
type Progress func(Step)

// step tells of one. The clocks of two halves may be a little apart, and the wrong way round.
func (p Progress) step(from, to Stage, took time.Duration) {
	if p != nil {
		p(Step{from, to, max(took, 0)})
	}
}

// arrived tells of an arrival that began at begun, and of what has become of it by now.
func (p Progress) arrived(landed Landed, claims token.Claims, begun, now time.Time) {
	if landed.repeated {
		return
	}
	p.step(StageMinted, StageArrived, begun.Sub(claims.IssuedAt))
	switch {
	case landed.Question != nil:
		p.step(StageArrived, StageAsked, now.Sub(begun))
	case landed.Session.ID != uuid.Nil:
		p.step(StageArrived, StageInside, now.Sub(begun))
	}
}

// answered tells of a question, and answered at begun.
func (p Progress) answered(landed Landed, asked token.Parked, begun, now time.Time) {
	if landed.repeated || landed.Question != nil { // asked once more
		return
	}
	p.step(StageAsked, StageAgreed, begun.Sub(askedAt(asked)))
	p.step(StageAgreed, StageInside, now.Sub(begun))
}

// askedAt is when a question was put first.
func askedAt(p token.Parked) time.Time { return p.Until.Add(-token.ParkedTTL) }
