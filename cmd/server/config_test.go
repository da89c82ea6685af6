package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// settings are those of a production FOS half that has nothing wrong with it. No store
// is asked.
func settings() environ {
	return environ{
		"ENVIRONMENT": "production", "HANDOFF_HALVES": "fos", "DATABASE_URL": "postgres://fos:unspeakable@db.internal/handoff_fos",
		"REDIS_URL": "redis://redis.internal:6379", "CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken, "JWT_SECRET_KEY": testkit.SealingKey,
		"AUDIT_PSEUDONYM_KEYS": testkit.PseudonymKey, "CROSS_DOMAIN_EXPECTED_TARGET": testkit.Target, "ORACLE_BRIDGE_URL": "https://dao.example.org",
	}
}

// A pipeline asks before it rolls out: exit code 0, with what is risky, or 1 with
// everything that is wrong. Neither shows a secret.
func TestConfigCheckSaysWhatAnEnvironmentComesTo(t *testing.T) {
	t.Parallel()
	good := server(t, settings(), "", "config", "check")
	good.wants(t, 0, "\nwarning: TRUSTED_PROXIES: ", "")
	bad := server(t, settings().with(environ{"JWT_SECRET_KEY": "unspeakable-too", "LOG_LEVEL": "loud"}), "", "config", "check")
	bad.wants(t, 1, "\nfault: JWT_SECRET_KEY: ", "the configuration has faults: 2")
	for _, r := range []result{good, bad} {
		if strings.Contains(r.out+r.err, "unspeakable") || strings.Contains(r.out, testkit.ServiceToken) {
			t.Errorf("a secret is shown:\n%s%s", r.out, r.err)
		}
	}
}

func TestConfigNamesAreAllVariables(t *testing.T) {
	t.Parallel()
	names := strings.Fields(server(t, environ{}, "", "config", "names").out)
	if len(names) != len(config.Variables()) || !slices.Contains(names, "HANDOFF_SEALING_KEYS") {
		t.Errorf("%q", names)
	}
}

// The nightly audit: exit code 0 and a line, or 1 and what differs, by name only.
func TestConfigDriftComparesNamesAndNeverPrintsAValue(t *testing.T) {
	t.Parallel()
	manifest := filepath.Join(t.TempDir(), "settings.env")
	if err := os.WriteFile(manifest, []byte("ENVIRONMENT=production\nREDIS_URL=unspeakable\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	drift := func(live string) result { return server(t, environ{}, live, "config", "drift", "-manifest", manifest) }
	drift("ENVIRONMENT=production\nREDIS_URL=unspeakable\n").wants(t, 0, "no drift: 2 variables of 1 containers\n", "")
	found := drift("ENVIRONMENT=production\nGOGC=unspeakable\nJWT_SECRET_KEY_FILE=unspeakable\nOTHER=unspeakable\n")
	found.wants(t, 1, "GOGC: is not in the manifest, and counts: Go's runtime reads it\nJWT_SECRET_KEY_FILE: is not in the manifest, and counts: this program reads it\nOTHER: is not in the manifest, and nothing reads it\nREDIS_URL: is missing\n", "differs from the manifest: 4 times")
	unread := drift("{")
	unread.wants(t, 1, "", "standard input: ")
	if strings.Contains(found.out+found.err+unread.err, "unspeakable") {
		t.Error("a value is shown")
	}
	server(t, environ{}, "A", "config", "drift", "-manifest", manifest+".not").wants(t, 1, "", "no such file")
}
