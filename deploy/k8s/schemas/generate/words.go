package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// words are the closed sets of the API's Go types, and where they are used.
type words struct {
	// sets are the constants of a type, by "k8s.io/api/core/v1.PullPolicy".
	sets map[string][]any
	// fields are the types of fields, by package, struct and name in JSON.
	fields map[string]string
}

func newWords() words {
	w := words{sets: map[string][]any{}, fields: map[string]string{}}
	for _, library := range libraries {
		root := moduleDir(library)
		module, _, _ := strings.Cut(library, "@")
		check(filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Name() == "types.go" {
				folder, _ := filepath.Rel(root, filepath.Dir(file))
				w.read(file, path.Join(module, filepath.ToSlash(folder)))
			}
			return err
		}))
	}
	return w
}

// addTo puts the words of a definition's fields in.
func (w words) addTo(name string, def schema) {
	for prefix, library := range libraries {
		rest, is := strings.CutPrefix(name, prefix)
		if !is {
			continue
		}
		module, _, _ := strings.Cut(library, "@")
		properties, _ := def["properties"].(schema)
		for field, of := range properties {
			property, _ := of.(schema)
			set := w.sets[w.fields[module+"/"+strings.ReplaceAll(rest, ".", "/")+"."+field]]
			if len(set) == 0 {
				continue
			}
			if items, is := property["items"].(schema); is {
				property = items
			}
			property["enum"] = set
		}
	}
}

func (w words) read(file, pkg string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	check(err)
	imports := map[string]string{}
	for _, i := range parsed.Imports {
		at, err := strconv.Unquote(i.Path.Value)
		check(err)
		name := path.Base(at)
		if i.Name != nil {
			name = i.Name.Name
		}
		imports[name] = at
	}
	closed := map[string]bool{}
	for _, declared := range parsed.Decls {
		general, is := declared.(*ast.GenDecl)
		if !is {
			continue
		}
		for _, spec := range general.Specs {
			if t, is := spec.(*ast.TypeSpec); is {
				closed[t.Name.Name] = marked(general.Doc) || marked(t.Doc)
				if s, is := t.Type.(*ast.StructType); is {
					w.addFields(pkg, t.Name.Name, s, imports)
				}
			}
		}
	}
	for _, declared := range parsed.Decls {
		if general, is := declared.(*ast.GenDecl); is && general.Tok == token.CONST {
			for _, spec := range general.Specs {
				if v, is := spec.(*ast.ValueSpec); is {
					w.addConstant(pkg, v, closed)
				}
			}
		}
	}
}

func marked(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.TrimSpace(strings.TrimPrefix(c.Text, "//")) == "+enum" })
}

func (w words) addConstant(pkg string, v *ast.ValueSpec, closed map[string]bool) {
	of, is := v.Type.(*ast.Ident)
	if !is || !closed[of.Name] || len(v.Values) != 1 {
		return
	}
	if literal, is := v.Values[0].(*ast.BasicLit); is && literal.Kind == token.STRING {
		word, err := strconv.Unquote(literal.Value)
		check(err)
		w.sets[pkg+"."+of.Name] = append(w.sets[pkg+"."+of.Name], word)
	}
}

func (w words) addFields(pkg, name string, s *ast.StructType, imports map[string]string) {
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		check(err)
		field, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		switch of := bare(f.Type).(type) {
		case *ast.Ident:
			w.fields[pkg+"/"+name+"."+field] = pkg + "." + of.Name
		case *ast.SelectorExpr:
			if from, is := of.X.(*ast.Ident); is {
				w.fields[pkg+"/"+name+"."+field] = imports[from.Name] + "." + of.Sel.Name
			}
		}
	}
}

// bare is the type behind pointers and lists.
func bare(of ast.Expr) ast.Expr {
	for {
		switch one := of.(type) {
		case *ast.StarExpr:
			of = one.X
		case *ast.ArrayType:
			of = one.Elt
		default:
			return of
		}
	}
}
