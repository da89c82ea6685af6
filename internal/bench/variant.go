package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// variant is a service under some circumstances, beside the same or another one under
// others.
type variant struct {
	name string
	rig  *rig
	// begin brings the circumstances about, when the requests of a turn are made, and end
	// does away with them; nil for none.
	begin func(ctx context.Context) (end func() error, err error)
}

// alternate has the variants take turns at each operation, and prints what they came to, and
// the ratios of all others against the first.
func (s *sizing) alternate(ctx context.Context, chosen []operation, variants []variant) error {
	var turns []Turn
	for _, op := range chosen {
		for _, connections := range op.at(s.options.Connections) {
			some, err := s.rounds(ctx, op, connections, variants)
			if err != nil {
				return fmt.Errorf("%s at %d: %w", op.name, connections, err)
			}
			turns = append(turns, some...)
		}
	}
	var b strings.Builder
	absolutes(&b, turns, variants)
	against(&b, turns, variants)
	for _, t := range turns {
		if t.Failed > 0 {
			s.failed = true
			fmt.Fprintf(&b, "\n**%d requests of %s failed (%s)**, the first with: %s\n", t.Failed, t.Operation, t.Contender, t.Complaint)
		}
	}
	return s.printf("%s", b.String())
}

// rounds are the turns of one operation. In the one before the first all warm up.
func (s *sizing) rounds(ctx context.Context, op operation, connections int, variants []variant) ([]Turn, error) {
	needed := map[string]int{}
	var turns []Turn
	for round := range s.options.Rounds + 1 {
		for i := range variants {
			v := variants[(i+round)%len(variants)]
			turn, err := v.turn(ctx, turnOf{
				operation: op, by: contender{name: v.name, program: service}, connections: connections, requests: max(needed[v.name], firstTurn), limit: s.options.Turn,
			})
			if err != nil {
				return nil, err
			}
			turn.Round = round
			needed[v.name] = max(needed[v.name], turn.enough(s.options.Turn))
			turns = append(turns, turn)
			s.options.Log("%s, %d connections, round %d of %d: %-10s %7.0f/s, p99 %v%s", op.name, connections, round, s.options.Rounds,
				v.name, turn.Rate, turn.P99.Round(10*time.Microsecond), turn.Complaint)
		}
	}
	return turns, nil
}

// turn is a turn under the circumstances, which begin when its requests are made.
func (v variant) turn(ctx context.Context, t turnOf) (turn Turn, err error) {
	end := func() error { return nil }
	defer func() { err = errors.Join(err, end()) }()
	prepare := t.operation.prepare
	t.operation.prepare = func(ctx context.Context, w *world, by contender, n int) ([][]byte, error) {
		requests, err := prepare(ctx, w, by, n)
		if err == nil && v.begin != nil {
			var begun func() error
			if begun, err = v.begin(ctx); err == nil {
				end = begun
			}
		}
		return requests, err
	}
	return v.rig.loggedTurn(ctx, t)
}

func absolutes(b *strings.Builder, turns []Turn, variants []variant) {
	b.WriteString("\n| operation | connections | | answers/s | p50 | p99 | CPU: program | Postgres | Redis | WAL |\n| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, c := range cells(turns) {
		for _, v := range variants {
			some := of(turns, c, v.name)
			fmt.Fprintf(b, "| %s | %d | %s | %.0f | %s | %s | %s | %s | %s | %.1f kB |\n", c.operation, c.connections, v.name,
				median(some, func(t Turn) float64 { return t.Rate }),
				millis(median(some, func(t Turn) time.Duration { return t.P50 })),
				millis(median(some, func(t Turn) time.Duration { return t.P99 })),
				micros(median(some, func(t Turn) time.Duration { return t.Program })),
				micros(median(some, func(t Turn) time.Duration { return t.Postgres })),
				micros(median(some, func(t Turn) time.Duration { return t.Redis })),
				median(some, func(t Turn) float64 { return t.WAL })/1000)
		}
	}
}

func against(b *strings.Builder, turns []Turn, variants []variant) {
	fmt.Fprintf(b, "\n| against %s | | connections | CPU: program | Postgres | Redis | of all | p50 | p99 |\n| --- | --- | --: | --: | --: | --: | --: | --: | --: |\n", variants[0].name)
	for _, c := range cells(turns) {
		first := of(turns, c, variants[0].name)
		for _, v := range variants[1:] {
			times := func(figure func(Turn) time.Duration) float64 {
				return ratio(of(turns, c, v.name), first, func(t Turn) float64 { return float64(figure(t)) })
			}
			fmt.Fprintf(b, "| %s | %s | %d | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f |\n", c.operation, v.name, c.connections,
				times(func(t Turn) time.Duration { return t.Program }), times(func(t Turn) time.Duration { return t.Postgres }),
				times(func(t Turn) time.Duration { return t.Redis }), times(Turn.all),
				times(func(t Turn) time.Duration { return t.P50 }), times(func(t Turn) time.Duration { return t.P99 }))
		}
	}
}
