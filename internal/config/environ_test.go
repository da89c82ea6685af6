package config_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// environ is an environment that tests start from and change.
type environ map[string]string

// Keys for tests: random, published here, and therefore good for nothing else.
const (
	serviceToken  = "54b2f12cc8f7dbb2d0e1a8f0a2a1d4c9e6f70f1b53c8a77e9d0b6e2f4a8c3d51"
	serviceToken2 = "c07d9e3f1a5b48627d8e90af3b2c1d6e5f4a79880b1c2d3e6f5a4b7c8d9e0f12"
	jwtKey        = "Zq3vT9xK7mW2pL8rB5nC1dF6gH4jS0aE"
	jwtKey2       = "yU8iO2pA6sD4fG1hJ9kL3zX7cV5bN0mQ"
	jwtKey3       = "mN7bV3cX9zL1kJ5hG8fD2sA6pO4iU0yT"
	sealingKey    = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	pseudonymKey  = "T3QK3Jm8cQ0h2fZt5y1uVw7xN9aB4dLsEoGiPrUvXzY="
)

func development() environ {
	return environ{
		"AUDIT_PSEUDONYM_KEYS":         pseudonymKey,
		"CROSS_DOMAIN_SERVICE_TOKEN":   serviceToken,
		"REDIS_URL":                    "redis://127.0.0.1:6379",
		"DAO_DATABASE_URL":             "postgres://dao:one@127.0.0.1:5432/handoff_dao",
		"HANDOFF_TARGETS":              "founderyos.dev=http://localhost:5173/cross-domain",
		"HANDOFF_SEALING_KEYS":         sealingKey,
		"DATABASE_URL":                 "postgres://fos:two@127.0.0.1:5432/handoff_fos",
		"CROSS_DOMAIN_EXPECTED_TARGET": "founderyos.dev",
		"JWT_SECRET_KEY":               jwtKey,
	}
}

func production() environ {
	return development().with(environ{
		"ENVIRONMENT":      "production",
		"HANDOFF_TARGETS":  "founderyos.dev=https://founderyos.dev/cross-domain",
		"DAO_CORS_ORIGINS": "https://helloworlddao.com",
		"FRONTEND_URL":     "https://founderyos.dev",
		"TRUSTED_PROXIES":  "10.0.0.0/8",
		"HANDOFF_UNBOUND":  "confirm",
	})
}

// with returns a copy with some variables set.
func (e environ) with(set environ) environ {
	e = maps.Clone(e)
	maps.Copy(e, set)
	return e
}

// without returns a copy with some variables not set.
func (e environ) without(names ...string) environ {
	e = maps.Clone(e)
	for _, name := range names {
		delete(e, name)
	}
	return e
}

func (e environ) list() []string {
	var list []string
	for name, value := range e {
		list = append(list, name+"="+value)
	}
	slices.Sort(list)
	return list
}

func mustLoad(t *testing.T, e environ) *config.Config {
	t.Helper()
	c, err := config.Load(e.list())
	if err != nil {
		t.Fatalf("a legal environment is refused:\n%v", err)
	}
	return c
}

// faultsOf loads e, which must fail, and returns the faults in their order.
func faultsOf(t *testing.T, e environ) []*config.Fault {
	t.Helper()
	c, err := config.Load(e.list())
	if err == nil {
		t.Fatal("a faulty environment is accepted")
	}
	if c != nil {
		t.Error("there is a Config beside the error")
	}
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("%T is not a joined error", err)
	}
	var all []*config.Fault
	for _, one := range joined.Unwrap() {
		var fault *config.Fault
		if !errors.As(one, &fault) {
			t.Fatalf("%T is not a Fault", one)
		}
		all = append(all, fault)
	}
	return all
}

// wantFault demands exactly one fault: variable, and words in its problem.
func wantFault(t *testing.T, e environ, variable, words string) {
	t.Helper()
	all := faultsOf(t, e)
	if len(all) != 1 || all[0].Variable != variable || !strings.Contains(all[0].Problem, words) {
		t.Errorf("want one fault of %s with %q, got:", variable, words)
		for _, f := range all {
			t.Errorf("  %v", f)
		}
	}
}

// secretFile writes content where only this test finds it.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
