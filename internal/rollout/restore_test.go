package rollout_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// site is the service as two processes, whose databases can be lost and restored.
type site struct {
	*testkit.Service
	half map[string]*half // dao, fos
	// carried is what Redis had when the snapshot was taken: it too can be set back.
	carried map[string]string
}

// half is one of the two: its environment, its database, and what of it was backed up.
type half struct {
	urlName string // of the variable with the database
	environ environ
	process *testkit.Running
	pool    **pgxpool.Pool
	backup  privacy.Secret
	way     *testkit.Link // on which the other half reaches it
}

// newSite starts both halves. They speak to each other through links, since each start
// has another port.
func newSite(t testing.TB, change environ) *site {
	t.Helper()
	_, daoEnviron, fosEnviron := newFleet(t)
	s := &site{Service: &testkit.Service{Clock: testkit.NewClock(), Log: &testkit.Log{}}}
	toDAO, toFOS := testkit.NewLink(t, ""), testkit.NewLink(t, "")
	shared := environ{"REDIS_URL": fosEnviron["REDIS_URL"], "DAO_REDIS_URL": fosEnviron["REDIS_URL"]}
	s.half = map[string]*half{
		"dao": {
			urlName: "DAO_DATABASE_URL", pool: &s.DAO, way: toDAO,
			environ: with(with(daoEnviron, shared), environ{"FOUNDERYOS_API_URL": "http://" + toFOS.Addr()}),
		},
		"fos": {
			urlName: "DATABASE_URL", pool: &s.FOS, way: toFOS,
			environ: with(with(with(fosEnviron, shared), environ{"ORACLE_BRIDGE_URL": "http://" + toDAO.Addr()}), change),
		},
	}
	client, err := datastore.OpenRedis(privacy.NewSecret(shared["REDIS_URL"]), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	s.Redis = client
	for _, h := range s.half {
		*h.pool = testkit.Pool(t, privacy.NewSecret(h.environ[h.urlName]))
		s.start(t, h)
	}
	return s
}

func (s *site) start(t testing.TB, h *half) {
	t.Helper()
	h.process = s.Launch(t, h.environ)
	if url := h.process.DAOURL; url != "" {
		s.DAOURL = url
		h.way.Point(strings.TrimPrefix(url, "http://"))
	}
	if url := h.process.FOSURL; url != "" {
		s.FOSURL = url
		h.way.Point(strings.TrimPrefix(url, "http://"))
	}
	h.way.Mend()
}

// stop ends the half's process, and every connection to its database.
func (s *site) stop(t testing.TB, h *half) {
	t.Helper()
	h.way.Cut()
	h.process.Leave(t)
	(*h.pool).Reset()
}

// backUp copies the half's database as it is at this moment, and notes what Redis carries.
func (s *site) backUp(t testing.TB, name string) {
	t.Helper()
	h := s.half[name]
	s.stop(t, h)
	h.backup = testkit.CopyOf(t, privacy.NewSecret(h.environ[h.urlName]))
	s.start(t, h)
	s.carried = map[string]string{}
	for _, key := range s.Redis.Keys(t.Context(), "*").Val() {
		if value := s.Redis.Dump(t.Context(), key).Val(); value != "" { // else it has just expired
			s.carried[key] = value
		}
	}
}

// restore gives the half the database of then, and Redis what it carried: the worst case,
// that of a machine which is set back with all that is on it.
func (s *site) restore(t testing.TB, h *half) {
	t.Helper()
	restored := testkit.CopyOf(t, h.backup)
	h.environ = with(h.environ, environ{h.urlName: restored.Reveal()})
	*h.pool = testkit.Pool(t, restored)
	for key, value := range s.carried {
		if err := s.Redis.RestoreReplace(t.Context(), key, time.Hour, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// keep returns what puts both databases back to how they are now: the attack is shown on
// copies.
func (s *site) keep(t testing.TB) (putBack func()) {
	t.Helper()
	kept := map[string]privacy.Secret{}
	for name, h := range s.half {
		s.stop(t, h)
		kept[name] = testkit.CopyOf(t, privacy.NewSecret(h.environ[h.urlName]))
		s.start(t, h)
	}
	return func() {
		for name, h := range s.half {
			s.stop(t, h)
			h.environ = with(h.environ, environ{h.urlName: kept[name].Reveal()})
			*h.pool = testkit.Pool(t, kept[name])
			s.start(t, h)
		}
	}
}

// followRestore does what the document says below a heading.
func (s *site) followRestore(t testing.TB, heading string) {
	t.Helper()
	lines := linesBelow(t, heading)
	if len(lines) < 5 {
		t.Fatalf("the document has %d steps below %q", len(lines), heading)
	}
	for _, line := range lines {
		line, sql, hasSQL := strings.Cut(line, "\n")
		t.Log(line)
		verb, name, _ := strings.Cut(strings.TrimSuffix(line, ":"), " ")
		h := s.half[name]
		switch {
		case line == "wait 3 minutes":
			s.Clock.Advance(3 * time.Minute)
		case line == "server migrate up dao", line == "server migrate up fos":
			migrateUp(t, s.half[strings.TrimPrefix(line, "server migrate up ")], strings.TrimPrefix(line, "server migrate up "))
		case h != nil && verb == "stop":
			s.stop(t, h)
		case h != nil && verb == "restore":
			s.restore(t, h)
		case h != nil && verb == "start":
			s.start(t, h)
		case h != nil && verb == "at" && hasSQL:
			s.psql(t, h, sql)
		default:
			t.Fatalf("nobody could do this: %q", line)
		}
	}
}

func migrateUp(t testing.TB, h *half, name string) {
	t.Helper()
	migrator, err := datastore.NewMigrator(datastore.Half(name), privacy.NewSecret(h.environ[h.urlName]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = migrator.Up(t.Context()); err != nil {
		t.Error(err)
	}
	if err = migrator.Close(); err != nil {
		t.Error(err)
	}
}

// psql sends statements as an operator does, at the test's time.
func (s *site) psql(t testing.TB, h *half, sql string) {
	t.Helper()
	now := fmt.Sprintf("'%s'::timestamptz", s.Clock.Now().Format(time.RFC3339Nano))
	conn, err := (*h.pool).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Conn().PgConn().Exec(context.Background(), strings.ReplaceAll(sql, "now()", now)).ReadAll(); err != nil {
		t.Fatalf("%v in\n%s", err, sql)
	}
}

// untilTold waits until the half has told the other one what has ended.
func (s *site) untilTold(t testing.TB, name string) {
	t.Helper()
	pool := *s.half[name].pool
	for deadline := time.Now().Add(20 * time.Second); ; {
		// A row for later waits until it is due.
		if testkit.Count(t, pool, `SELECT count(*) FROM handoff_endings WHERE queued_at <= clock_timestamp()`) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the %s half has not told what has ended", name)
		}
	}
}
