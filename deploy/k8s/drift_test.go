package k8s_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/drift"
)

// asJSON is what "kubectl get deployments --output json" says of these.
func asJSON(t *testing.T, o *objects) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"kind": "List", "items": o.deployments})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What was just rolled out has not drifted; what "kubectl set env" does is found.
func TestTheAuditFindsWhatAHandHasSet(t *testing.T) {
	t.Parallel()
	for _, name := range overlays {
		live := asJSON(t, overlay(t, name))
		compare := func(live string) []drift.Finding {
			manifest, err := drift.Read(strings.NewReader(asJSON(t, overlay(t, name))))
			if err != nil {
				t.Fatal(err)
			}
			is, err := drift.Read(strings.NewReader(live))
			if err != nil {
				t.Fatal(err)
			}
			findings, err := drift.Compare(manifest, is, config.ReaderOf)
			if err != nil {
				t.Fatal(err)
			}
			return findings
		}
		if findings := compare(live); len(findings) > 0 {
			t.Errorf("%s: %v", name, findings)
		}
		const of = `{"name":"JWT_SECRET_KEY","valueFrom":{"secretKeyRef":{"name":"handoff-fos","key":"JWT_SECRET_KEY"}}}`
		findings := compare(strings.Replace(live, of, `{"name":"JWT_SECRET_KEY","value":"x"},{"name":"GOMEMLIMIT","value":"1"}`, 1))
		if len(findings) != 2 || findings[0].Name != "GOMEMLIMIT" || findings[1].Name != "JWT_SECRET_KEY" {
			t.Errorf("%s: %v", name, findings)
		}
	}
}

// audit runs audit.sh with a kubectl that has these deployments, and with a server that
// says what it is given.
func audit(t *testing.T, kubectl, server string, args ...string) (out string, exit int) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"kubectl": kubectl, "server": server} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nset -eu\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script := exec.CommandContext(t.Context(), "sh", append([]string{"audit.sh"}, args...)...)
	script.Env = []string{"PATH=" + dir + ":/usr/bin:/bin"}
	text, err := script.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return string(text), script.ProcessState.ExitCode()
}

func TestTheAuditsScriptComparesTheTwo(t *testing.T) {
	t.Parallel()
	const kubectl = `case "$1" in
kustomize) echo "yaml of $2" ;;
create) shift; for last; do :; done; echo "json of $(cat "$last")" ;;
get) echo "live: $*" ;;
esac`
	const server = `echo "$1 $2 $3: $(cat "$4"); $(cat)"; exit 1`
	out, exit := audit(t, kubectl, server, "staging")
	if want := "config drift -manifest: json of yaml of ./overlays/staging; live: get deployments --namespace handoff-staging --output json\n"; out != want || exit != 1 {
		t.Errorf("exit %d, %q", exit, out)
	}
	for _, args := range [][]string{{}, {"elsewhere"}, {"staging", "server", "more"}} {
		if out, exit := audit(t, kubectl, server, args...); exit != 2 || !strings.HasPrefix(out, "usage") {
			t.Errorf("%q: exit %d, %q", args, exit, out)
		}
	}
	if out, exit := audit(t, "exit 7", server, "staging"); exit == 0 || strings.Contains(out, "config drift") {
		t.Errorf("without a cluster: exit %d, %q", exit, out)
	}
}
