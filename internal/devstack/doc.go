// Package devstack runs a private Postgres and a private Redis for one process:
// for "make run" where no DATABASE_URL or REDIS_URL is given, and for tests.
// They are the real servers, not imitations, because what this service promises
// (a token gives at most one session) is decided by locks, unique indexes and
// scripts that only the real ones have.
//
// # Where the servers come from
//
// In this order: $PG_BIN and PATH and the usual folders of this machine
// ([FindServers]); as root, the distribution's packages (apt-get install); as
// an ordinary user the same packages, downloaded and unpacked below
// [Options].Dir without being installed; else a [MissingError] that says what
// to install. An embedded Redis written in Go is the last resort and only where
// [Options].EmbeddedRedis allows it: it is no test of anything.
//
// Installing as root starts no service and makes no default cluster, so that
// the only servers on the machine stay the ones that this package started.
//
// # How they run
//
// On free ports of 127.0.0.1, with a random password each, because every account
// of the machine reaches a loopback port and a Postgres superuser can run
// programs as the account that owns the server. As root both run as "postgres"
// or "nobody", never as root.
//
// Tests get a fresh data directory in the temporary folder and fsync off: it
// survives the kill of any process but not of the machine. "make run" keeps its
// data below Dir, one process at a time, held by a lock.
//
// # How they end
//
// [Stack.Stop] ends them within five seconds. A process that ends without
// calling it, even by SIGKILL, leaves nothing either: on Linux the kernel
// signals both servers (PR_SET_PDEATHSIG), and a small shell process that waits
// on a pipe from the owner removes the temporary data, and elsewhere also ends
// the servers. Should that one be killed as well, the next start removes what
// it finds. The proof that nobody uses a directory is a lock that the servers
// inherit (flock is held until the last process that shares it is gone), not a
// process id, which may belong to somebody else by now.
//
// # Limits
//
// The lock and the way processes are ended are made for Unix; elsewhere the
// package compiles and does its best. Installing and downloading know apt only.
// Downloaded packages run from where they lie, so a library that insists on an
// absolute path is not found; Debian's Postgres and Redis do not, but time zone
// names other than GMT need the system's tzdata. Roles that a test creates need
// a password to sign in.
//
// This package never touches a server or a database that it did not start, never
// listens on anything but 127.0.0.1, and is no way to run a production server.
package devstack
