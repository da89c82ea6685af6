package mutants_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// mutant is one change for the worse, and who is to notice.
type mutant struct {
	name string
	// breaks names the invariant, where there is one, and says what the change opens.
	breaks string
	// file is the one that is changed, from the module's root.
	file  string
	edits []edit
	// in is the package whose tests are to notice, and killers are their names. One that
	// fails is enough.
	in      string
	killers []string
}

// edit replaces old, which stands in the file exactly once.
type edit struct{ old, new string }

// all are the mutants of all lists.
func all() []mutant {
	return slices.Concat(
		gateMutants, carrierMutants, auditMutants, arrivalMutants, identityMutants, tokenMutants,
		sessionMutants, refreshMutants, requestMutants, boundMutants, privacyMutants, passwordMutants, troubleMutants, figureMutants, journeyMutants, questionMutants, groupcommitMutants, togetherMutants, machineMutants, assuranceMutants, leavingMutants, deploymentMutants, authzMutants, rotationMutants, metricsMutants, traceMutants, publishedMutants, restoreMutants, clientMutants, benchMutants, startMutants, sizeMutants,
	)
}

// root is the module's, seen from this package.
var root = filepath.Join("..", "..")

// mutated is the file's text with the mutant in it.
func (m mutant) mutated(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", err
	}
	whole := string(text)
	for _, e := range m.edits {
		if n := strings.Count(string(text), e.old); n != 1 {
			return "", fmt.Errorf("%s has this %d times, not once:\n%s", m.file, n, e.old)
		}
		whole = strings.Replace(whole, e.old, e.new, 1)
	}
	return whole, nil
}

// fewest is how many mutants there are to be at least.
const fewest = 30

var kebab = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// The list must not rot unnoticed: a mutant whose text has gone, or whose tests have
// another name now, would prove nothing.
func TestTheListIsInOrder(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range all() {
		if seen[m.name] || !kebab.MatchString(m.name) {
			t.Errorf("%q is there twice, or is no name", m.name)
		}
		seen[m.name] = true
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			changesSomethingThatIsThere(t, m)
			isLookedForByTestsThatAreThere(t, m)
		})
	}
	if len(seen) < fewest {
		t.Errorf("%d mutants, want %d at least", len(seen), fewest)
	}
}

func changesSomethingThatIsThere(t *testing.T, m mutant) {
	t.Helper()
	if m.breaks == "" || len(m.edits) == 0 || strings.HasSuffix(m.file, "_test.go") {
		t.Error("it says not what it breaks, changes nothing, or changes a test")
	}
	for _, e := range m.edits {
		if e.old == e.new || e.old == "" {
			t.Errorf("it changes nothing: %q", e.old)
		}
	}
	text, err := m.mutated(root)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(m.file, ".go") {
		return
	}
	if _, err := parser.ParseFile(token.NewFileSet(), m.file, text, parser.SkipObjectResolution); err != nil {
		t.Errorf("the mutant is no Go: %v", err)
	}
}

func isLookedForByTestsThatAreThere(t *testing.T, m mutant) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(m.in), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "//go:build ") { // TestMutants runs without tags
			tests.Write(text)
		}
	}
	for _, killer := range m.killers {
		if !strings.Contains(tests.String(), "\nfunc "+killer+"(t *testing.T)") {
			t.Errorf("%s has no %s", m.in, killer)
		}
	}
	if len(m.killers) == 0 {
		t.Error("nobody is to notice")
	}
}
