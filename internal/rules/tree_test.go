package rules_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hello-world-co-op/handoff"

// room is one package as the rules see it.
type room struct {
	path  string // within the module, with slashes
	files []file
}

// file is one Go file.
type file struct {
	path    string // within the module
	name    string // its package clause
	ours    []string
	others  []string
	clocks  []string // the functions in clocks that it mentions
	lines   int
	forTest bool
}

// shipped are the files that are no tests.
func (r room) shipped() []file {
	return slices.DeleteFunc(slices.Clone(r.files), func(f file) bool { return f.forTest })
}

// readTree parses all packages of the module, in order.
func readTree(t *testing.T) []room {
	t.Helper()
	root := filepath.Join("..", "..")
	byPath := map[string]*room{}
	err := filepath.WalkDir(root, func(where string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, where)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return enter(where, relative)
		}
		if !strings.HasSuffix(where, ".go") {
			return nil
		}
		name := filepath.ToSlash(relative)
		text, err := os.ReadFile(where)
		if err != nil {
			return err
		}
		parsed, err := parseFile(name, text)
		if err != nil {
			return err
		}
		in := path.Dir(name)
		if byPath[in] == nil {
			byPath[in] = &room{path: in}
		}
		byPath[in].files = append(byPath[in].files, parsed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []room
	for _, r := range byPath {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b room) int { return strings.Compare(a.path, b.path) })
	return all
}

// enter skips folders that are not part of the module.
func enter(where, relative string) error {
	base := filepath.Base(relative)
	switch {
	case relative == ".":
		return nil
	case strings.HasPrefix(base, "."), strings.HasPrefix(base, "_"), base == "testdata", base == "vendor":
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(where, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}

func parseFile(name string, text []byte) (file, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	f := file{
		path: name, name: syntax.Name.Name, lines: bytes.Count(text, []byte("\n")), forTest: strings.HasSuffix(name, "_test.go"),
	}
	timeName := ""
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		if ours, is := strings.CutPrefix(imported, module+"/"); is {
			f.ours = append(f.ours, ours)
			continue
		}
		f.others = append(f.others, imported)
		if imported == "time" {
			timeName = "time"
			if spec.Name != nil {
				timeName = spec.Name.Name
			}
		}
	}
	ast.Inspect(syntax, func(node ast.Node) bool {
		selector, is := node.(*ast.SelectorExpr)
		if !is {
			return true
		}
		from, is := selector.X.(*ast.Ident)
		if is && timeName != "" && from.Name == timeName && slices.Contains(clocks, selector.Sel.Name) {
			f.clocks = append(f.clocks, selector.Sel.Name)
		}
		return true
	})
	return f, nil
}
