package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// tellPruning deletes old rows of the large one as operators do, and then has it serve
// with and without that.
func (s *sizing) tellPruning(ctx context.Context) error {
	r, err := s.rig(ctx, large)
	if err != nil {
		return err
	}
	conn, err := r.retention(ctx)
	if err != nil {
		return err
	}
	if err := s.printf("\n"); err != nil {
		return err
	}
	for _, sql := range []string{`CALL prune('audit_log', '390 days')`, `CALL prune('handoffs', '28 days')`} {
		s.options.Log("%s", sql)
		// The ledger's rows are the service's, whose role is the one that we came as.
		if _, err := conn.Exec(ctx, map[bool]string{false: `RESET ROLE`, true: `SET ROLE audit_retention`}[sql[12:17] == "audit"]); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
		if _, err := conn.Exec(ctx, sql); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
		if err := s.printf("`%s`: %s.\n\n", sql, conn.said); err != nil {
			return errors.Join(err, conn.Close(ctx))
		}
	}
	if err := conn.Close(ctx); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	return s.alternate(ctx, []operation{operationOf("mint"), operationOf("exchange")}, []variant{
		{name: "nothing else", rig: r}, {name: "prunes", rig: r, begin: r.prunes},
	})
}

// prunes deletes old audit rows until it is told to stop.
func (r *rig) prunes(ctx context.Context) (func() error, error) {
	conn, err := r.retention(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `SET ROLE audit_retention`); err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	pruning, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Exec(pruning, `CALL prune('audit_log', '2 days')`)
		ended <- err
	}()
	return func() error {
		stop()
		if err := <-ended; err == nil {
			return errors.New("bench: it has pruned everything, and did nothing for the rest of the turn")
		}
		return conn.Close(ctx)
	}, nil
}

// keeper is a connection that may become audit_retention, and what it was told last.
type keeper struct {
	*pgx.Conn
	said string
}

func (r *rig) retention(ctx context.Context) (*keeper, error) {
	config, err := pgx.ParseConfig(r.stores.dao)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	k := &keeper{}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { k.said = n.Message }
	if k.Conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	for _, sql := range []string{
		`DO $$ BEGIN CREATE ROLE audit_retention NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
		`GRANT SELECT, DELETE ON audit_log TO audit_retention`,
	} {
		if _, err := k.Exec(ctx, sql); err != nil {
			return nil, errors.Join(err, k.Close(ctx))
		}
	}
	return k, nil
}
