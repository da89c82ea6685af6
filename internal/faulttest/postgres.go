package faulttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/devstack"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Postgres is a server of one test's own, which it may break. It answers a COMMIT when
// the kernel has it (synchronous_commit is on) and does not wait for the disk: it
// keeps its word through the kill of its processes, not of the machine.
type Postgres struct {
	stack  *devstack.Stack
	stores *Stores
}

// NewPostgres starts a server with new databases of both halves, which ends with the
// test.
func NewPostgres(t testing.TB) *Postgres {
	t.Helper()
	root, err := devstack.ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(t.Context(), devstack.Options{Dir: filepath.Join(root, ".dev"), Ephemeral: true, Postgres: true})
	if err != nil {
		t.Fatal(err)
	}
	p := &Postgres{stack: stack}
	t.Cleanup(func() {
		p.Wake(t)
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	dao, fos := p.database(t, datastore.DAO), p.database(t, datastore.FOS)
	p.stores = &Stores{
		DAODatabaseURL: dao.Reveal(), FOSDatabaseURL: fos.Reveal(), RedisURL: testkit.RedisURL(t).Reveal(),
		DAO: testkit.Pool(t, dao), FOS: testkit.Pool(t, fos),
	}
	return p
}

// Stores are its databases, with the Redis that all tests of the process share.
func (p *Postgres) Stores() *Stores { return p.stores }

func (p *Postgres) database(t testing.TB, half datastore.Half) privacy.Secret {
	t.Helper()
	made, err := p.stack.CreateDatabase(t.Context(), string(half))
	if err != nil {
		t.Fatal(err)
	}
	secret := privacy.NewSecret(made)
	migrator, err := datastore.NewMigrator(half, secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := migrator.Close(); err != nil {
		t.Fatal(err)
	}
	return secret
}

// Kill ends all its processes by SIGKILL, and returns when they are gone.
func (p *Postgres) Kill(t testing.TB) {
	t.Helper()
	if err := p.stack.CrashPostgres(); err != nil {
		t.Fatal(err)
	}
}

// Restart starts it again after [Postgres.Kill], where it was and with what it had
// committed, and returns when it takes connections.
func (p *Postgres) Restart(t testing.TB) {
	t.Helper()
	if err := p.stack.RestartPostgres(context.Background()); err != nil {
		t.Fatal(err)
	}
	p.stores.DAO.Reset() // the test's own connections died with it
	p.stores.FOS.Reset()
}

// Pause is SIGSTOP for all its processes: the kernel still takes connections for it,
// and nobody answers.
func (p *Postgres) Pause(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGSTOP)
}

// Wake is SIGCONT.
func (p *Postgres) Wake(t testing.TB) {
	t.Helper()
	p.signal(t, syscall.SIGCONT)
}

func (p *Postgres) signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	for _, pid := range p.stack.PostgresProcesses() {
		process, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
	}
}
