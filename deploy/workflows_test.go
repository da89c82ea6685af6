package deploy_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// workflow is what the rules look at.
type workflow struct {
	On          yaml.Node         `yaml:"on"`
	Permissions map[string]string `yaml:"permissions"`
	Concurrency struct {
		Group string `yaml:"group"`
	} `yaml:"concurrency"`
	Jobs map[string]job `yaml:"jobs"`
}

type job struct {
	Needs       string            `yaml:"needs"`
	If          string            `yaml:"if"`
	Uses        string            `yaml:"uses"`
	Secrets     any               `yaml:"secrets"`
	RunsOn      string            `yaml:"runs-on"`
	Timeout     int               `yaml:"timeout-minutes"`
	Environment string            `yaml:"environment"`
	Permissions map[string]string `yaml:"permissions"`
	Steps       []struct {
		Uses string            `yaml:"uses"`
		Run  string            `yaml:"run"`
		With map[string]string `yaml:"with"`
	} `yaml:"steps"`
}

// triggers are the events that start it.
func (w workflow) triggers() []string {
	var names []string
	for i := 0; i < len(w.On.Content); i += 2 {
		names = append(names, w.On.Content[i].Value)
	}
	return names
}

// workflows are the texts of all workflows, by file name.
func workflows(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	files, err := filepath.Glob("../.github/workflows/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

func parsed(t *testing.T, text string) workflow {
	t.Helper()
	var w workflow
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

var (
	uses   = regexp.MustCompile(`(?m)^\s*(?:- )?uses:\s*(.*)$`)
	pinned = regexp.MustCompile(`^[A-Za-z0-9-]+/[A-Za-z0-9._/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
)

// unsafe says which of the rules for every workflow one does not keep.
func unsafe(text string, w workflow) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	for _, m := range uses.FindAllStringSubmatch(text, -1) {
		// A tag can be moved to other code, and was (CVE-2025-30066).
		if !strings.HasPrefix(m[1], "./") && !pinned.MatchString(m[1]) {
			fault("%s is not pinned by a hash with its version beside it", m[1])
		}
	}
	for _, event := range w.triggers() {
		// Both run with the rights of main on what somebody else wrote.
		if event == "pull_request_target" || event == "workflow_run" {
			fault("%s starts it", event)
		}
	}
	if w.Permissions == nil || len(w.Permissions) > 0 {
		fault("what is not asked for is given")
	}
	if w.Concurrency.Group == "" {
		fault("two may run at once")
	}
	for name, j := range w.Jobs {
		faults = append(faults, unsafeJob(name, j)...)
	}
	// Who can name a branch could write the command.
	if strings.Contains(text, "secrets.") && slices.Contains(w.triggers(), "pull_request") {
		fault("a change from outside is given a secret")
	}
	return faults
}

func unsafeJob(name string, j job) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, name+": "+fmt.Sprintf(format, args...)) }
	if len(j.Permissions) == 0 {
		fault("does not say what it may")
	}
	for scope, level := range j.Permissions {
		if level == "write" && (name != "image" || scope != "packages" && scope != "id-token") {
			fault("may write %s", scope)
		}
	}
	if j.Secrets != nil {
		fault("hands secrets on")
	}
	if j.Uses == "" && (j.Timeout == 0 || !regexp.MustCompile(`^ubuntu-\d\d\.\d\d$`).MatchString(j.RunsOn)) {
		fault("has no time limit, or runs on whatever is latest")
	}
	for _, s := range j.Steps {
		if strings.Contains(s.Run, "${{") {
			fault("a value is pasted into a command: %s", s.Run)
		}
		if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
			fault("the token lies in the checkout")
		}
	}
	return faults
}

func TestTheWorkflowsAreSafe(t *testing.T) {
	t.Parallel()
	texts := workflows(t)
	if got := slices.Sorted(maps.Keys(texts)); !slices.Equal(got, []string{"check.yml", "main.yml", "production.yml"}) {
		t.Errorf("the workflows are %v", got)
	}
	for name, text := range texts {
		for _, fault := range unsafe(text, parsed(t, text)) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// Each rule can be broken, and then it is seen.
func TestUnsafeWorkflowsAreSeen(t *testing.T) {
	t.Parallel()
	text := workflows(t)["main.yml"]
	for _, edit := range [][3]string{
		{"actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "actions/checkout@v7", "not pinned"},
		{" # v4.3.0", "", "not pinned"},
		{"uses: docker/login-action@4907", "uses: docker/login-action@490", "not pinned"},
		{"  push:\n    branches: [main]", "  pull_request_target:", "pull_request_target starts it"},
		{"  push:\n    branches: [main]", "  pull_request:", "given a secret"},
		{"permissions: {}", "permissions: {contents: write}", "is given"},
		{"permissions: {}\n", "", "is given"},
		{"  group: main\n", "  x: y\n", "two may run"},
		{"      packages: write\n", "      contents: write\n      packages: write\n", ""}, // twice is no YAML
		{"    environment: staging\n    permissions:\n      contents: read\n", "    environment: staging\n    permissions:\n      contents: write\n", "staging: may write contents"},
		{"    environment: staging\n    permissions:\n      contents: read\n", "    environment: staging\n", "does not say"},
		{"    timeout-minutes: 20\n", "", "no time limit"},
		{"staging:\n    needs: image\n    runs-on: ubuntu-24.04", "staging:\n    needs: image\n    runs-on: ubuntu-latest", "latest"},
		{`rollout.sh staging "$IMAGE@$DIGEST"`, `rollout.sh staging "${{ github.ref_name }}"`, "pasted"},
		{"persist-credentials: false", "persist-credentials: true", "lies in the checkout"},
	} {
		if !strings.Contains(text, edit[0]) {
			t.Errorf("%q is not there to be broken", edit[0])
			continue
		}
		broken := strings.ReplaceAll(text, edit[0], edit[1])
		var w workflow
		if err := yaml.Unmarshal([]byte(broken), &w); err != nil {
			if edit[2] != "" {
				t.Error(err)
			}
			continue
		}
		if said := strings.Join(unsafe(broken, w), "\n"); edit[2] == "" || !strings.Contains(said, edit[2]) {
			t.Errorf("%q goes unseen: %s", edit[1], said)
		}
	}
}

// Nothing ships that was not checked, staging follows main, and production somebody's hand.
func TestWhatShipsWhenAndAfterWhat(t *testing.T) {
	t.Parallel()
	texts := workflows(t)
	main, production := parsed(t, texts["main.yml"]), parsed(t, texts["production.yml"])
	if !slices.Equal(main.triggers(), []string{"push"}) || main.Jobs["check"].Uses != "./.github/workflows/check.yml" ||
		main.Jobs["image"].Needs != "check" || main.Jobs["staging"].Needs != "image" || main.Jobs["staging"].Environment != "staging" {
		t.Error("an image is made or rolled out that was not checked")
	}
	if p := production.Jobs["production"]; !slices.Equal(production.triggers(), []string{"workflow_dispatch"}) || len(production.Jobs) != 1 ||
		p.Environment != "production" || p.If != "github.ref == 'refs/heads/main'" {
		t.Error("production is rolled out without a hand, without its environment, or from a branch")
	}
	for want, where := range map[string]string{
		"sbom: true": "main.yml", "provenance: mode=max": "main.yml", `cosign sign --yes "$IMAGE@$DIGEST"`: "main.yml",
		`rollout.sh staging "$IMAGE@$DIGEST"`: "main.yml", `rollout.sh production "$IMAGE@$DIGEST"`: "production.yml",
		`--certificate-github-workflow-sha "$COMMIT"`: "production.yml", "/.github/workflows/main.yml@refs/heads/main": "production.yml",
	} {
		if !strings.Contains(texts[where], want) {
			t.Errorf("%s does not say %s", where, want)
		}
	}
	if verified, rolled := strings.Index(texts["production.yml"], "cosign verify"), strings.Index(texts["production.yml"], "rollout.sh"); verified < 0 || rolled < verified {
		t.Error("production runs what was not verified")
	}
}

// Every module and every file with images is looked after.
func TestDependabotKnowsEveryModule(t *testing.T) {
	t.Parallel()
	var d struct {
		Updates []struct {
			Ecosystem   string   `yaml:"package-ecosystem"`
			Directory   string   `yaml:"directory"`
			Directories []string `yaml:"directories"`
		} `yaml:"updates"`
	}
	if err := yaml.Unmarshal([]byte(readRoot(t, ".github/dependabot.yml")), &d); err != nil {
		t.Fatal(err)
	}
	looked := map[string][]string{}
	for _, u := range d.Updates {
		looked[u.Ecosystem] = append(u.Directories, u.Directory)
	}
	modules := regexp.MustCompile(`(?m)^MODULES := (.*)$`).FindStringSubmatch(readRoot(t, "Makefile"))
	for _, module := range strings.Fields(modules[1]) {
		if !slices.Contains(looked["gomod"], "/"+strings.TrimPrefix(module, ".")) {
			t.Errorf("nobody looks after %s", module)
		}
	}
	for ecosystem, directory := range map[string]string{"npm": "/tools/typescript", "github-actions": "/", "docker": "/", "docker-compose": "/deploy/compose"} {
		if !slices.Contains(looked[ecosystem], directory) {
			t.Errorf("nobody looks after %s in %s", ecosystem, directory)
		}
	}
}
