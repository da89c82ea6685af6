package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Replicas measures the service in several processes over the same stores, counts[i] of them
// at a time and in turns, the connections dealt out among them as a proxy would; each process
// has as many as the first has alone, so that as many share a statement. After each turn it
// looks at what the answers were worth, and fails if that is less than they said.
func Replicas(ctx context.Context, dir string, counts []int, o Options) error {
	if len(o.Operations) == 0 {
		o.Operations = usual
	}
	chosen, err := choose(o.Operations)
	if err != nil {
		return err
	}
	programs := slices.Repeat([]string{service}, slices.Max(counts))
	o.Profiles = "" // all would write the same one
	return onRig(ctx, dir, o, programs, func(r *rig) error { return r.replicas(ctx, chosen, counts, o) })
}

// replicas has the numbers of processes take turns at each operation, and reports.
func (r *rig) replicas(ctx context.Context, chosen []operation, counts []int, o Options) error {
	about, err := r.describe(ctx, fmt.Sprintf("%d people; %d rounds of %v for each number of processes, taking turns; everything on one machine", o.People, o.Rounds, o.Turn))
	if err != nil {
		return err
	}
	var checked checks
	var turns []Turn
	for _, op := range chosen {
		for _, connections := range op.at(o.Connections) {
			some, err := r.spread(ctx, spreading{op, connections, counts, &checked}, o)
			if err != nil {
				return fmt.Errorf("%s at %d: %w", op.name, connections, err)
			}
			turns = append(turns, some...)
		}
	}
	if err := o.keep(about, turns); err != nil {
		return err
	}
	weighed, err := r.world.weigh(ctx)
	if err != nil {
		return err
	}
	return reportReplicas(o.Out, about, turns, fmt.Sprintf("Every answer was good; %d had their audit row, and %d times a used token was refused by a process.", checked.rows, checked.replays), weighed)
}

// checks are what was looked at, and was as it should be.
type checks struct{ rows, replays int }

type spreading struct {
	operation   operation
	connections int
	counts      []int
	checked     *checks
}

// spread has the numbers of processes take turns, after one each that is not counted.
func (r *rig) spread(ctx context.Context, s spreading, o Options) ([]Turn, error) {
	var turns []Turn
	needed := firstTurn
	if err := r.world.takeStock(ctx); err != nil {
		return nil, err
	}
	for round := range o.Rounds + 1 {
		for i := range s.counts {
			n := s.counts[(i+round)%len(s.counts)]
			limit := o.Turn
			if round == 0 {
				limit = warmUp
			}
			turn, err := r.checkedTurn(ctx, turnOf{s.operation, ours, n * s.connections, needed, limit, n}, s.checked)
			if err != nil {
				return nil, err
			}
			needed = max(needed, turn.enough(o.Turn))
			turn.Round, turn.Contender, turn.Connections = round, strconv.Itoa(n), s.connections
			turns = append(turns, turn)
			o.Log("%s, %d connections each, round %d of %d: %d processes %7.0f/s, p99 %v", s.operation.name, s.connections, round, o.Rounds,
				n, turn.Rate, turn.P99.Round(10*time.Microsecond))
		}
	}
	return turns, nil
}

// checkedTurn is a turn, of which every answer was good and has its one audit row (I4), and
// after which no process takes a token again (I1).
func (r *rig) checkedTurn(ctx context.Context, t turnOf, checked *checks) (Turn, error) {
	var requests [][]byte
	var before int
	prepare := t.operation.prepare
	t.operation.prepare = func(ctx context.Context, w *world, by contender, n int) (_ [][]byte, err error) {
		if before, err = r.rows(ctx, t.operation.name); err != nil {
			return nil, err
		}
		requests, err = prepare(ctx, w, by, n)
		return requests, err
	}
	turn, err := r.loggedTurn(ctx, t)
	if err != nil {
		return turn, err
	}
	if turn.Failed > 0 {
		return turn, fmt.Errorf("%w: %d, the first with %s", ErrFailed, turn.Failed, turn.Complaint)
	}
	after, err := r.rows(ctx, t.operation.name)
	if err != nil {
		return turn, err
	}
	if after-before != turn.Answers && recordOf[t.operation.name].event != "" {
		return turn, fmt.Errorf("%w: %d answers left %d rows", ErrFailed, turn.Answers, after-before)
	}
	checked.rows += after - before
	if t.operation.name != "exchange" {
		return turn, nil
	}
	n, err := replay(ctx, addresses(r.running(t), "dao"), requests[:min(turn.Answers, shownAgain)])
	checked.replays += n
	return turn, err
}

// recordOf is the audit row of an operation, and in which database.
var recordOf = map[string]struct {
	event string
	of    func(*world) *pgxpool.Pool
}{
	"mint":     {"handoff.minted", func(w *world) *pgxpool.Pool { return w.dao }},
	"exchange": {"handoff.exchanged", func(w *world) *pgxpool.Pool { return w.dao }},
	"login":    {"session.created", func(w *world) *pgxpool.Pool { return w.fos }},
}

func (r *rig) rows(ctx context.Context, operation string) (n int, err error) {
	record, known := recordOf[operation]
	if !known {
		return 0, nil
	}
	if err := record.of(r.world).QueryRow(ctx, "SELECT count(*) FROM audit_log WHERE event = $1 AND outcome = 'success'", record.event).Scan(&n); err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	return n, nil
}

// shownAgain is how many tokens of a turn are shown again to every process.
const shownAgain = 100

// replay shows used tokens to every process once more, by callers with keys of their own,
// and says how many it refused.
func replay(ctx context.Context, processes []string, requests [][]byte) (refused int, err error) {
	for _, address := range processes {
		w, err := dial(ctx, address)
		if err != nil {
			return refused, err
		}
		for _, request := range requests {
			status, body, err := w.do(withAnotherKey(request))
			if err != nil || status != 400 || !bytes.Contains(body, []byte(`"token_used"`)) {
				w.close()
				return refused, errors.Join(fmt.Errorf("%w: a used token was answered %d %s", ErrFailed, status, body), err)
			}
			refused++
		}
		w.close()
	}
	return refused, nil
}

func withAnotherKey(request []byte) []byte {
	const header = "Idempotency-Key: "
	before, after, _ := bytes.Cut(request, []byte(header))
	_, after, _ = bytes.Cut(after, []byte("\r\n"))
	return slices.Concat(before, []byte(header+random(16)+"\r\n"), after)
}

func reportReplicas(out io.Writer, about description, turns []Turn, checked, weighed string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", about, checked)
	b.WriteString("\n| operation | connections of each | processes | answers/s | p50 | p99 | CPU: program | Postgres | Redis | of all | against the first | WAL |\n" +
		"| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n")
	for _, c := range cells(turns) {
		var counts []string
		for _, t := range turns {
			if t.Operation == c.operation && !slices.Contains(counts, t.Contender) {
				counts = append(counts, t.Contender)
			}
		}
		for _, n := range counts {
			some := of(turns, c, n)
			figure := func(f func(Turn) time.Duration) time.Duration { return median(some, f) }
			fmt.Fprintf(&b, "| %s | %d | %s | %.0f | %s | %s | %s | %s | %s | %s | %.2f | %.0f B |\n", c.operation, c.connections, n,
				median(some, func(t Turn) float64 { return t.Rate }),
				millis(figure(func(t Turn) time.Duration { return t.P50 })), millis(figure(func(t Turn) time.Duration { return t.P99 })),
				micros(figure(func(t Turn) time.Duration { return t.Program })), micros(figure(func(t Turn) time.Duration { return t.Postgres })),
				micros(figure(func(t Turn) time.Duration { return t.Redis })), micros(figure(Turn.all)),
				ratio(some, of(turns, c, counts[0]), func(t Turn) float64 { return float64(t.all()) }), median(some, func(t Turn) float64 { return t.WAL }))
		}
	}
	_, err := io.WriteString(out, b.String()+weighed)
	return err
}
