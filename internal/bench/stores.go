package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/hello-world-co-op/handoff/internal/devstack"
)

// stores are the servers under both programs, by their URLs.
type stores struct {
	dao, fos, redis string
	// stack is who runs them; nil in a test, which has its own.
	stack          *devstack.Stack
	redisProcesses []int
}

var databases = []string{"bench_dao", "bench_fos"}

// startStores starts a Postgres that writes to the disk before it says that it has, as one
// in production does, and a Redis. What a run before has left is dropped.
func startStores(ctx context.Context, dir string, log func(string, ...any)) (s *stores, err error) {
	stack, err := devstack.Start(ctx, devstack.Options{Dir: dir, Postgres: true, Redis: true, Log: log})
	if err != nil {
		return nil, err
	}
	s = &stores{stack: stack, redis: stack.RedisURL}
	defer func() {
		if err != nil {
			err = errors.Join(err, stack.Stop())
		}
	}()
	if err := s.drop(ctx); err != nil {
		return nil, err
	}
	for i, into := range []*string{&s.dao, &s.fos} {
		if *into, err = stack.CreateDatabase(ctx, databases[i]); err != nil {
			return nil, err
		}
	}
	s.redisProcesses, err = redisProcess(ctx, s.redis)
	return s, err
}

// drop drops the databases, so that no run is measured on what another has left, and none
// leaves gigabytes behind.
func (s *stores) drop(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.stack.PostgresURL)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	for _, name := range databases {
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			return errors.Join(fmt.Errorf("bench: %w", err), conn.Close(ctx))
		}
	}
	return conn.Close(ctx)
}

func (s *stores) stop(ctx context.Context) error {
	return errors.Join(s.drop(ctx), s.stack.Stop())
}

// postgresProcesses are the postmaster and all below it.
func (s *stores) postgresProcesses() []int {
	if s.stack == nil {
		return nil
	}
	return s.stack.PostgresProcesses()
}

// redisProcess asks Redis for its process id.
func redisProcess(ctx context.Context, redisURL string) ([]int, error) {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return nil, errors.New("bench: the redis URL cannot be parsed")
	}
	client := redis.NewClient(options)
	info, err := client.Info(ctx, "server").Result()
	if err := errors.Join(err, client.Close()); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	for line := range strings.Lines(info) {
		if id, is := strings.CutPrefix(strings.TrimSpace(line), "process_id:"); is {
			pid, err := strconv.Atoi(id)
			return []int{pid}, err
		}
	}
	return nil, errors.New("bench: redis does not say its process id")
}
