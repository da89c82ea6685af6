package signin_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/audit"
	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/signin"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

// trips are what is sent to Postgres, each a round trip: a "query" is one statement, a
// "batch" several.
type trips struct {
	mu   sync.Mutex
	sent []string
}

// trippers is a pool on the database whose round trips are counted.
func trippers(t *testing.T, url privacy.Secret) (*pgxpool.Pool, *trips) {
	t.Helper()
	counted := &trips{}
	pool, err := datastore.OpenWatched(t.Context(), url, datastore.ThroughItsOwnCrash, func(ctx context.Context, command string) (context.Context, func(error)) {
		counted.mu.Lock()
		defer counted.mu.Unlock()
		counted.sent = append(counted.sent, command)
		return ctx, func(error) {}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool, counted
}

// want runs do and compares what it has sent.
func (c *trips) want(t *testing.T, what string, do func() error, becomes error, want ...string) {
	t.Helper()
	c.sent = nil
	if err := do(); !errors.Is(err, becomes) || (err == nil) != (becomes == nil) {
		t.Errorf("%s: %v, want %v", what, err, becomes)
	}
	if !slices.Equal(c.sent, want) {
		t.Errorf("%s takes %q, want %q", what, c.sent, want)
	}
}

// What a browser does all the time is one statement, which is one round trip and, where it
// writes, one commit.
func TestTheFOSHalfAsksItsDatabaseOnce(t *testing.T) {
	t.Parallel()
	url := testkit.DatabaseURL(t, datastore.FOS)
	pool, sent := trippers(t, url)
	d := newDesk(t, func(c *signin.FOSConfig) { c.Store = signin.NewFOSStore(pool) })
	d.db = testkit.Pool(t, url)
	d.s.FOS = d.db
	d.account(t, "ada@example.org", "right")

	var in signin.Entered
	login := func(password string) func() error {
		return func() (err error) {
			in, err = d.login(t, "ada@example.org", password)
			return err
		}
	}
	sent.want(t, "a login", login("right"), nil, "batch", "query") // the account, and the session with its row
	first := in
	refresh := func() error {
		_, err := d.Refresh(t.Context(), signin.Shown{Refresh: []string{first.Pair.Refresh.Reveal()}}, origin)
		return err
	}
	look := func() error {
		_, err := d.Current(t.Context(), first.Pair.Access.Reveal())
		return err
	}
	sent.want(t, "who is here, for the first time", look, nil, "query", "query") // and that it was
	sent.want(t, "who is here", look, nil, "query")
	sent.want(t, "a refresh", refresh, nil, "query")
	sent.want(t, "the other tab's", refresh, nil, "query", "batch") // looked at again, in turn
	sent.want(t, "leaving", func() error {
		return d.Logout(t.Context(), signin.Shown{Access: first.Pair.Access.Reveal()}, origin)
	}, nil, "query")
	sent.want(t, "a wrong password", login("wrong"), user.ErrInvalidCredentials, "batch", "query")
}

func TestTheDAOHalfAsksItsDatabaseOnce(t *testing.T) {
	t.Parallel()
	d := newDAO(t)
	pool, sent := trippers(t, d.url)
	d.Store = signin.NewDAOStore(pool)
	d.member(t, "ada@example.org", "right", member.Active)

	var in signin.Login
	login := func(password string) func() error {
		return func() (err error) {
			in, err = d.login(t, "ada@example.org", password)
			return err
		}
	}
	sent.want(t, "a login", login("right"), nil, "query", "query") // the account, and the session with its row
	ada := in
	refresh := func() error {
		_, _, err := d.refresh(t, ada, ada.Cookie)
		return err
	}
	sent.want(t, "who is here", func() error {
		_, _, err := d.Current(t.Context(), ada.Cookie)
		return err
	}, nil, "query")
	sent.want(t, "a refresh", refresh, nil, "query")
	sent.want(t, "the other tab's", refresh, nil, "query", "query") // looked at again, in turn
	sent.want(t, "leaving", func() error {
		return d.Logout(t.Context(), ada.Cookie, ada.Session.ID, audit.Origin{})
	}, nil, "query")
	sent.want(t, "a wrong password", login("wrong"), member.ErrInvalidCredentials, "query", "query")
}
