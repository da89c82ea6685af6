package datastore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	pgxuuid "github.com/vgarvardt/pgx-google-uuid/v5"

	"github.com/hello-world-co-op/handoff/internal/outage"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Postgres is a pool of connections to one database.
type Postgres = pgxpool.Pool

// Aside is a pool's name for work that nobody waits for: its connections are few and of
// its own, so that it neither takes those of people nor, by using them every second,
// hides which of them have rested too long to be believed.
const Aside = "handoff aside"

// asideSize is one for each of the two things that a half does aside.
const asideSize = 2

// OpenAside is [OpenPostgres] for such work, on a server that keeps what kept says.
func OpenAside(ctx context.Context, databaseURL privacy.Secret, kept Kept) (*Postgres, error) {
	return open(ctx, databaseURL, kept, func(config *pgxpool.Config) {
		config.MaxConns, config.MinConns, config.MinIdleConns = asideSize, 0, 0
		config.ConnConfig.RuntimeParams["application_name"] = Aside
	})
}

// poolSize bounds the connections of one half of one replica (invariant I13):
// 16 measured better than 4 and than 64 on two cores, and two replicas of two
// halves stay below Postgres' default of 100.
const poolSize = 16

// OpenPostgres returns a pool for the URL. It does not wait for the server: a
// replica that starts while Postgres is away must come up, say so in its
// readiness, and recover by itself.
func OpenPostgres(ctx context.Context, databaseURL privacy.Secret) (*Postgres, error) {
	return OpenWatched(ctx, databaseURL, ThroughItsOwnCrash, nil)
}

// OpenWatched is [OpenPostgres] under watch, on a server that keeps what kept says.
func OpenWatched(ctx context.Context, databaseURL privacy.Secret, kept Kept, watch Watch) (*Postgres, error) {
	return open(ctx, databaseURL, kept, func(config *pgxpool.Config) {
		if watch != nil {
			config.ConnConfig.Tracer = tracer{watch}
		}
	})
}

// tracer tells watch of every statement and batch. pgx hands it texts and arguments, which
// end here.
type tracer struct{ watch Watch }

// ofStatement and ofBatch are the keys under which a context knows how to end each: a batch
// may prepare statements.
type (
	ofStatement struct{}
	ofBatch     struct{}
)

// TraceQueryStart implements pgx.QueryTracer.
func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	ctx, end := t.watch(ctx, "query")
	return context.WithValue(ctx, ofStatement{}, end)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	ended(ctx.Value(ofStatement{}), data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	ctx, end := t.watch(ctx, "batch")
	return context.WithValue(ctx, ofBatch{}, end)
}

// TraceBatchQuery implements pgx.BatchTracer.
func (tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	ended(ctx.Value(ofBatch{}), data.Err)
}

// ended calls what watch has returned.
func ended(end any, err error) {
	var down *outage.Error
	if !errors.As(outage.Postgres(err), &down) {
		err = nil // it has answered, if only to say no
	}
	if call, ok := end.(func(error)); ok {
		call(err)
	}
}

// Kept says what must not take back a commit that was acknowledged. A redemption that is
// forgotten is a token that is good again (I1), and an audit row that is forgotten was not
// written (I4).
type Kept int

const (
	// ThroughItsOwnCrash is for every database: synchronous_commit is anything but off. All
	// other values (local, remote_write, on, remote_apply) wait until the commit is on this
	// server's disk, and differ in what they ask of standbys (PostgreSQL, table 20.1).
	ThroughItsOwnCrash Kept = iota
	// ThroughTheMachines is for those in production: fsync is on besides.
	ThroughTheMachines
)

// settings are those that must not be off.
func (k Kept) settings() []string {
	if k == ThroughTheMachines {
		return []string{"synchronous_commit", "fsync"}
	}
	return []string{"synchronous_commit"}
}

// ForgetsError says that a database acknowledges commits that a crash takes back.
type ForgetsError struct {
	Setting string // what is off
	Source  string // where it was set, in Postgres' words (pg_settings.source)
}

// Error names the setting and where to look for it.
func (e *ForgetsError) Error() string {
	return fmt.Sprintf("%s is off (set by: %s), so that a crash takes back what was acknowledged, and a redeemed token is good again", e.Setting, e.Source)
}

// onConnect refuses a connection whose session forgets. It asks the session itself: the
// server, the database, the role and the URL may each have set it, and a failover may lead
// to another server. A pool has no other connections, so nothing is acknowledged on one.
func (k Kept) onConnect(before pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, conn *pgconn.PgConn) error {
		if before != nil { // target_session_attrs
			if err := before(ctx, conn); err != nil {
				return err
			}
		}
		return k.ask(ctx, conn)
	}
}

// ask takes one round trip.
func (k Kept) ask(ctx context.Context, conn *pgconn.PgConn) error {
	names := k.settings()
	answers, err := conn.Exec(ctx, "SHOW "+strings.Join(names, "; SHOW ")).ReadAll()
	if err != nil {
		return err
	}
	off := slices.IndexFunc(answers, func(r *pgconn.Result) bool {
		return len(r.Rows) != 1 || string(r.Rows[0][0]) == "off"
	})
	if off < 0 && len(answers) == len(names) {
		return nil
	}
	forgets := &ForgetsError{Setting: names[max(off, 0)], Source: "unknown"}
	found := conn.ExecParams(ctx, "SELECT source FROM pg_settings WHERE name = $1", [][]byte{[]byte(forgets.Setting)}, nil, nil, nil).Read()
	if found.Err == nil && len(found.Rows) == 1 {
		forgets.Source = string(found.Rows[0][0])
	}
	return forgets
}

// Ready asks whether the database answers, and keeps what it acknowledges. Somebody may
// have changed that for sessions that there are (ALTER SYSTEM, and a reload): then all of
// the pool's are given up, and no new one is taken in.
func (k Kept) Ready(ctx context.Context, pool *Postgres) error {
	err := pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error { return k.ask(ctx, c.Conn().PgConn()) })
	if forgets := (*ForgetsError)(nil); errors.As(err, &forgets) {
		pool.Reset()
	}
	return err
}

func open(ctx context.Context, databaseURL privacy.Secret, kept Kept, alter func(*pgxpool.Config)) (*Postgres, error) {
	config, err := pgxpool.ParseConfig(databaseURL.Reveal())
	if err != nil {
		// pgx quotes the connection string in its error, password included.
		return nil, errors.New("datastore: the database URL cannot be parsed")
	}
	if !urlSets(databaseURL.Reveal(), "pool_max_conns") {
		config.MaxConns = poolSize
	}
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.MaxConnIdleTime = 10 * time.Minute
	config.ConnConfig.ConnectTimeout = 2 * time.Second
	for name, value := range map[string]string{"application_name": "handoff", "idle_in_transaction_session_timeout": abandoned} {
		if config.ConnConfig.RuntimeParams[name] == "" {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.ConnConfig.DialFunc = (&net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}).DialContext
	config.ConnConfig.ValidateConnect = kept.onConnect(config.ConnConfig.ValidateConnect)
	config.BeforeClose = hangUp
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		// Without it pgx takes a UUID for a database/sql value: a text, made and parsed for each.
		pgxuuid.Register(conn.TypeMap())
		return nil
	}
	alter(config)
	var pool *pgxpool.Pool
	var doubted atomic.Int64 // when all that rest were given up, in nanoseconds since 1970
	config.ShouldPing = func(ctx context.Context, rested pgxpool.ShouldPingParams) bool {
		if rested.IdleDuration < restsWell || answers(ctx, rested.Conn) {
			return false
		}
		last, now := doubted.Load(), time.Now().UnixNano()
		if now-last > int64(doubtsEvery) && doubted.CompareAndSwap(last, now) {
			pool.Reset()
		}
		return true // pgx finds that it is dead, and takes another one
	}
	pool, err = pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("datastore: open postgres pool: %w", err)
	}
	return pool, nil
}

// abandoned is when Postgres ends a transaction that nobody continues. A replica that
// vanishes with its machine leaves its locks behind, and the person who comes again
// through another one would wait for them until the token is dead. No request takes
// longer than 3 s.
const abandoned = "4s"

const (
	dialTimeout = time.Second
	keepAlive   = 15 * time.Second
	// restsWell is how long a connection may rest and be believed to be alive.
	restsWell = time.Second
	// answersWithin is how long one that rested may take to say so.
	answersWithin = 500 * time.Millisecond
	// doubtsEvery is how often all that rest are given up at most: a Postgres that is
	// merely slow must not be made to take in everybody anew, over and over.
	doubtsEvery = 2 * time.Second
)

// answers asks a connection that has rested whether it is alive. Behind a failover or a
// gateway that forgot them, connections are dead without a word, all at once: one
// request could find one after the other, until its time is over. So who finds one
// dead gives up all that rest. The question does not end with the request: else clients
// that go away would cost healthy connections.
func answers(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answersWithin)
	defer cancel()
	return conn.Ping(ctx) == nil
}

// hangUp closes the socket of a connection that was given up. pgx waits up to 15 s for
// the other end to say goodbye, and that long the pool counts the connection as there:
// sixteen dead ones would be a pool without a connection.
func hangUp(conn *pgx.Conn) {
	if conn.IsClosed() {
		_ = conn.PgConn().Conn().Close() // it is of no use to anybody
	}
}

func urlSets(databaseURL, parameter string) bool {
	parsed, err := url.Parse(databaseURL)
	return err == nil && parsed.Query().Has(parameter)
}
