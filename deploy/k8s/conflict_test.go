package k8s_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"sigs.k8s.io/yaml"
)

// handBack is the document's command that gives the rollout back what a hand has taken.
var handBack = regexp.MustCompile(`(?m)^    (kubectl kustomize deploy/k8s/overlays/production \| (?:.*\\\n)*.*--force-conflicts.*)$`)

func operations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// cluster is a Deployment as the server keeps it, with who owns which field. (The library
// deduces its schema: a list has one owner.)
type cluster struct {
	managedfieldstest.TestFieldManager
}

func newCluster() cluster {
	return cluster{managedfieldstest.NewTestFieldManager(managedfields.NewDeducedTypeConverter(), schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"})}
}

// running is the Deployment of a half with an image.
func running(t *testing.T, image string) *unstructured.Unstructured {
	t.Helper()
	for document := range strings.SplitSeq(renderedText(t, "overlays/production"), "\n---\n") {
		if strings.Contains(document, "kind: Deployment\n") && strings.Contains(document, "\n  name: handoff-fos\n") {
			one := &unstructured.Unstructured{}
			if err := yaml.Unmarshal([]byte(strings.ReplaceAll(document, strings.Repeat("0", 64), image)), &one.Object); err != nil {
				t.Fatal(err)
			}
			return one
		}
	}
	t.Fatal("there is no Deployment of the FOS half")
	return nil
}

// rolledOut is what rollout.sh does.
func (c cluster) rolledOut(t *testing.T, image string) error {
	t.Helper()
	return c.Apply(running(t, image), "handoff-rollout", false)
}

// The way back that the document names for an emergency leaves the way forward open: the
// next digest is the fix. "kubectl rollout undo" would not, since the image is then its own.
func TestARollbackDoesNotBlockTheNextRollout(t *testing.T) {
	t.Parallel()
	for line := range strings.Lines(operations(t)) {
		if way, is := strings.CutPrefix(line, "| rollback |"); is && (!strings.Contains(way, "`rollout.sh`") || !strings.Contains(way, "never `kubectl rollout undo`")) {
			t.Errorf("the document's way back is %s", way)
		}
	}
	c := newCluster()
	for _, image := range []string{"one", "two", "one", "three"} {
		if err := c.rolledOut(t, image); err != nil {
			t.Fatalf("%s: %v", image, err)
		}
	}
}

// Who did it by hand all the same finds in the document what gives the fields back: as the
// rollout's own manager, and by force this once.
func TestWhatAHandHasTakenIsGivenBackByOneCommand(t *testing.T) {
	t.Parallel()
	found := handBack.FindStringSubmatch(operations(t))
	if found == nil {
		t.Fatal("the document has no such command")
	}
	said, applied := byHand(t, found[1])
	for _, want := range []string{"kustomize deploy/k8s/overlays/production", "--server-side", "--force-conflicts", "--field-manager=handoff-rollout", "--namespace handoff-production", "--selector app.kubernetes.io/component=server"} {
		if !strings.Contains(said, want) {
			t.Errorf("kubectl was told %q, without %s", said, want)
		}
	}
	if !strings.Contains(applied, "image: "+image) || strings.Contains(applied, strings.Repeat("0", 64)) {
		t.Error("the image that is named does not run")
	}
	c := newCluster()
	for _, image := range []string{"one", "two"} {
		if err := c.rolledOut(t, image); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Update(running(t, "one"), "kubectl-rollout"); err != nil {
		t.Fatal(err)
	}
	if err := c.rolledOut(t, "three"); !errors.IsConflict(err) {
		t.Fatalf("what this is about does not happen: %v", err)
	}
	if err := c.Apply(running(t, "three"), "handoff-rollout", true); err != nil {
		t.Fatal(err)
	}
	if err := c.rolledOut(t, "four"); err != nil {
		t.Errorf("the next rollout: %v", err)
	}
}

// byHand runs a command of the document, with a kubectl that writes down what it is told
// and what it applies.
func byHand(t *testing.T, command string) (said, applied string) {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	const kubectl = "#!/bin/sh\necho \"$*\" >>\"$SAID\"\ncase $1 in kustomize) cat \"$OVERLAY\" ;; *) cat >\"$APPLIED\" ;; esac\n"
	for name, text := range map[string]string{"kubectl": kubectl, "said": "", "applied": "", "overlay": renderedText(t, "overlays/production")} {
		if err := os.WriteFile(at(name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	shell := exec.CommandContext(t.Context(), "sh", "-euc", command)
	shell.Env = []string{"PATH=" + dir + ":/usr/bin:/bin", "SAID=" + at("said"), "APPLIED=" + at("applied"), "OVERLAY=" + at("overlay"), "IMAGE=" + image}
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, text := range map[string]*string{"said": &said, "applied": &applied} {
		content, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		*text = string(content)
	}
	return said, applied
}
