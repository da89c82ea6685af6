package k8s_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var createsSecret = regexp.MustCompile(`(?m)^    kubectl -n handoff-production create secret generic (\S+) --from-env-file=\S+ +# ([A-Z_ ]+)`)

// Whoever follows the operations document makes every Secret that a pod needs, with every
// key that is not optional, and none that nobody reads.
func TestTheDocumentMakesEverySecret(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string][]string{}
	for _, m := range createsSecret.FindAllStringSubmatch(string(text), -1) {
		keys := slices.DeleteFunc(strings.Fields(m[2]), func(word string) bool { return len(word) < 3 || !strings.Contains(word, "_") })
		made[m[1]] = slices.Sorted(slices.Values(keys))
	}
	needed := map[string][]string{}
	for _, p := range overlay(t, "production").pods() {
		for _, c := range p.spec.Containers {
			for _, v := range c.Env {
				if ref := v.ValueFrom.SecretKeyRef; ref != nil && ref.Optional == nil && !slices.Contains(needed[ref.Name], ref.Key) {
					needed[ref.Name] = append(needed[ref.Name], ref.Key)
				}
			}
		}
	}
	for name, keys := range needed {
		slices.Sort(keys)
		if !slices.Equal(made[name], keys) {
			t.Errorf("%s needs %v, and the document makes %v", name, keys, made[name])
		}
	}
	if len(made) != len(needed) || len(made) != 5 {
		t.Errorf("%d Secrets are made, %d needed", len(made), len(needed))
	}
}
