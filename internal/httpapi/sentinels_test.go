package httpapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// never are the sentinels that do not reach the edge, or that an opaque 500 is
// right for; each with the reason.
var never = map[string]string{
	"token.ErrSealBroken": "Exchange asks the ledger instead and answers token_unknown",
	"token.ErrTaken":      "256 random bits met twice: the random source is broken, which is a 500",

	"user.ErrRaced":   "Arrive begins anew, and in the end makes an outage of it",
	"user.ErrArrival": "a peer's answer without subject or email is refused before; a 500 if it is not",

	"session.ErrHandoffUsed":  "Login turns it into handoff_invalid, reason used",
	"session.ErrHandoffEnded": "FOSStore.Arrive turns it into handoff_invalid, reason invalid",

	"password.ErrMalformed": "Passwords.Verify logs it and says no",
	"password.ErrTooCostly": "Passwords.Verify logs it and says no",
	"password.ErrTooLong":   "only hashing returns it; verifying says no",

	"privacy.ErrEmail":    "an address that is none is an unknown account, and a peer's is an outage",
	"privacy.ErrShortKey": "at start, from the configuration",
}

// Every exported Err of the packages that a request passes through has its row in
// the edge's table, or its place above: who adds one has to say what the client
// is told.
func TestProblem_hasARowForEverySentinel(t *testing.T) {
	t.Parallel()
	declared := map[string]bool{}
	for _, dir := range []string{
		"../token", "../member", "../user", "../session", "../handoff", "../signin", "../leaving", "../ratelimit", "../health",
		"../privacy", "../outage", "../audit", "../../password", ".",
	} {
		for _, name := range sentinels(t, dir) {
			declared[name] = true
		}
	}
	rows := tableRows(t)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		switch reason, excepted := never[name], never[name] != ""; {
		case !rows[name] && !excepted:
			t.Errorf("%s has no row in problem.go: clients would get an opaque 500", name)
		case rows[name] && excepted:
			t.Errorf("%s has a row and is said never to come here: %s", name, reason)
		}
	}
	for name := range rows {
		if !declared[name] && !strings.HasPrefix(name, "echo.") && !strings.HasPrefix(name, "context.") {
			t.Errorf("the table has a row for %s, which this test does not see", name)
		}
	}
	for name := range never {
		if !declared[name] {
			t.Errorf("%s is excepted and no longer there", name)
		}
	}
	if len(declared) < 25 {
		t.Errorf("only %d sentinels found: %v", len(declared), declared)
	}
}

// sentinels are the exported Err variables of a package, as "package.ErrName".
func sentinels(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file := parse(t, path)
		for _, declaration := range file.Decls {
			general, isGeneral := declaration.(*ast.GenDecl)
			if !isGeneral || general.Tok != token.VAR {
				continue
			}
			for _, spec := range general.Specs {
				value, isValue := spec.(*ast.ValueSpec)
				if !isValue {
					continue
				}
				for _, name := range value.Names {
					if strings.HasPrefix(name.Name, "Err") {
						names = append(names, file.Name.Name+"."+name.Name)
					}
				}
			}
		}
	}
	return names
}

// tableRows are the errors in the first column of the table in problem.go.
func tableRows(t *testing.T) map[string]bool {
	t.Helper()
	rows := map[string]bool{}
	ast.Inspect(parse(t, "problem.go"), func(node ast.Node) bool {
		spec, isSpec := node.(*ast.ValueSpec)
		if !isSpec || spec.Names[0].Name != "table" {
			return true
		}
		list, isList := spec.Values[0].(*ast.CompositeLit)
		if !isList {
			t.Fatal("the table is no list")
		}
		for _, element := range list.Elts {
			row, isRow := element.(*ast.CompositeLit)
			if !isRow || len(row.Elts) == 0 {
				t.Fatal("a row of the table is no row")
			}
			switch is := row.Elts[0].(type) {
			case *ast.SelectorExpr:
				rows[nameOf(is.X)+"."+is.Sel.Name] = true
			case *ast.Ident:
				rows["httpapi."+is.Name] = true
			}
		}
		return false
	})
	return rows
}

func nameOf(expression ast.Expr) string {
	if name, isName := expression.(*ast.Ident); isName {
		return name.Name
	}
	return "?"
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
