package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// plan is how Postgres has carried out a statement of the service, as auto_explain says: the
// plan that the prepared statement had there, and not one that was made for looking at it.
type plan struct {
	Text string `json:"Query Text"`
	Root node   `json:"Plan"`
	// generic: it was made for any values.
	generic bool
}

// node is a step of a plan.
type node struct {
	Type      string  `json:"Node Type"`
	Operation string  `json:"Operation"`
	Relation  string  `json:"Relation Name"`
	Index     string  `json:"Index Name"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Removed   float64 `json:"Rows Removed by Filter"`
	Hit       int     `json:"Shared Hit Blocks"`
	Read      int     `json:"Shared Read Blocks"`
	Steps     []node  `json:"Plans"`
}

// all are the steps of a plan.
func (n node) all() []node {
	nodes := []node{n}
	for _, step := range n.Steps {
		nodes = append(nodes, step.all()...)
	}
	return nodes
}

// pages are what was read and written, from wherever.
func (p plan) pages() int { return p.Root.Hit + p.Root.Read }

// name says what it does to which tables.
func (p plan) name() string {
	var writes, reads []string
	for _, n := range p.Root.all() {
		switch {
		case n.Type == "ModifyTable":
			writes = append(writes, strings.ToLower(n.Operation)+" "+n.Relation)
		case n.Relation != "":
			reads = append(reads, n.Relation)
		}
	}
	name := strings.Join(writes, ", ")
	if len(writes) == 0 {
		slices.Sort(reads)
		name = strings.TrimSpace("read " + strings.Join(slices.Compact(reads), ", "))
	}
	if strings.Contains(p.Text, "FOR KEY SHARE OF x") {
		name += " (foreign key)"
	}
	if strings.Contains(p.Text, "unnest($1") {
		name += " (for many)"
	}
	return name
}

// indexes are those that it uses, and scanned the tables of which it reads every row.
func (p plan) indexes() (used, scanned []string) {
	for _, n := range p.Root.all() {
		if n.Index != "" && !slices.Contains(used, n.Index) {
			used = append(used, n.Index)
		}
		if n.Type == "Seq Scan" && !slices.Contains(scanned, n.Relation) {
			scanned = append(scanned, n.Relation)
		}
	}
	return used, scanned
}

// explained has every session that begins in these databases from now on explain each of
// its statements, and those of triggers and foreign keys, to the log.
func (s *stores) explained(ctx context.Context) error {
	return s.alter(ctx, "LOAD 'auto_explain'",
		//nolint:misspell // a setting's name
		"SET auto_explain.log_analyze = on", "SET auto_explain.log_min_duration = 0", "SET auto_explain.log_buffers = on", "SET auto_explain.log_timing = off",
		"SET auto_explain.log_nested_statements = on", "SET auto_explain.log_format = json", "SET session_preload_libraries = 'auto_explain'")
}

// unexplained ends that.
func (s *stores) unexplained(ctx context.Context) error { return s.alter(ctx, "SELECT", "RESET ALL") }

// alter alters the databases, where a statement can be done first.
func (s *stores) alter(ctx context.Context, first string, changes ...string) error {
	conn, err := pgx.Connect(ctx, s.stack.PostgresURL)
	if err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, first); err != nil {
		return errors.Join(errNoAutoExplain, err)
	}
	for _, name := range databases {
		for _, change := range changes {
			if _, err := conn.Exec(ctx, "ALTER DATABASE "+pgx.Identifier{name}.Sanitize()+" "+change); err != nil {
				return fmt.Errorf("bench: %w", err)
			}
		}
	}
	return nil
}

var errNoAutoExplain = errors.New("bench: this Postgres has no auto_explain (Debian: postgresql-contrib)")

// logged is how long the log of Postgres is by now.
func (s *stores) logged() (int64, error) {
	info, err := os.Stat(s.stack.PostgresLog())
	if err != nil {
		return 0, fmt.Errorf("bench: %w", err)
	}
	return info.Size(), nil
}

// plansSince reads what was explained behind an offset of the log.
func (s *stores) plansSince(offset int64) ([]plan, error) {
	file, err := os.Open(filepath.Clean(s.stack.PostgresLog()))
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.NewSectionReader(file, offset, 1<<30))
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	return readPlans(text)
}

var (
	// An entry of the log: its lines but the first begin with a tab.
	explanation = regexp.MustCompile(`(?m)^.*duration: .* plan:\n((?:\t.*\n)+)`)
	// What only a plan that was made for any values says.
	parameter = regexp.MustCompile(`"[A-Za-z ]+": "[^"]*\$[0-9]`)
)

func readPlans(log []byte) ([]plan, error) {
	var plans []plan
	for _, found := range explanation.FindAllSubmatch(log, -1) {
		var p plan
		if err := json.Unmarshal(bytes.ReplaceAll(found[1], []byte("\n\t"), []byte("\n")), &p); err != nil {
			return nil, fmt.Errorf("bench: a plan in the log of Postgres: %w", err)
		}
		_, steps, _ := bytes.Cut(found[1], []byte(`"Plan":`))
		p.generic = parameter.Match(steps)
		plans = append(plans, p)
	}
	return plans, nil
}
