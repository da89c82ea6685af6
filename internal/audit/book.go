package audit

import (
	"context"
	"errors"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

// Book hears what became of a half's rows, so that what is counted is what is recorded,
// and nothing that was taken back. An adapter that commits rows settles them here, in one
// call behind the commit. The zero Book keeps nothing.
//
// When the answer to a COMMIT is lost nobody knows, and a row that is there was not
// counted: after an outage the log has more than the book, never less.
type Book struct {
	// Written is told of each row once it is committed.
	Written func(Record)
	// Lost is told that rows, and with them what they record, were not committed (I4).
	Lost func(Loss)
}

// Loss says why.
type Loss string

// The losses.
const (
	// Unavailable: Postgres is away, slow, full or changing hands.
	Unavailable Loss = "unavailable"
	// Refused: it is there and does not take the row, because of rights, a check or a
	// trigger. It will not pass by itself.
	Refused Loss = "refused"
)

// Settle says that the statement or transaction with these rows ended in err, which it
// returns. A request that was given up, or gave way to whoever has the lock, is no failure
// of the log, nor is an error that is no outage: then there was nothing to record.
func (b Book) Settle(err error, rows ...Record) error {
	var down *outage.Error
	switch {
	case err == nil && b.Written != nil:
		for _, row := range rows {
			b.Written(row)
		}
	case errors.As(err, &down) && b.Lost != nil && !errors.Is(err, context.Canceled) && !gaveWay(err):
		loss := Unavailable
		if known := (refused{}); errors.As(err, &known) {
			loss = Refused
		}
		b.Lost(loss)
	}
	return err
}

// Times is n rows like r, for a statement that wrote as many.
func Times(n int64, r Record) []Record {
	rows := make([]Record, max(n, 0))
	for i := range rows {
		rows[i] = r
	}
	return rows
}

// refused marks what Postgres has said no to.
type refused struct{ error }

// Unwrap gives the cause.
func (r refused) Unwrap() error { return r.error }
