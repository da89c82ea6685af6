package devstack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// superuser is the role that initdb makes.
const superuser = "postgres"

// startPostgres starts the server itself, not pg_ctl, which would leave it
// without a parent to die with.
func (l *launcher) startPostgres(ctx context.Context) (*process, string, error) {
	data, password, err := l.prepareData(ctx)
	if err != nil {
		return nil, "", err
	}
	if err := removeStalePid(data); err != nil {
		return nil, "", err
	}
	p, port, err := onFreePort(ctx, func(port int) (*process, error) {
		p, err := l.home.start(command{
			name: "postgres", path: l.servers.Postgres.program("postgres"), libs: l.servers.Postgres.Libs,
			args: l.postgresArguments(data, port), dir: data,
			gentle: syscall.SIGINT, stern: syscall.SIGQUIT, // fast shutdown; immediate shutdown
		})
		if err != nil {
			return nil, err
		}
		if err := p.await(ctx, func() bool { return isPostgresReady(data, p.pid()) }); err != nil {
			return nil, err
		}
		return p, nil
	})
	if err != nil {
		return nil, "", err
	}
	address := postgresURL(port, password)
	if err := pingPostgres(ctx, address); err != nil {
		return nil, "", errors.Join(fmt.Errorf("devstack: postgres runs but refuses us: %w%s", err, p.lastLines()), p.stop())
	}
	return p, address, nil
}

func (l *launcher) postgresArguments(data string, port int) []string {
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	settings := []string{
		"listen_addresses=" + loopback,
		// No socket file: its path may be 107 bytes at most, and temporary
		// folders are deeper than that on some systems.
		"unix_socket_directories=",
		// Each test package has pools of its own, over several replicas.
		"max_connections=300",
		// The same everywhere, and known to Postgres even without tzdata.
		"timezone=GMT", "log_timezone=GMT",
	}
	if l.Ephemeral {
		// Both matter only when the machine crashes. synchronous_commit stays
		// on: without it a kill of Postgres alone would lose commits.
		settings = append(settings, "fsync=off", "full_page_writes=off")
	}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return args
}

// isPostgresReady reads what the postmaster writes about itself: its process id
// in line 1 and its state in line 8 of postmaster.pid (since Postgres 10). A
// connection would tell less: something else may listen on a port that was lost.
func isPostgresReady(data string, pid int) bool {
	lines := bytes.Split(readPidFile(data), []byte("\n"))
	return len(lines) >= 8 && string(bytes.TrimSpace(lines[0])) == strconv.Itoa(pid) &&
		string(bytes.TrimSpace(lines[7])) == "ready"
}

func readPidFile(data string) []byte {
	text, err := os.ReadFile(filepath.Join(data, pidFile)) //nolint:gosec // our own data folder
	if err != nil {
		return nil
	}
	return text
}

const pidFile = "postmaster.pid"

// removeStalePid removes the pid file of a Postgres that was killed. Postgres
// does so itself unless the number belongs to somebody else by now, after a
// restart of the machine for instance; then it refuses to start for ever. We hold
// the home's lock, so none of ours runs; one that a person started on this folder
// by hand is in it as its working directory, and must be left alone.
func removeStalePid(data string) error {
	line, _, _ := bytes.Cut(readPidFile(data), []byte("\n"))
	pid, err := strconv.Atoi(string(bytes.TrimSpace(line)))
	if err != nil {
		return nil //nolint:nilerr // no pid file, or none that names a process
	}
	if isAlive(pid) {
		if dir, err := filepath.EvalSymlinks(data); err != nil || workingDirectory(pid) == dir {
			return errors.Join(fmt.Errorf("%w: Postgres process %d, started by hand, runs on %s", ErrBusy, pid, data), err)
		}
	}
	if err := os.Remove(filepath.Join(data, pidFile)); err != nil {
		return fmt.Errorf("devstack: %w", err)
	}
	return nil
}

func postgresURL(port int, password string) string {
	address := url.URL{
		Scheme: "postgres", User: url.UserPassword(superuser, password),
		Host: net.JoinHostPort(loopback, strconv.Itoa(port)), Path: "/postgres",
		RawQuery: "sslmode=disable",
	}
	return address.String()
}

func pingPostgres(ctx context.Context, address string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	return errors.Join(conn.Ping(ctx), conn.Close(ctx))
}

// CreateDatabase makes a database, unless it is there already, and returns its
// URL. name is taken as it is, any character included; it has 1 to 63 bytes,
// because Postgres would cut a longer one silently.
func (s *Stack) CreateDatabase(ctx context.Context, name string) (string, error) {
	if name == "" || len(name) > 63 {
		return "", errors.New("devstack: a database name has 1 to 63 bytes")
	}
	address, err := url.Parse(s.PostgresURL)
	if err != nil || s.PostgresURL == "" {
		return "", errors.New("devstack: this stack has no Postgres")
	}
	conn, err := pgx.Connect(ctx, s.PostgresURL)
	if err != nil {
		return "", fmt.Errorf("devstack: %w", err)
	}
	if err := errors.Join(createDatabase(ctx, conn, name), conn.Close(ctx)); err != nil {
		return "", fmt.Errorf("devstack: create database %q: %w", name, err)
	}
	address.Path = "/" + name
	return address.String(), nil
}

// createDatabase leaves it to Postgres to say that the name is taken; to look
// first would only open a race.
func createDatabase(ctx context.Context, conn *pgx.Conn, name string) error {
	_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refused.Code {
		case "42P04", // duplicate_database
			"23505": // unique_violation: two of us at the same moment
			return nil
		}
	}
	return err
}
