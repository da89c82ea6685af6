package devstack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Options say which servers are wanted and how long their data is to live.
type Options struct {
	// Dir is the folder for kept data, downloads and caches, normally ".dev" in
	// [ModuleRoot]. It is made if it is missing.
	Dir string
	// Ephemeral is for tests: a fresh data directory in the temporary folder,
	// removed at the end, and no fsync. Otherwise data is kept below Dir.
	Ephemeral bool
	// EmbeddedRedis allows an imitation where no real Redis can be had.
	EmbeddedRedis bool
	// Postgres and Redis say which servers are wanted.
	Postgres, Redis bool
	// Log takes progress for people, one line a call; nil drops it.
	Log func(format string, args ...any)
}

// Stack is a set of running servers that belongs to this process. It runs until
// Stop or the end of the process, also when nobody keeps the Stack.
type Stack struct {
	// PostgresURL is the URL of a superuser on the database "postgres", with a
	// password; empty if no Postgres was wanted.
	PostgresURL string
	// RedisURL is the URL of database 0 of 1024, with a password; empty if no
	// Redis was wanted.
	RedisURL string
	// Embedded says that RedisURL is the imitation, not a real server.
	Embedded bool

	home            *home
	launcher        *launcher
	postgres, redis *process
	imitation       *embeddedRedis

	once    sync.Once
	stopped error
}

// running holds the stacks that nobody has stopped. Their pipe and their lock are
// files, and Go closes a file that nothing refers to any more: the servers of a
// caller who keeps only the URLs would end at some garbage collection.
var running sync.Map

// Start finds or fetches the servers that are wanted and starts them. ctx bounds
// the start only; the servers live until [Stack.Stop] or the end of this process.
//
// It returns a [MissingError] where a server cannot be had, [ErrBusy] where
// another process uses the kept data, and otherwise what went wrong together
// with the last lines that the server wrote. After an error nothing runs.
func Start(ctx context.Context, o Options) (*Stack, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	servers, err := newProvider(o).provide(ctx)
	if err != nil {
		return nil, err
	}
	l := &launcher{Options: o, servers: servers}
	if l.account, err = serverAccount(); err != nil {
		return nil, err
	}
	if err := l.checkReach(); err != nil {
		return nil, err
	}
	if l.home, err = openHome(ctx, o, l.account); err != nil {
		return nil, err
	}
	s := &Stack{home: l.home, launcher: l}
	running.Store(s, true)
	if err := s.launch(ctx, l); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// complete fills in defaults and makes Dir.
func (o *Options) complete() error {
	if o.Log == nil {
		o.Log = func(string, ...any) {}
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil || o.Dir == "" {
		return errors.Join(errors.New("devstack: Options.Dir is needed"), err)
	}
	o.Dir = dir
	if isFolder(dir) {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // the servers' account has to pass through it
		return fmt.Errorf("devstack: %w", err)
	}
	// Passwords and member data lie here: out of reach of "git add".
	//nolint:gosec // nothing secret
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o644); err != nil {
		return fmt.Errorf("devstack: %w", err)
	}
	return nil
}

// launcher is what the starting of each server needs to know.
type launcher struct {
	Options
	servers Servers
	account account
	home    *home
}

// checkReach says early, and in plain words, that the servers' account cannot
// execute what was found (a Postgres below /root, say).
func (l *launcher) checkReach() error {
	for _, program := range []string{l.servers.Postgres.program("postgres"), l.servers.Redis.Path} {
		if dir := filepath.Dir(program); program != "" && !l.account.canEnter(dir) {
			return fmt.Errorf("devstack: %s cannot be run: the account %q, which runs it instead of root, may not enter %s", program, l.account.name, dir)
		}
	}
	return nil
}

// launch starts the reaper first: from here on nothing can be left behind.
func (s *Stack) launch(ctx context.Context, l *launcher) error {
	var err error
	if l.home.reaper, err = startReaper(l.home); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	if l.Postgres {
		group.Go(func() (err error) {
			s.postgres, s.PostgresURL, err = l.startPostgres(ctx)
			return err
		})
	}
	if l.Redis {
		group.Go(func() (err error) {
			if l.servers.Redis.Path == "" {
				s.imitation, s.RedisURL, err = startEmbedded()
				s.Embedded = true
				return err
			}
			s.redis, s.RedisURL, err = l.startRedis(ctx)
			return err
		})
	}
	return group.Wait()
}

// Stop ends the servers and removes ephemeral data: SIGINT to Postgres (its fast
// shutdown) and SIGTERM to Redis, and within five seconds SIGKILL to whatever
// does not obey. It returns an error if a server had ended before, had to be
// killed or left something that cannot be removed. Further calls return the same.
func (s *Stack) Stop() error {
	s.once.Do(func() {
		defer running.Delete(s)
		var group errgroup.Group
		group.Go(s.postgres.stop)
		group.Go(s.redis.stop)
		s.imitation.stop()
		s.stopped = errors.Join(group.Wait(), s.home.close(), s.home.reaper.dismiss())
	})
	return s.stopped
}
