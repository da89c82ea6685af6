package deploy_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/devstack"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// psql stands for the program of that name: it keeps what it is told, and for
// which database, in files that sort in order.
const psql = `#!/bin/sh
set -eu
for database; do :; done # the last argument
cat >"$SAID/$(ls "$SAID" | wc -l).$database"
`

// passwords would end the statement early if they were not quoted.
var passwords = map[string]string{
	"handoff_dao_owner": "dao';--owner", "handoff_dao": `dao "service"`,
	"handoff_fos_owner": "fos $1 owner", "handoff_fos": `fos \ service`,
}

// initialise runs postgres-init.sh against a server of its own, because roles
// belong to a whole server, and returns that server's address.
func initialise(t *testing.T) *url.URL {
	t.Helper()
	root, err := devstack.ModuleRoot()
	if err != nil {
		t.Fatal(err)
	}
	stack, err := devstack.Start(t.Context(), devstack.Options{Dir: filepath.Join(root, ".dev"), Ephemeral: true, Postgres: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Stop(); err != nil {
			t.Error(err)
		}
	})
	server, err := url.Parse(stack.PostgresURL)
	if err != nil {
		t.Fatal(err)
	}
	bin, said := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "psql"), []byte(psql), 0o700); err != nil {
		t.Fatal(err)
	}
	script := exec.CommandContext(t.Context(), "sh", "postgres-init.sh")
	script.Env = []string{
		"PATH=" + bin + ":/usr/bin:/bin", "SAID=" + said,
		"DAO_OWNER_PASSWORD=" + passwords["handoff_dao_owner"], "DAO_PASSWORD=" + passwords["handoff_dao"],
		"FOS_OWNER_PASSWORD=" + passwords["handoff_fos_owner"], "FOS_PASSWORD=" + passwords["handoff_fos"],
	}
	if out, err := script.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	statements, err := filepath.Glob(filepath.Join(said, "*"))
	if err != nil || len(statements) == 0 {
		t.Fatal("the script told psql nothing", err)
	}
	slices.Sort(statements)
	for _, file := range statements {
		_, database, _ := strings.Cut(filepath.Base(file), ".")
		runFile(t, at(server, server.User, database), file)
	}
	return server
}

// runFile sends one statement after the other, as psql does: CREATE DATABASE is
// refused inside of a transaction, and several in one message are one.
func runFile(t *testing.T, address, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitAfterSeq(string(text), ";\n") {
		if err := execute(t.Context(), address, statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// as is the address of a database for a role with its password.
func as(server *url.URL, role, database string) string {
	return at(server, url.UserPassword(role, passwords[role]), database)
}

func at(server *url.URL, who *url.Userinfo, database string) string {
	u := *server
	u.User, u.Path = who, "/"+database
	return u.String()
}

func execute(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

// insufficientPrivilege is Postgres' word for "you may not".
const insufficientPrivilege = "42501"

func refused(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == insufficientPrivilege
}

// The owner migrates, the service works, and neither half's roles get into the
// other half's database.
func TestI14_TheHalvesDatabasesAreClosedToEachOther(t *testing.T) {
	t.Parallel()
	server := initialise(t)
	for half, database := range map[datastore.Half]string{datastore.DAO: "handoff_dao", datastore.FOS: "handoff_fos"} {
		migrator, err := datastore.NewMigrator(half, privacy.NewSecret(as(server, database+"_owner", database)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := migrator.Up(t.Context()); err != nil {
			t.Errorf("%s: the owner cannot migrate: %v", half, err)
		}
		if err := migrator.Close(); err != nil {
			t.Error(err)
		}
		service := as(server, database, database)
		if got := tablesWithoutRights(t, service); len(got) > 0 {
			t.Errorf("%s: the service cannot work with %v", half, got)
		}
		for _, forbidden := range []string{"CREATE TABLE mine ()", "DROP TABLE audit_log", "TRUNCATE audit_log", "CREATE SCHEMA mine", "CREATE DATABASE mine"} {
			if err := execute(t.Context(), service, forbidden); !refused(err) {
				t.Errorf("%s: the service's role is allowed to %s: %v", half, forbidden, err)
			}
		}
	}
	for role := range passwords {
		other := "handoff_fos"
		if strings.HasPrefix(role, other) {
			other = "handoff_dao"
		}
		if err := execute(t.Context(), as(server, role, other), "SELECT 1"); !refused(err) {
			t.Errorf("%s gets into %s: %v", role, other, err)
		}
	}
}

// tablesWithoutRights lists tables and sequences that the service's role cannot
// read and write.
func tablesWithoutRights(t *testing.T, address string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), `
		SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND CASE relkind
			WHEN 'r' THEN NOT (has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
				AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'))
			WHEN 'S' THEN NOT has_sequence_privilege(oid, 'USAGE') ELSE false END`)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}
