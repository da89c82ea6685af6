//go:build mutants

package mutants_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMutants kills every mutant of the list, or the one that MUTANT names.
func TestMutants(t *testing.T) {
	t.Parallel()
	wanted := all()
	if name := os.Getenv("MUTANT"); name != "" {
		wanted = slices.DeleteFunc(wanted, func(m mutant) bool { return m.name != name })
	}
	if len(wanted) == 0 {
		t.Fatal("there is no such mutant")
	}
	lab := newLab(t, wanted)
	for _, m := range wanted {
		t.Run(m.name, lab.kill(m))
	}
}

// laboratory is a copy of the module, in which one mutant at a time lives.
type laboratory struct {
	dir string
	// killers are all that a package is asked for; healthy are those that passed there
	// without a mutant, once that is known.
	killers, healthy map[string][]string
}

func newLab(t *testing.T, mutants []mutant) *laboratory {
	t.Helper()
	lab := &laboratory{dir: t.TempDir(), killers: map[string][]string{}, healthy: map[string][]string{}}
	if err := copyTree(root, lab.dir); err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		lab.killers[m.in] = append(lab.killers[m.in], m.killers...)
	}
	return lab
}

// notSource is left behind: what was built, kept and committed.
var notSource = []string{".git", ".dev", "bin"}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		within, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case slices.Contains(notSource, within):
			return fs.SkipDir
		case entry.IsDir():
			return os.MkdirAll(filepath.Join(to, within), 0o755)
		case !entry.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // an editor's, gone meanwhile
		}
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, within), text, 0o644)
	})
}

func (lab *laboratory) kill(m mutant) func(*testing.T) {
	return func(t *testing.T) { //nolint:paralleltest // one copy, one mutant at a time
		lab.seeHealthy(t, m)
		file := filepath.Join(lab.dir, filepath.FromSlash(m.file))
		original, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, err := m.mutated(lab.dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := os.WriteFile(file, original, 0o644); err != nil {
				t.Fatal(err)
			}
		}()
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		switch found := lab.test(t, m.in, m.killers); {
		case !found.built:
			t.Errorf("it does not compile:\n%s", found.output)
		case len(found.failed) == 0 && found.ok:
			t.Errorf("SURVIVED %v of %s: %s", m.killers, m.in, m.breaks)
		case len(found.failed) == 0:
			t.Errorf("no test of %s failed, and yet:\n%s", m.in, found.output)
		default:
			t.Logf("killed by %s of %s", strings.Join(found.failed, ", "), m.in)
		}
	}
}

// seeHealthy demands that the mutant's tests pass without it: else they would kill
// anything.
func (lab *laboratory) seeHealthy(t *testing.T, m mutant) {
	t.Helper()
	healthy, known := lab.healthy[m.in]
	if !known {
		found := lab.test(t, m.in, lab.killers[m.in])
		healthy = found.passed
		lab.healthy[m.in] = healthy
		if !found.ok {
			t.Errorf("without a mutant %v of %s fail:\n%s", found.failed, m.in, found.output)
		}
	}
	for _, killer := range m.killers {
		if !slices.Contains(healthy, killer) {
			t.Fatalf("%s of %s does not pass without the mutant", killer, m.in)
		}
	}
}

// result is what a run of tests came to.
type result struct {
	built, ok      bool
	passed, failed []string
	output         string
}

// quick builds with little work, since everything is run once: our own packages are
// not optimised, and what only a debugger reads is left out. So is vet, which refuses
// what a compiler takes.
var quick = []string{"test", "-vet=off", "-ldflags=-s -w", "-gcflags=github.com/hello-world-co-op/handoff/...=-N -l"}

// test runs the named tests of a package in the copy.
func (lab *laboratory) test(t *testing.T, in string, names []string) result {
	t.Helper()
	slices.Sort(names)
	only := "^(" + strings.Join(slices.Compact(names), "|") + ")$"
	command := exec.CommandContext(t.Context(), "go", append(quick, "-json", "-count=1", "-timeout=3m", "-run", only, "./"+in)...)
	command.Dir = lab.dir
	command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0", "MUTANT=")
	var errs bytes.Buffer
	command.Stderr = &errs
	events, err := command.Output()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	found := read(t, events)
	found.ok = err == nil
	found.output += errs.String()
	return found
}

// read understands what "go test -json" says ("go doc test2json").
func read(t *testing.T, events []byte) result {
	t.Helper()
	found := result{built: true}
	var output strings.Builder
	for line := range bytes.Lines(events) {
		var event struct{ Action, Test, Output string }
		if err := json.Unmarshal(line, &event); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		whole := event.Test != "" && !strings.Contains(event.Test, "/")
		switch {
		case event.Action == "build-fail":
			found.built = false
		case event.Action == "pass" && whole:
			found.passed = append(found.passed, event.Test)
		case event.Action == "fail" && whole:
			found.failed = append(found.failed, event.Test)
		}
		output.WriteString(event.Output)
	}
	found.output = output.String()
	return found
}
