package drift_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/hello-world-co-op/handoff/internal/drift"
)

// hidden stands where values stand, and must come out nowhere.
const hidden = "hunter2-and-more"

func read(t *testing.T, text string) drift.Names {
	t.Helper()
	n, err := drift.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// deployment is one, as kubectl prints it; env are the items of its container's env.
func deployment(name string, env ...string) string {
	return fmt.Sprintf(`{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %q, "labels": {"x": "y"}},
		"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "server", "env": [%s]}]}}}}`, name, strings.Join(env, ","))
}

func from(name, source string) string {
	return fmt.Sprintf(`{"name": %q, "valueFrom": {%q: {"name": "handoff", "key": %q}}}`, name, source, name)
}

func byHand(name string) string { return fmt.Sprintf(`{"name": %q, "value": %q}`, name, hidden) }

func differences(t *testing.T, manifest, live string) []string {
	t.Helper()
	known := func(name string) string {
		return map[string]string{"LOG_LEVEL": "this program", "REDIS_URL": "this program", "PGHOST": "a driver"}[name]
	}
	findings, err := drift.Compare(read(t, manifest), read(t, live), known)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, f := range findings {
		texts = append(texts, f.String())
	}
	if strings.Contains(strings.Join(texts, "\n"), hidden) {
		t.Errorf("a value came out: %q", texts)
	}
	return texts
}

func wants(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("differences\n%q, want\n%q", got, want)
	}
}

// What was set by hand, what was lost and what points elsewhere is named, with its
// container; what is as it should be is not.
func TestDriftIsFoundByContainerAndName(t *testing.T) {
	manifest := deployment("handoff-dao", from("REDIS_URL", "secretKeyRef"), from("ENVIRONMENT", "configMapKeyRef"), from("LOG_FORMAT", "configMapKeyRef"), from("POD", "fieldRef"), byHand("FIXED")) +
		deployment("handoff-fos", from("DATABASE_URL", "secretKeyRef"))
	live := `{"kind": "List", "items": [` +
		deployment("handoff-dao", byHand("REDIS_URL"), from("ENVIRONMENT", "secretKeyRef"), from("POD", "fieldRef"), byHand("FIXED"), byHand("LOG_LEVEL"), byHand("OLD_SETTING"), byHand("PGHOST")) + "," +
		deployment("shadow", byHand("X")) + `, {"kind": "Job", "metadata": {"name": "handoff-migrate"}}]}`
	wants(t, differences(t, manifest, live),
		"Deployment/handoff-dao/server: ENVIRONMENT: comes from a Secret, not as in the manifest",
		"Deployment/handoff-dao/server: LOG_FORMAT: is missing",
		"Deployment/handoff-dao/server: LOG_LEVEL: is not in the manifest, and counts: this program reads it",
		"Deployment/handoff-dao/server: OLD_SETTING: is not in the manifest, and nothing reads it",
		"Deployment/handoff-dao/server: PGHOST: is not in the manifest, and counts: a driver reads it",
		"Deployment/handoff-dao/server: REDIS_URL: was set by hand; the manifest has it from a Secret",
		"Deployment/handoff-fos/server: does not run",
		"Deployment/shadow/server: runs, and is not in the manifest",
	)
	wants(t, differences(t, manifest, `{"kind": "List", "items": [`+
		deployment("handoff-dao", from("LOG_FORMAT", "configMapKeyRef"), from("REDIS_URL", "secretKeyRef"), from("ENVIRONMENT", "configMapKeyRef"), from("POD", "fieldRef"), byHand("FIXED"))+","+
		deployment("handoff-fos", from("DATABASE_URL", "secretKeyRef"))+`]}`))
	if containers, variables := read(t, manifest).Count(); containers != 2 || variables != 6 {
		t.Errorf("%d containers, %d variables", containers, variables)
	}
}

// Somebody points a variable at a Secret of their own: it is drift, though it comes from a
// Secret as it should.
func TestDriftSeesAnotherSecretOrKey(t *testing.T) {
	for _, source := range []string{"secretKeyRef", "configMapKeyRef"} {
		manifest := deployment("d", from("REDIS_URL", source))
		for name, edit := range map[string][2]string{"object": {`"name": "handoff"`, `"name": "mine"`}, "key": {`"key": "REDIS_URL"`, `"key": "OTHER"`}} {
			got := differences(t, manifest, strings.Replace(manifest, edit[0], edit[1], 1))
			if len(got) != 1 || !strings.HasPrefix(got[0], "Deployment/d/server: REDIS_URL: comes from another ") {
				t.Errorf("another %s of a %s: %q", name, source, got)
			}
		}
	}
}

// Containers that run before the others count, and names that come in by the bundle are
// told of.
func TestDriftSeesInitContainersAndBundles(t *testing.T) {
	const pod = `{"kind": "StatefulSet", "metadata": {"name": "s"}, "spec": {"template": {"spec": {"initContainers": [{"name": "i"%s}], "containers": [{"name": "c"%s}]}}}}`
	wants(t, differences(t, fmt.Sprintf(pod, "", ""), fmt.Sprintf(pod, `, "env": [{"name": "REDIS_URL"}]`, `, "envFrom": [{"secretRef": {"name": "all"}}]`)),
		"StatefulSet/s/c: (envFrom): brings in names that the manifest does not list",
		"StatefulSet/s/i: REDIS_URL: is not in the manifest, and counts: this program reads it",
	)
}

// Outside of Kubernetes the names come as lines, with or without values.
func TestDriftOfLines(t *testing.T) {
	manifest := "# the settings\nENVIRONMENT=production\n\nREDIS_URL=" + hidden + "\nexport LOG_FORMAT=json\n"
	live := "PATH=/bin\r\nHOSTNAME=x\nENVIRONMENT=\nREDIS_URL=" + hidden + "=\nLOG_LEVEL=" + hidden + "\nDEBUG=" + hidden
	wants(t, differences(t, manifest, live), "DEBUG: is not in the manifest, and nothing reads it", "LOG_FORMAT: is missing", "LOG_LEVEL: is not in the manifest, and counts: this program reads it")
	wants(t, differences(t, manifest, "LOG_FORMAT\nREDIS_URL\nENVIRONMENT"))
	if _, err := drift.Compare(read(t, manifest), read(t, deployment("d")), nil); !errors.Is(err, drift.ErrForms) {
		t.Errorf("lines and objects were compared: %v", err)
	}
}

// What cannot be read is an error, never "no drift", and it quotes nothing.
func TestDriftReadsNothingIntoNothing(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "only comments": "# " + hidden + "\n", "no container": `{"kind": "ConfigMap", "data": {"X": "` + hidden + `"}}`,
		"broken": deployment("d", byHand("A"))[:80], "wrong type": `{"kind": "` + hidden + `", "items": "` + hidden + `"}`,
		"a value's second line": "KEY=-----BEGIN\n" + hidden + "\n", "a value's second line that could be a name": "LOG_LEVEL=info\nKEY=first\nhunter2\n", "a long line": "A=" + strings.Repeat("x", 1<<17), "too long": strings.Repeat("#\n", 8<<20) + "A",
	} {
		if _, err := drift.Read(strings.NewReader(text)); !errors.Is(err, drift.ErrInput) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	torn := errors.New("torn")
	if _, err := drift.Read(iotest.ErrReader(torn)); !errors.Is(err, torn) {
		t.Errorf("a torn pipe: %v", err)
	}
}
