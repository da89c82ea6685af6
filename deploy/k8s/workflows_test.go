package k8s_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
)

// The workflows are what GitHub takes for workflows: names of keys, contexts where they may
// be used, needs, outputs. (What they may do is looked at in the folder above.)
func TestTheWorkflowsAreWellFormed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	// Without the programs that it would run where they happen to be installed.
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found, err := linter.Lint(file, text, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range found {
			t.Error(one)
		}
		for _, edit := range [][2]string{{"runs-on:", "run-on:"}, {"github.ref", "github.reff"}, {"needs.image", "needs.images"}} {
			if !strings.Contains(string(text), edit[0]) {
				continue
			}
			if found, err := linter.Lint(file, []byte(strings.ReplaceAll(string(text), edit[0], edit[1])), nil); err != nil || len(found) == 0 {
				t.Errorf("%s: %s goes unseen: %v", file, edit[1], err)
			}
		}
	}
}
