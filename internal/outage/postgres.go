package outage

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Postgres classifies an error of pgx. Errors of the server are an outage when
// their SQLSTATE says that it is shutting down, out of resources, failing, gave
// up a transaction, or does not let this service in (PostgreSQL, appendix A: 08,
// 25006, 28, 3D, 40, 53, 55P03, 57, 58, XX); what does not come from the server
// is the connection or the deadline. It returns nil for nil.
func Postgres(err error) error {
	if err == nil {
		return nil
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	if unread := (pgx.ScanArgError{}); errors.As(err, &unread) {
		// A row that this program cannot read will not become readable by waiting. What
		// it could not read stays out of the error.
		return fmt.Errorf("postgres: column %d of a row cannot be read", unread.ColumnIndex)
	}
	var fromServer *pgconn.PgError
	if errors.As(err, &fromServer) && !transient(fromServer.Code) {
		// The detail may quote a row: keep the code and the message only.
		return errors.New("postgres: " + fromServer.Code + " " + fromServer.Message)
	}
	return New("postgres", err)
}

// TookNoEffect reports whether it is certain of a statement or request which ended in
// err that it did not take effect, and will not: the dependency never heard of it, or
// refused it.
func TookNoEffect(err error) bool {
	var never unasked
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.SeverityUnlocalized == "ERROR" // FATAL may come between COMMIT and its answer
	}
	return errors.As(err, &never) || pgconn.SafeToRetry(err)
}

func transient(code string) bool {
	switch code {
	case "25006", // read-only: a standby, during a failover
		"55P03": // lock not available
		return true
	}
	switch code[:min(2, len(code))] {
	case "08", "40", "53", "57", "58", "XX",
		"28", "3D": // no such role, password or database: a rotation, or a restore under way
		return true
	}
	return false
}

// UniqueViolation returns the name of the constraint that err says was violated,
// or "".
func UniqueViolation(err error) string {
	var fromServer *pgconn.PgError
	if errors.As(err, &fromServer) && fromServer.Code == "23505" {
		return fromServer.ConstraintName
	}
	return ""
}
