package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
)

// looked is how many requests of each operation are looked at: enough for each connection
// to come to its generic plans, which is at the sixth time.
const looked = 800

// fewRows are so few that a plan which reads all of them is the best one.
const fewRows = 1000

// statement is one text, and how it was carried out.
type statement struct {
	operations []string
	last       plan
	times      int
	pages      []int // of the times when the plan was generic, if it ever was
	scanned    []string
}

var errScanned = errors.New("bench: a statement reads all of a large table")

// leaving ends a session of the DAO half, and with it what came of it at the other.
var leaving = operation{name: "logout", half: "dao", prepare: func(_ context.Context, w *world, by contender, n int) ([][]byte, error) {
	requests := make([][]byte, n)
	for i, p := range w.next(n) {
		requests[i] = w.request("POST", by.prefix+"/api/auth/logout", `{}`,
			"Origin: https://think-tank.example", "Cookie: __Host-dao_session="+p.cookie.Reveal()+"; csrf_token="+p.csrf, "X-CSRF-Token: "+p.csrf)
	}
	return requests, nil
}}

// tellStatements has the large one explain what it does for each operation.
func (s *sizing) tellStatements(ctx context.Context, chosen []operation) error {
	r, err := s.rig(ctx, large)
	if err != nil {
		return err
	}
	if err := r.stores.explained(ctx); errors.Is(err, errNoAutoExplain) {
		return s.printf("\n%v: no statement was looked at.\n", err)
	} else if err != nil {
		return err
	}
	if err := errors.Join(r.end(service), r.begin(ctx, service)); err != nil { // with sessions that explain
		return err
	}
	// Half of the people leave, and do nothing afterwards.
	people := r.world.people
	leavers := people[len(people)/2:]
	defer func() { r.world.people = people[:len(people)/2] }()
	var all []*statement
	for _, op := range append(slices.Clone(chosen), operationOf("password"), leaving) {
		if op.name == leaving.name {
			r.world.people = leavers
		}
		plans, err := s.look(ctx, r, op)
		if err != nil {
			return err
		}
		all = note(all, op.name, plans)
	}
	if err := errors.Join(r.stores.unexplained(ctx), r.end(service), r.begin(ctx, service)); err != nil {
		return err
	}
	return s.tell(ctx, r, all)
}

// tell prints what was found, and fails if a statement reads all of a large table.
func (s *sizing) tell(ctx context.Context, r *rig, all []*statement) error {
	var b strings.Builder
	b.WriteString("\n| statement | in | times | plan | indexes | pages, half of the times | at most |\n| --- | --- | --: | --- | --- | --: | --: |\n")
	var scans []string
	for _, st := range all {
		kind := "for these values"
		if st.last.generic {
			kind = "generic"
		}
		used, _ := st.last.indexes()
		slices.Sort(st.pages)
		fmt.Fprintf(&b, "| %s | %s | %d | %s | %s | %d | %d |\n", st.last.name(), strings.Join(st.operations, ", "), st.times, kind,
			strings.Join(used, ", "), st.pages[len(st.pages)/2], st.pages[len(st.pages)-1])
		for _, table := range st.scanned {
			rows, err := r.world.rowsOf(ctx, table)
			if err != nil {
				return err
			}
			if rows > fewRows {
				scans = append(scans, fmt.Sprintf("- **reads all %d rows of %s**: %s", rows, table, strings.Join(strings.Fields(st.last.Text), " ")))
			}
		}
	}
	if len(scans) == 0 {
		b.WriteString("\nNone of them reads all of a table that has more than a thousand rows.\n")
	} else {
		b.WriteString("\n" + strings.Join(scans, "\n") + "\n")
	}
	if err := s.printf("%s", b.String()); err != nil || len(scans) == 0 {
		return err
	}
	return errScanned
}

// look does an operation, alone and in company, and returns what was explained meanwhile.
func (s *sizing) look(ctx context.Context, r *rig, op operation) ([]plan, error) {
	n := looked
	if op.most > 0 {
		n = looked / 20 // each is a fifth of a second
	}
	s.options.Log("looking at the statements of %s", op.name)
	var plans []plan
	for _, connections := range op.at([]int{1, slices.Max(s.options.Connections)}) {
		t := turnOf{operation: op, by: contender{name: large, program: service}, connections: connections, requests: n, limit: patience}
		requests, err := op.prepare(ctx, r.world, t.by, n)
		if err != nil {
			return nil, err
		}
		begin, err := r.stores.logged()
		if err != nil {
			return nil, err
		}
		t.operation.prepare = func(context.Context, *world, contender, int) ([][]byte, error) { return requests, nil }
		if _, err := r.turn(ctx, t); err != nil {
			return nil, err
		}
		some, err := r.stores.plansSince(begin)
		if err != nil {
			return nil, err
		}
		plans = append(plans, some...)
	}
	return plans, nil
}

// note adds the plans of an operation to all.
func note(all []*statement, operation string, plans []plan) []*statement {
	for _, p := range plans {
		if !slices.ContainsFunc(p.Root.all(), func(n node) bool { return n.Relation != "" }) {
			continue // touches no table
		}
		i := slices.IndexFunc(all, func(s *statement) bool { return s.last.Text == p.Text })
		if i < 0 {
			i, all = len(all), append(all, &statement{})
		}
		all[i].add(operation, p)
	}
	return all
}

func (s *statement) add(operation string, p plan) {
	if !slices.Contains(s.operations, operation) {
		s.operations = append(s.operations, operation)
	}
	if p.generic && !s.last.generic {
		s.pages = nil
	}
	if p.generic || !s.last.generic {
		s.last, s.pages = p, append(s.pages, p.pages())
	}
	s.times++
	_, scanned := p.indexes()
	for _, table := range scanned {
		if !slices.Contains(s.scanned, table) {
			s.scanned = append(s.scanned, table)
		}
	}
}

// rowsOf is about how many rows a table has, in the half where it has more.
func (w *world) rowsOf(ctx context.Context, table string) (int, error) {
	most := 0
	for _, pool := range []*pgxpool.Pool{w.dao, w.fos} {
		var rows int
		if err := pool.QueryRow(ctx, `SELECT coalesce(sum(reltuples), 0)::bigint FROM pg_class WHERE relkind = 'r' AND relname = $1`, table).Scan(&rows); err != nil {
			return 0, fmt.Errorf("bench: %w", err)
		}
		most = max(most, rows)
	}
	return most, nil
}
