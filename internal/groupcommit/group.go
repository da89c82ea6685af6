package groupcommit

import (
	"context"
	"errors"

	"github.com/hello-world-co-op/handoff/internal/batch"
	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Group serves rows, by one statement. Make it with [New]; it is safe for concurrent use.
type Group[Row, Result any] struct {
	statement[Row, Result]
	*batch.Queue[*asked[Row, Result]]
}

// Watch is told of each row that queues.
type Watch = batch.Watch

// asked is a row and what became of it.
type asked[Row, Result any] struct {
	row Row
	answer[Result]
}

// answer is what became of a row.
type answer[Result any] struct {
	result Result
	// served: the statement had a row for it. Else it has changed nothing, and if
	// passedOver it may do so alone.
	served, passedOver bool
	err                error
}

// Do serves row together with others, or alone if it was passed over. It reports false
// where the statement does not match the row, and has changed nothing.
func (g *Group[Row, Result]) Do(ctx context.Context, row Row) (Result, bool, error) {
	a := g.try(ctx, row)
	if a.passedOver || g.locks && !a.served && a.err == nil {
		a = g.one(ctx, g.alone, row)
	}
	return a.result, a.served, a.err
}

// Try is [Group.Do] for who knows another way when row is passed over: false may also
// mean that somebody held what the row needs, or that another row made the statement fail.
func (g *Group[Row, Result]) Try(ctx context.Context, row Row) (Result, bool, error) {
	a := g.try(ctx, row)
	return a.result, a.served, a.err
}

func (g *Group[Row, Result]) try(ctx context.Context, row Row) answer[Result] {
	a := &asked[Row, Result]{row: row}
	switch _, err := g.Queue.Do(ctx, a); {
	case err == nil:
		return a.answer
	case errors.Is(err, batch.ErrFull), errors.Is(err, batch.ErrUnsent):
		return answer[Result]{err: outage.Unasked("postgres", err)}
	case errors.Is(err, batch.ErrOnItsWay):
		return answer[Result]{err: outage.New("postgres", err)}
	default:
		return answer[Result]{err: err}
	}
}

// send serves what goes together.
func (g *Group[Row, Result]) send(ctx context.Context, together []*asked[Row, Result]) {
	if len(together) == 1 {
		together[0].answer = g.one(ctx, g.single, together[0].row)
		return
	}
	rows := make([]Row, len(together))
	for i, a := range together {
		rows[i] = a.row
	}
	answers, err := g.many(ctx, rows)
	for i, a := range together {
		switch {
		case err == nil:
			a.answer = answers[i]
		case refused(err): // because of one row
			a.answer = answer[Result]{passedOver: true}
		default:
			a.answer = answer[Result]{err: err}
		}
	}
}
