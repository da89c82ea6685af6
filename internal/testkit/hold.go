package testkit

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Held is a transaction of a test's own, which somebody is to wait for.
type Held struct {
	// Tx is for what takes a transaction, and for other goroutines than the test's. Who
	// ends it does so by Commit or Release.
	Tx pgx.Tx
	t  testing.TB
}

// Hold begins a transaction on pool and runs sql in it, if there is any. It lasts until Commit or Release,
// at most until the test ends, and however busy the machine is meanwhile: the pools have
// Postgres end what rests in a transaction (package datastore), and whoever waits for a
// test to go on would find the lock free for that reason.
func Hold(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) Held {
	t.Helper()
	tx, err := pool.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	h := Held{Tx: tx, t: t}
	t.Cleanup(h.Release) // a pool that is closed waits for its transactions
	h.Run(`SET LOCAL idle_in_transaction_session_timeout = 0`)
	if sql != "" {
		h.Run(sql, args...)
	}
	return h
}

// Run runs sql in the transaction.
func (h Held) Run(sql string, args ...any) {
	h.t.Helper()
	if _, err := h.Tx.Exec(context.Background(), sql, args...); err != nil {
		h.t.Fatal(err)
	}
}

// Commit ends the transaction, and what it did holds.
func (h Held) Commit() {
	h.t.Helper()
	if err := h.Tx.Commit(context.Background()); err != nil {
		h.t.Fatal(err)
	}
}

// Release ends the transaction as if it had done nothing. It may have ended already.
func (h Held) Release() {
	h.t.Helper()
	if err := h.Tx.Rollback(context.Background()); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		h.t.Error(err)
	}
}
