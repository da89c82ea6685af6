//go:build proof

package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// promtool is where make's check step or the operator has it.
func promtool(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("promtool"); err == nil {
		return path
	}
	path, err := filepath.Abs("../.dev/promtool/usr/bin/promtool")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal("there is no promtool: sh tools/packages.sh finds one")
	}
	return path
}

// Prometheus itself reads the rules, and does with them what their examples say.
func TestProof_RulesWakeWhomTheySay(t *testing.T) {
	tool := promtool(t)
	for _, arguments := range [][]string{{"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"}} {
		command := exec.CommandContext(t.Context(), tool, arguments...)
		command.Dir = "monitoring"
		if text, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", arguments, err, text)
		}
	}
}
