package daoapi_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// noted is when the table says that the token was last used, once it says so: the
// write runs behind the answer.
func noted(t testing.TB, s *testkit.Service, token string, since time.Time) time.Time {
	t.Helper()
	patience, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		var at time.Time
		err := s.DAO.QueryRow(patience, `SELECT last_used_at FROM service_token_use WHERE key_id = $1 AND last_used_at >= $2`,
			privacy.NewSecret(token).KeyID(), since).Scan(&at)
		if err == nil {
			return at
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal("it is not noted", err)
		}
	}
}

// shown are the times at /health/detailed, asked with the token of now.
func shown(t testing.TB, s *testkit.Service) map[string]any {
	t.Helper()
	answer := wantOK(t, s.Browser(t).Get(s.DAOURL+"/health/detailed", bearer))
	uses, _ := answer.Body["service_token_last_used"].(map[string]any)
	return uses
}

// During a rotation an operator sees, by key id, when each service token was last
// used, at whichever replica: the old one may go when its time stands still.
func TestServiceToken_anOperatorSeesWhenEachWasLastUsed(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{Env: map[string]string{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": previousToken}})
	ada, peer := s.Member(t, "ada@example.org"), s.Browser(t)
	current, previous := privacy.NewSecret(testkit.ServiceToken).KeyID(), privacy.NewSecret(previousToken).KeyID()
	exchange := func(secret string) testkit.Answer {
		return peer.Post(s.DAOURL+exchangePath, map[string]any{"token": s.SignIn(t, ada).MintToken()}, header("Authorization", "Bearer "+secret))
	}
	wantProblem(t, exchange("wrong"), http.StatusUnauthorized, "invalid_service_token", "exchange")
	if n := testkit.Count(t, s.DAO, `SELECT count(*) FROM service_token_use`); n != 0 {
		t.Errorf("a wrong bearer is noted %d times", n)
	}

	old := s.Clock.Now()
	wantOK(t, exchange(previousToken))
	if at := noted(t, s, previousToken, old); !at.Equal(old) {
		t.Errorf("noted at %v, want %v", at, old)
	}
	s.Clock.Advance(time.Hour)
	now := s.Clock.Now()
	wantOK(t, exchange(testkit.ServiceToken))
	noted(t, s, testkit.ServiceToken, now)

	// A replica that has seen neither learns of them from the table.
	replica := s.Process(t, nil)
	s.Clock.Advance(time.Second)
	for name, half := range map[string]*testkit.Service{"this one": s, "a replica": replica} {
		uses := shown(t, half)
		if len(uses) != 2 || uses[previous] != float64(old.UnixMilli()) || uses[current] != float64(s.Clock.Now().UnixMilli()) {
			t.Errorf("%s shows %v; the old one was used at %d, and the current at %d to ask", name, uses, old.UnixMilli(), s.Clock.Now().UnixMilli())
		}
	}
	// The table hears of a token at most every half minute, and keeps the later time.
	s.Clock.Advance(time.Minute)
	wantOK(t, exchange(previousToken))
	later := noted(t, s, previousToken, s.Clock.Now())
	testkit.Exec(t, s.DAO, `UPDATE service_token_use SET last_used_at = $1`, later.Add(time.Hour)) // by a replica whose clock is ahead
	s.Clock.Advance(31 * time.Second)
	wantOK(t, exchange(previousToken))
	if uses := shown(t, s); uses[previous] != float64(later.Add(time.Hour).UnixMilli()) {
		t.Errorf("a time went back: %v", uses)
	}
}

// The database is told behind the answer, or the operator would pay for each
// exchange with another commit: when it cannot be told, the exchange is as good.
func TestServiceToken_whatCannotBeNotedStopsNothing(t *testing.T) {
	t.Parallel()
	s := testkit.Start(t, testkit.Options{})
	testkit.Exec(t, s.DAO, `ALTER TABLE service_token_use RENAME TO away`)
	peer := s.Browser(t)
	wantOK(t, present(peer, s.DAOURL, s.SignIn(t, s.Member(t, "ada@example.org")).MintToken(), nil))
	if uses := shown(t, s); len(uses) != 1 { // what this process knows by itself
		t.Errorf("uses %v", uses)
	}
}
