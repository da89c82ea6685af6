package k8s_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// What an operator does by hand, once or at a rotation, works with these manifests as the
// operations document says it.

// line finds the one line of the document that matches, and its groups.
func line(t *testing.T, pattern string) []string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^    `+pattern+`$`).FindAllStringSubmatch(operations(t), -1)
	if len(found) != 1 {
		t.Fatalf("the document has %d lines that are %s", len(found), pattern)
	}
	return found[0]
}

func (o *objects) server(t *testing.T, name string) *appsv1.Deployment {
	t.Helper()
	for _, d := range o.servers() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

// A registry that wants to know who asks is told: the Secret that the document makes is the
// one of the account that all pods of ours run as.
func TestTheImageIsFetchedWithTheSecretThatTheDocumentMakes(t *testing.T) {
	t.Parallel()
	name := line(t, `kubectl -n handoff-production create secret generic (\S+) --type=kubernetes\.io/dockerconfigjson --from-file=\.dockerconfigjson=\S+ .*`)[1]
	for _, overlayName := range overlays {
		o := overlay(t, overlayName)
		if len(o.accounts) != 1 || !slices.Equal(o.accounts[0].ImagePullSecrets, []corev1.LocalObjectReference{{Name: name}}) {
			t.Errorf("%s: the image is fetched as nobody", overlayName)
			continue
		}
		for _, p := range o.pods() {
			if strings.Contains(p.spec.Containers[0].Image, "/handoff@") && p.spec.ServiceAccountName != o.accounts[0].Name {
				t.Errorf("%s: %s runs as %q", overlayName, p.owner, p.spec.ServiceAccountName)
			}
		}
	}
}

// The pipeline's KUBECONFIG is what the document's lines write: one account, one namespace,
// a token that ends, and a file that nobody else reads.
func TestTheDocumentMakesThePipelinesKubeconfig(t *testing.T) {
	t.Parallel()
	block := regexp.MustCompile(`(?ms)^    \(umask 077 && cat >deployer\.kubeconfig\) <<END\n.*?^    END\n`).FindString(operations(t))
	dir := t.TempDir()
	const kubectl = `#!/bin/sh
echo "$*" >>said
case $* in
"config view --minify --output jsonpath={.clusters[0].cluster.server}") printf https://cluster.example:6443 ;;
"-n handoff-production get configmap kube-root-ca.crt --output jsonpath={.data.ca\.crt}") echo PEM ;;
"-n handoff-production create token deployer --duration="*) printf made-up ;;
*) exit 1 ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(kubectl), 0o700); err != nil {
		t.Fatal(err)
	}
	shell := exec.CommandContext(t.Context(), "sh", "-euc", regexp.MustCompile(`(?m)^    `).ReplaceAllString(block, ""))
	shell.Dir, shell.Env = dir, []string{"PATH=" + dir + ":/usr/bin:/bin"}
	if out, err := shell.CombinedOutput(); err != nil || block == "" {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "deployer.kubeconfig"))
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		APIVersion     string `json:"apiVersion"`
		Kind           string `json:"kind"`
		CurrentContext string `json:"current-context"`
		Contexts       []struct {
			Name    string            `json:"name"`
			Context map[string]string `json:"context"`
		} `json:"contexts"`
		Clusters []struct {
			Name    string            `json:"name"`
			Cluster map[string]string `json:"cluster"`
		} `json:"clusters"`
		Users []struct {
			Name string            `json:"name"`
			User map[string]string `json:"user"`
		} `json:"users"`
	}
	if err := yaml.UnmarshalStrict(text, &made); err != nil || len(made.Contexts) != 1 || len(made.Clusters) != 1 || len(made.Users) != 1 {
		t.Fatalf("%v\n%s", err, text)
	}
	context := made.Contexts[0]
	if made.Kind != "Config" || made.CurrentContext != context.Name || context.Context["cluster"] != made.Clusters[0].Name ||
		context.Context["user"] != made.Users[0].Name || context.Context["namespace"] != "handoff-production" ||
		made.Clusters[0].Cluster["server"] != "https://cluster.example:6443" || made.Clusters[0].Cluster["certificate-authority-data"] != "UEVNCg==" || made.Users[0].User["token"] != "made-up" {
		t.Errorf("it is\n%s", text)
	}
	if info, err := os.Stat(filepath.Join(dir, "deployer.kubeconfig")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("who reads it: %v, %v", info.Mode(), err)
	}
}

// The first people are made from inside a pod of the half, which reaches its database and
// has its URL; another pod reaches nothing.
func TestTheFirstPeopleAreMadeWhereTheDatabaseIsReached(t *testing.T) {
	t.Parallel()
	o := overlay(t, "production")
	for seeded, half := range map[string]string{"member": "dao", "accounts": "fos"} {
		name := line(t, `kubectl -n handoff-\w+ exec -i deployment/(\S+) -- /seed `+seeded+` .*--password-stdin --expect-database handoff_`+half+` <\S+`)[1]
		databases, err := config.LoadDatabases(environ(o.settings(o.server(t, name).Spec.Template.Spec.Containers[0])))
		if has := map[string]bool{"dao": !databases.DAO.IsEmpty(), "fos": !databases.FOS.IsEmpty()}; err != nil || !has[half] {
			t.Errorf("%s has no database for %s: %v", name, seeded, err)
		}
		if !o.reaches(o.ends()[name], o.ends()["postgres"], portPostgres) {
			t.Errorf("%s does not reach the database", name)
		}
	}
}

// A step of a rotation changes some keys of one Secret, keeps the others, and restarts the
// half that reads it; the new values stand on no command line.
func TestARotationsStepIsOneChangeOfASecret(t *testing.T) {
	t.Parallel()
	found := line(t, `kubectl -n handoff-production patch secret (\S+) --type merge --patch-file \S+ +# (\{.*\})`)
	var change struct {
		StringData map[string]string `json:"stringData"`
	}
	if err := json.Unmarshal([]byte(found[2]), &change); err != nil || len(change.StringData) == 0 {
		t.Fatalf("%v: %s", err, found[2])
	}
	d := overlay(t, "production").server(t, found[1])
	for key := range change.StringData {
		if !slices.ContainsFunc(d.Spec.Template.Spec.Containers[0].Env, func(v corev1.EnvVar) bool {
			return v.ValueFrom.SecretKeyRef != nil && v.ValueFrom.SecretKeyRef.Name == found[1] && v.ValueFrom.SecretKeyRef.Key == key
		}) {
			t.Errorf("%s does not read %s", d.Name, key)
		}
	}
	for _, step := range []string{"restart", "status"} {
		if got := line(t, `kubectl -n handoff-production rollout `+step+` deployment/(\S+)`)[1]; got != d.Name {
			t.Errorf("%s is that of %s", step, got)
		}
	}
}
