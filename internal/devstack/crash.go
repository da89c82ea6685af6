package devstack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// PostgresProcesses are the ids of the Postgres server's processes, the postmaster
// first; none while it is down. A test signals them. It works on Linux only.
func (s *Stack) PostgresProcesses() []int {
	if s.postgres == nil {
		return nil
	}
	return append([]int{s.postgres.pid()}, descendants(s.postgres.pid())...)
}

// PostgresLog is the file that Postgres writes its log to, empty again at each start; "" while
// it is down.
func (s *Stack) PostgresLog() string {
	if s.postgres == nil {
		return ""
	}
	return s.postgres.log
}

// CrashPostgres ends Postgres by SIGKILL, the postmaster and all that it has forked, and
// returns when all of them are gone. What was committed is in its files, for
// [Stack.RestartPostgres]. It works on Linux only.
func (s *Stack) CrashPostgres() error {
	if s.postgres == nil {
		return errors.New("devstack: postgres does not run")
	}
	data, dirErr := filepath.EvalSymlinks(s.postgres.cmd.Dir)
	program, programErr := filepath.EvalSymlinks(s.postgres.cmd.Path)
	if err := errors.Join(dirErr, programErr); err != nil {
		return fmt.Errorf("devstack: %w", err)
	}
	_ = s.postgres.cmd.Process.Kill() // it may have ended by itself
	<-s.postgres.ended
	s.postgres = nil
	return killAll(program, data)
}

// killAll ends each process of the program in Postgres' data: a new postmaster refuses to
// start while a backend of the old one has the shared memory. Not what was below the
// postmaster a moment before it died: it may have forked another one in between. And nothing
// else that is in that folder: a developer's shell may be.
func killAll(program, data string) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(5 * time.Second); ; <-tick.C {
		left := processesOf(program, data)
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(end) {
			return errors.New("devstack: processes of postgres outlive SIGKILL")
		}
		for _, pid := range left {
			if process, err := os.FindProcess(pid); err == nil {
				_ = process.Kill()
			}
		}
	}
}

// RestartPostgres starts Postgres again on its port and its data, and returns when it
// takes connections. ctx bounds the start.
func (s *Stack) RestartPostgres(ctx context.Context) error {
	address, err := url.Parse(s.PostgresURL)
	if err != nil || s.postgres != nil {
		return errors.Join(errors.New("devstack: postgres is not down"), err)
	}
	port, err := strconv.Atoi(address.Port())
	if err != nil {
		return fmt.Errorf("devstack: %w", err)
	}
	data, _, err := s.launcher.prepareData(ctx)
	if err != nil {
		return err
	}
	if err := removeStalePid(data); err != nil {
		return err
	}
	p, err := s.home.start(command{
		name: "postgres", path: s.launcher.servers.Postgres.program("postgres"), libs: s.launcher.servers.Postgres.Libs,
		args: s.launcher.postgresArguments(data, port), dir: data,
		gentle: syscall.SIGINT, stern: syscall.SIGQUIT,
	})
	if err != nil {
		return err
	}
	if err := p.await(ctx, func() bool { return isPostgresReady(data, p.pid()) }); err != nil {
		return err
	}
	s.postgres = p
	return nil
}
