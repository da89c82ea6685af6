package audit_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/outage"
)

// The book hears of what is certain: rows that are committed, and rows that are lost. An
// error that is somebody's refusal is neither, nor is somebody who went away.
func TestTheBookHearsOfWhatIsCertain(t *testing.T) {
	t.Parallel()
	away := outage.Unasked("postgres", errors.New("no connection"))
	for name, story := range map[string]struct {
		err   error
		heard []string
	}{
		"committed":          {nil, []string{"login.failed", "login.failed"}},
		"no connection":      {audit.Unrecorded(away), []string{"unavailable"}},
		"shutting down":      {audit.Unrecorded(&pgconn.PgError{Code: "57P01"}), []string{"unavailable"}},
		"no right":           {audit.Unrecorded(&pgconn.PgError{Code: "42501"}), []string{"refused"}},
		"on a journey":       {fmt.Errorf("on a journey: %w", audit.Unrecorded(&pgconn.PgError{Code: "23514"})), []string{"refused"}},
		"somebody went away": {audit.Unrecorded(context.Canceled), nil},
		"gave way":           {audit.Unrecorded(&pgconn.PgError{Code: "55P03"}), nil},
		"refused":            {errors.New("not yours"), nil},
	} {
		var heard []string
		book := audit.Book{
			Written: func(r audit.Record) { heard = append(heard, string(r.Event)) },
			Lost:    func(why audit.Loss) { heard = append(heard, string(why)) },
		}
		rows := audit.Times(2, audit.Record{Event: audit.LoginFailed})
		if err := book.Settle(story.err, rows...); !errors.Is(err, story.err) {
			t.Errorf("%s: became %v", name, err)
		}
		if !slices.Equal(heard, story.heard) {
			t.Errorf("%s: heard %q, want %q", name, heard, story.heard)
		}
		if err := (audit.Book{}).Settle(story.err, rows...); !errors.Is(err, story.err) {
			t.Errorf("%s: became %v where nobody hears", name, err)
		}
	}
}
