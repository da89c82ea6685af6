package outage_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/hello-world-co-op/handoff/internal/outage"
)

// code is an error of the server.
func code(sqlstate string) error {
	return fmt.Errorf("query: %w", &pgconn.PgError{
		Code: sqlstate, Message: "message", ConstraintName: "members_email_canonical_key",
		Detail: "Key (email_canonical)=(ada@example.org) already exists.", Where: "ada@example.org",
	})
}

func isOutage(err error) bool {
	var down *outage.Error
	return errors.As(err, &down) && down.Dependency == "postgres"
}

func TestPostgres_tellsAnOutageFromAMistake(t *testing.T) {
	t.Parallel()
	for _, state := range []string{
		"08000", "08006", "25006", "28000", "28P01", "3D000", "40001", "40P01", "53100", "53200", "53300", "55P03",
		"57014", "57P01", "57P02", "57P03", "57P05", "58030", "XX000", "XX001",
	} {
		if err := outage.Postgres(code(state)); !isOutage(err) {
			t.Errorf("%s is not an outage: %v", state, err)
		}
	}
	for _, state := range []string{"22021", "22P02", "23502", "23503", "23505", "23514", "25001", "25P02", "42501", "42601", "42703", "42P01", "55000", "P0001"} {
		err := outage.Postgres(code(state))
		if err == nil || isOutage(err) {
			t.Errorf("%s is an outage: %v", state, err)
		}
		// I6: the detail quotes the row.
		if text := err.Error(); strings.Contains(text, "ada@") || !strings.Contains(text, state) {
			t.Errorf("%s says %q", state, text)
		}
	}
}

func TestPostgres_whatDoesNotComeFromTheServerIsAnOutage(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{
		context.DeadlineExceeded, context.Canceled, &net.OpError{Op: "dial", Err: errors.New("refused")}, errors.New("closed pool"),
	} {
		err := outage.Postgres(cause)
		if !isOutage(err) || !errors.Is(err, cause) {
			t.Errorf("%v became %v", cause, err)
		}
	}
	for name, err := range map[string]error{"postgres": outage.Postgres(nil), "redis": outage.Redis(nil)} {
		if err != nil {
			t.Errorf("%s makes %v of nothing", name, err)
		}
	}
}

// Classified once is enough: what comes up through two adapters keeps its first
// name.
func TestClassify_keepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	known := fmt.Errorf("exchange: %w", outage.New("peer", errors.New("hung")))
	for name, classify := range map[string]func(error) error{"postgres": outage.Postgres, "redis": outage.Redis} {
		var down *outage.Error
		if err := classify(known); !errors.As(err, &down) || down.Dependency != "peer" {
			t.Errorf("%s makes %v of it", name, err)
		}
	}
}

// Whatever Redis refuses, it refuses for reasons of its state.
func TestRedis_everyErrorIsAnOutage(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"OOM command not allowed when used memory > 'maxmemory'.", "LOADING Redis is loading the dataset in memory",
		"READONLY You can't write against a read only replica.", "CLUSTERDOWN Hash slot not served", "MASTERDOWN Link with MASTER is down",
		"NOPERM this user has no permissions", "MISCONF Redis is configured to save RDB snapshots", "i/o timeout",
	} {
		var down *outage.Error
		if err := outage.Redis(errors.New(text)); !errors.As(err, &down) || down.Dependency != "redis" {
			t.Errorf("%s became %v", text, err)
		}
	}
}

func TestUniqueViolation_namesTheConstraint(t *testing.T) {
	t.Parallel()
	if got := outage.UniqueViolation(code("23505")); got != "members_email_canonical_key" {
		t.Errorf("%q", got)
	}
	for _, other := range []error{nil, errors.New("23505"), code("23503"), code("23514")} {
		if got := outage.UniqueViolation(other); got != "" {
			t.Errorf("%v is a violation of %q", other, got)
		}
	}
}
