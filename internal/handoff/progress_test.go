package handoff_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/handoff"
)

// A stage that no step leads to would be counted as "other".
func TestStepsLeadToEveryStage(t *testing.T) {
	t.Parallel()
	tree, err := parser.ParseFile(token.NewFileSet(), "progress.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	reached := []string{}
	for _, step := range handoff.Steps() {
		reached = append(reached, `"`+string(step.To)+`"`)
	}
	stages := 0
	ast.Inspect(tree, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Stage" {
			return true
		}
		stages++
		if literal, ok := spec.Values[0].(*ast.BasicLit); !ok || !slices.Contains(reached, literal.Value) {
			t.Errorf("no step leads to %s", spec.Names[0].Name)
		}
		return true
	})
	if stages != 7 {
		t.Errorf("%d stages", stages)
	}
}
