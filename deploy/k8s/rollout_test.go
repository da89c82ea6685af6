package k8s_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// kubectl stands for the program of that name. It writes down what it is told, renders
// what it is asked to render from $OVERLAY, keeps the manifests that are applied, and
// answers for jobs from $STATE: the first line first, then the next, the last for ever.
const kubectl = `#!/bin/sh
set -eu
echo "$*" >>"$SAID"
case $* in *--dry-run=server*) exit "${CONFLICT:-0}" ;; esac
case $1 in
kustomize) cat "$OVERLAY" ;;
apply)
	while [ $# -gt 0 ]; do
		if [ "$1" = --filename ]; then cat "$2" >"$APPLIED"; fi
		shift
	done ;;
get)
	head -n 1 "$STATE"
	if [ "$(wc -l <"$STATE")" -gt 1 ]; then sed -i 1d "$STATE"; fi ;;
rollout) exit "${ROLLOUT:-0}" ;;
esac
`

const image = "registry.example/hello-world-co-op/handoff@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

type rollout struct {
	said, applied, out string
	err                error
}

func rollOut(t *testing.T, state string, env []string, args ...string) rollout {
	t.Helper()
	return rollOutOf(t, renderedText(t, "overlays/staging"), state, env, args...)
}

func rollOutOf(t *testing.T, manifests, state string, env []string, args ...string) rollout {
	t.Helper()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{"kubectl": kubectl, "state": state, "overlay": manifests, "said": "", "applied": "", "sleep": "#!/bin/sh\n"} {
		if err := os.WriteFile(at(name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	script := exec.CommandContext(ctx, "sh", append([]string{"rollout.sh"}, args...)...)
	script.Env = append([]string{"PATH=" + dir + ":/usr/bin:/bin", "SAID=" + at("said"), "APPLIED=" + at("applied"), "STATE=" + at("state"), "OVERLAY=" + at("overlay")}, env...)
	var out bytes.Buffer
	script.Stdout, script.Stderr = &out, &out
	r := rollout{err: script.Run()}
	read := func(name string) string {
		text, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	r.said, r.applied, r.out = read("said"), read("applied"), out.String()
	return r
}

// wantSaid demands these commands, in this order, and no other that changes something.
func wantSaid(t *testing.T, r rollout, want ...string) {
	t.Helper()
	var got []string
	for line := range strings.Lines(r.said) {
		if !strings.HasPrefix(line, "get ") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("kubectl was told %q\n%s", got, r.out)
	}
	for i, words := range want {
		for word := range strings.FieldsSeq(words) {
			if !strings.Contains(" "+got[i]+" ", " "+word+" ") {
				t.Errorf("step %d: %q does not say %s", i, got[i], word)
			}
		}
	}
}

// Settings and migrations, then the wait, then the servers; the image by its digest in
// every container of ours.
func TestARolloutMigratesBeforeItReplacesAnything(t *testing.T) {
	t.Parallel()
	r := rollOut(t, "\n\nSuccessCriteriaMet Complete\n", nil, "staging", image)
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, r.out)
	}
	wantSaid(t, r,
		"kustomize ./overlays/staging",
		"apply --server-side --namespace handoff-staging --selector app.kubernetes.io/component=server --dry-run=server",
		"delete job --namespace handoff-staging app.kubernetes.io/component=migrate --ignore-not-found",
		"apply --server-side --namespace handoff-staging --selector app.kubernetes.io/component!=server",
		"apply --server-side --namespace handoff-staging",
		"rollout status deployment/handoff-dao handoff-staging", "rollout status deployment/handoff-fos handoff-staging",
	)
	if strings.Contains(r.said, "force-conflicts") {
		t.Error("what somebody changed by hand is overwritten unseen")
	}
	if strings.Count(r.applied, "image: "+image) != 4 || strings.Contains(r.applied, strings.Repeat("0", 64)) {
		t.Error("the containers do not get the image that was named")
	}
}

// What has the component "server" is exactly what the first step leaves out.
func TestTheFirstStepLeavesTheServersAlone(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		o := overlay(t, name)
		for _, d := range o.deployments {
			if ours := strings.Contains(d.Spec.Template.Spec.Containers[0].Image, "/handoff@"); ours != (d.Labels["app.kubernetes.io/component"] == "server") {
				t.Errorf("%s: %s is labelled %v", name, d.Name, d.Labels)
			}
		}
		for _, j := range o.jobs {
			if j.Labels["app.kubernetes.io/component"] != "migrate" {
				t.Errorf("%s: %s is not deleted before the next", name, j.Name)
			}
			if j.Spec.ActiveDeadlineSeconds == nil || j.Spec.BackoffLimit == nil {
				t.Errorf("%s: %s may run for ever", name, j.Name)
			}
		}
	}
}

// A migration that fails leaves everything as it was.
func TestARolloutEndsWhenAMigrationFails(t *testing.T) {
	t.Parallel()
	r := rollOut(t, "Complete\nFailureTarget Failed\n", nil, "production", image)
	if r.err == nil || !strings.Contains(r.out, "handoff-fos-migrate has failed") {
		t.Errorf("%v: %s", r.err, r.out)
	}
	wantSaid(t, r, "kustomize", "apply --dry-run=server", "delete job handoff-production", "apply app.kubernetes.io/component!=server")
}

// What somebody changed by hand stops it before anything has changed, the databases too.
func TestARolloutEndsBeforeTheMigrationsWhenAHandHasTakenAField(t *testing.T) {
	t.Parallel()
	r := rollOut(t, "Complete\n", []string{"CONFLICT=1"}, "production", image)
	if r.err == nil || !strings.Contains(r.out, "docs/operations.md") {
		t.Errorf("%v: %s", r.err, r.out)
	}
	wantSaid(t, r, "kustomize", "apply handoff-production --dry-run=server")
}

func TestARolloutThatDoesNotBecomeReadyFails(t *testing.T) {
	t.Parallel()
	if r := rollOut(t, "Complete\n", []string{"ROLLOUT=1"}, "staging", image); r.err == nil {
		t.Error("a rollout that failed passes for one")
	}
}

// With a half elsewhere, and with no half at all.
func TestARolloutWaitsForWhatIsThere(t *testing.T) {
	t.Parallel()
	r := rollOutOf(t, renderedWith(t, "production", "dao-elsewhere"), "Complete\n", nil, "production", image)
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, r.out)
	}
	wantSaid(t, r, "kustomize", "apply --dry-run=server", "delete job", "apply", "apply", "rollout status deployment/handoff-fos")
	if strings.Contains(r.said, "handoff-dao-migrate") {
		t.Error("it waits for what does not run here")
	}
}

// A tag is not rolled out, nor what is no image, nor anywhere else than to the two.
func TestARolloutTakesADigestAndAKnownEnvironmentOnly(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{}, {"staging"}, {"staging", "registry.example/hello-world-co-op/handoff:latest"}, {"staging", image + "0"}, {"staging", image + "\nx"}, {"staging", "x|e id;@sha256:" + image[len(image)-64:]},
		{"../production", image}, {"production", image, "--force"}, {"", image},
	} {
		if r := rollOut(t, "Complete\n", nil, args...); r.err == nil || r.said != "" {
			t.Errorf("%q: %v, and kubectl was told %q", args, r.err, r.said)
		}
	}
}
