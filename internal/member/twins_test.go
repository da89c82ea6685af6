package member_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/member"
)

// The rule "is this session live" stands in Go and in SQL, since the statements
// that act on a session must not ask first and act later. They must agree at
// every edge.
func TestLiveSQL_agreesWithSessionCheck(t *testing.T) {
	t.Parallel()
	db := database(t)
	owner := seed(t, db, account(t, "ada@example.org"))
	edges := []time.Duration{-time.Hour, -time.Microsecond, 0, time.Microsecond, time.Hour}
	outcomes := map[string]int{}
	for _, idle := range edges {
		for _, absolute := range edges {
			for _, ended := range append([]time.Duration{1}, edges...) {
				s := member.NewSession(uuid.New(), owner, noon.Add(-2*time.Hour))
				s.IdleExpiresAt, s.ExpiresAt = noon.Add(idle), noon.Add(absolute)
				if ended != 1 {
					at := noon.Add(ended)
					s.EndedAt = &at
				}
				write(t, db, s, newCookie(t))
				var inSQL bool
				err := db.QueryRow(context.Background(), `SELECT `+member.LiveSQL+` FROM sessions s WHERE s.id = @id`,
					pgx.NamedArgs{"id": s.ID, "now": noon}).Scan(&inSQL)
				if err != nil {
					t.Fatal(err)
				}
				inGo := s.Check(noon)
				if inSQL != (inGo == nil) {
					t.Errorf("idle %v, absolute %v, ended %v: SQL says %v, Go %v", idle, absolute, s.EndedAt, inSQL, inGo)
				}
				outcomes[fmt.Sprint(inGo)]++
			}
		}
	}
	for _, outcome := range []error{nil, member.ErrNoSession, member.ErrSessionRevoked} {
		if outcomes[fmt.Sprint(outcome)] == 0 {
			t.Errorf("no case gave %v: %v", outcome, outcomes)
		}
	}
}

// A session that has ended is revoked, also when it has expired as well: the
// person is told what happened.
func TestSessionCheck_endedBeforeExpired(t *testing.T) {
	t.Parallel()
	s := member.NewSession(uuid.New(), uuid.New(), noon)
	at := noon.Add(time.Minute)
	s.EndedAt = &at
	if err := s.Check(noon.Add(30 * 24 * time.Hour)); !errors.Is(err, member.ErrSessionRevoked) {
		t.Error(err)
	}
}
