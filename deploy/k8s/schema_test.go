package k8s_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// unpublished is the kind that no schema is published for but by the cluster that has it (k3s);
// its one field is decoded by our own type.
const unpublished = "helm.cattle.io/v1 HelmChartConfig"

// schemas are those of schemas/schemas.json, by "apiVersion kind".
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	text, err := os.ReadFile("schemas/schemas.json")
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	var kinds struct {
		Kinds map[string]string `json:"kinds"`
	}
	if err := json.Unmarshal(text, &kinds); err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("schemas.json", document); err != nil {
		return nil, err
	}
	all := map[string]*jsonschema.Schema{}
	for kind, name := range kinds.Kinds {
		if all[kind], err = compiler.Compile("schemas.json#/$defs/" + name); err != nil {
			return nil, err
		}
	}
	return all, nil
})

// conforms says where an object is not what the cluster takes for one of its kind: fields
// that there are not, that are missing, of another type, or with a word that is none.
func conforms(kind string, document []byte) error {
	all, err := schemas()
	if err != nil || kind == unpublished {
		return err
	}
	schema := all[kind]
	if schema == nil {
		return errors.New("there is no schema of " + kind)
	}
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return err
	}
	object, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(object)
}

// nonconforming are the complaints about a whole rendering.
func nonconforming(t *testing.T, text string) (faults []string) {
	t.Helper()
	for document := range strings.SplitSeq(text, "\n---\n") {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatal(err)
		}
		if err := conforms(kind.APIVersion+" "+kind.Kind, []byte(document)); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", kind.Kind, err))
		}
	}
	return faults
}

// What is rendered is what Kubernetes and Traefik publish as theirs.
func TestTheManifestsConformToThePublishedSchemas(t *testing.T) {
	t.Parallel()
	texts := map[string]string{"cluster": renderedText(t, "cluster")}
	for _, name := range overlays {
		texts[name] = renderedText(t, "overlays/"+name)
		for _, component := range []string{"authz", "dao-elsewhere", "traces"} {
			texts[name+" with "+component] = renderedWith(t, name, component)
		}
	}
	for name, text := range texts {
		for _, fault := range nonconforming(t, text) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// A word that is none, a field that is missing, one that there is not and one of another type
// are seen, in Kubernetes' objects and in Traefik's.
func TestWhatTheClusterWouldRefuseIsSeen(t *testing.T) {
	t.Parallel()
	text := renderedWith(t, "production", "authz") + "\n---\n" + renderedText(t, "cluster")
	for _, edit := range []struct{ old, replacement, said string }{
		{"        name: server\n", "        name: server\n        imagePullPolicy: Sometimes\n", "'Always', 'Never', 'IfNotPresent'"},
		{"restartPolicy: Never", "restartPolicy: Sometimes", "'Always', 'OnFailure', 'Never'"},
		{"protocol: TCP", "protocol: TPC", "'TCP', 'UDP', 'SCTP'"},
		{"  - Egress\n", "  - Egres\n", "'Ingress', 'Egress'"},
		{"type: RollingUpdate", "type: Rolling", "'Recreate', 'RollingUpdate'"},
		{"whenUnsatisfiable: ScheduleAnyway", "whenUnsatisfiable: Schedule", "'DoNotSchedule', 'ScheduleAnyway'"},
		{"unhealthyPodEvictionPolicy: AlwaysAllow", "unhealthyPodEvictionPolicy: Always", "'IfHealthyBudget', 'AlwaysAllow'"},
		{"        name: server\n", "", "missing property 'name'"},
		{"        whenUnsatisfiable: ScheduleAnyway\n", "", "missing property 'whenUnsatisfiable'"},
		{"  replicas: 2\n", "  replicas: 2\n  replica: 2\n", "'replica' not allowed"},
		{"  replicas: 2\n", "  replicas: \"2\"\n", "want integer"},
		{"runAsNonRoot: true", "runAsNonRoot: yes please", "want boolean"},
		{"  - kind: Rule\n    match:", "  - kind: Ruled\n    match:", "'Rule'"},
		{"    - name: handoff-limit\n", "    - namespace: handoff-production\n", "missing property 'name'"},
		{"    address: http://handoff-authz", "    url: http://handoff-authz", "'url' not allowed"},
		{"    stsSeconds: 31536000\n", "    stsSeconds: a year\n", "want integer"},
		{"  minVersion: VersionTLS12\n", "  minVersion: VersionTLS12\n  maximumVersion: VersionTLS13\n", "'maximumVersion' not allowed"},
	} {
		if !strings.Contains(text, edit.old) {
			t.Errorf("%q is not there to be broken", edit.old)
			continue
		}
		got := strings.Join(nonconforming(t, strings.ReplaceAll(text, edit.old, edit.replacement)), "\n")
		if !strings.Contains(got, edit.said) {
			t.Errorf("%q in place of %q: want %q, said was\n%s", edit.replacement, edit.old, edit.said, got)
		}
	}
}

// The schemas are of the Kubernetes whose types the manifests are decoded into.
func TestTheSchemasAreOfTheTypesVersion(t *testing.T) {
	t.Parallel()
	var all string
	for _, name := range []string{"go.mod", "schemas/schemas.json"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	types, of := regexp.MustCompile(`k8s.io/api v0\.(\S+)`).FindStringSubmatch(all), regexp.MustCompile(`k8s.io/kubernetes@v1\.(\S+) `).FindStringSubmatch(all)
	if types == nil || of == nil || types[1] != of[1] {
		t.Errorf("the types are %v, the schemas %v: schemas/generate makes them", types, of)
	}
}
