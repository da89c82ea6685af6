package bench

import "time"

// Turn is what one contender's turn came to. Times are nanoseconds.
type Turn struct {
	Operation, Contender string
	Connections, Round   int
	Answers, Failed      int
	Complaint            string `json:",omitempty"`
	Rate                 float64
	P50, P99             time.Duration
	// For each answer: allocations of the program, and processor time.
	Mallocs                  float64
	Program, Postgres, Redis time.Duration
	// Driver is the load generator's own.
	Driver time.Duration
	// WAL is what Postgres wrote ahead for each answer, in bytes, where that was asked.
	WAL float64 `json:",omitempty"`
}

func newTurn(t turnOf, d driven, before, after spent) Turn {
	each := float64(max(1, len(d.took)+d.failed))
	per := func(from, to time.Duration) time.Duration { return time.Duration(float64(to-from) / each) }
	turn := Turn{
		Operation: t.operation.name, Contender: t.by.name, Connections: t.connections,
		Answers: len(d.took), Failed: d.failed, Rate: d.rate(), P50: d.percentile(50), P99: d.percentile(99),
		Mallocs: float64(after.Mallocs-before.Mallocs) / each, Program: per(before.Processor, after.Processor),
		Postgres: per(before.postgres, after.postgres), Redis: per(before.redis, after.redis), Driver: per(0, d.computed),
	}
	if d.failed > 0 {
		turn.Complaint = d.complaint
	}
	return turn
}

// all is the processor time of everybody but the one who asks.
func (t Turn) all() time.Duration { return t.Program + t.Postgres + t.Redis }
