package config_test

import (
	"bytes"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// The committed example is what the code writes; "go generate ./internal/config"
// makes it so.
func TestCommittedExampleIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := config.WriteExample(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error(".env.example is stale: go generate ./internal/config")
	}
}

var assignment = regexp.MustCompile(`(?m)^(#?)([A-Z_]+)=(.*)$`)

// The example works: with its secrets filled in it loads, as it stands and with
// every commented line made live.
func TestExampleLoadsOnceItsSecretsAreFilledIn(t *testing.T) {
	var example bytes.Buffer
	if err := config.WriteExample(&example); err != nil {
		t.Fatal(err)
	}
	fill := development().with(environ{
		"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": serviceToken2, "JWT_SECRET_KEY_PREVIOUS": jwtKey2, "DATABASE_PASSWORD": "p",
		"MIGRATE_DATABASE_URL": "postgres://o@h/handoff_fos", "DAO_MIGRATE_DATABASE_URL": "postgres://o@h/handoff_dao",
	})
	required, all := environ{}, environ{}
	for _, m := range assignment.FindAllStringSubmatch(example.String(), -1) {
		commented, name, value := m[1] == "#", m[2], strings.Trim(m[3], `"`)
		if value == "" {
			value = fill[name]
		}
		all[name] = value
		if !commented {
			required[name] = value
		}
	}
	if len(all) != len(config.Variables()) {
		t.Errorf("the example has %d variables of %d", len(all), len(config.Variables()))
	}
	mustLoad(t, required)
	// Production, and its own front-end addresses on localhost, do not go together.
	mustLoad(t, all.with(environ{"ENVIRONMENT": "staging"}))
}

// Every variable of the protocol is there, once, with help and an example; the
// tags of no secret hold anything that could pass for one.
func TestVariablesAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range config.Variables() {
		if seen[v.Name] || v.Help == "" || v.Example == "" || v.Half == "" {
			t.Errorf("%+v is twice there or incomplete", v)
		}
		seen[v.Name] = true
		secretName := regexp.MustCompile(`KEYS?$|KEY_PREVIOUS$|TOKEN$|TOKEN_PREVIOUS$|PASSWORD$|(DATABASE|REDIS)_URL$`)
		if secretName.MatchString(v.Name) != v.Secret {
			t.Errorf("%s: secret is %v", v.Name, v.Secret)
		}
		if v.Required && v.Default != "" {
			t.Errorf("%s is required and has a default", v.Name)
		}
	}
	for _, name := range strings.Fields(`HANDOFF_HALVES ENVIRONMENT DAO_ADDR FOS_ADDR METRICS_ADDR DAO_DATABASE_URL DATABASE_URL
		DATABASE_USER DATABASE_PASSWORD REDIS_URL DAO_REDIS_URL CROSS_DOMAIN_SERVICE_TOKEN CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS
		CROSS_DOMAIN_SERVICE_TOKEN_TARGETS CROSS_DOMAIN_EXPECTED_TARGET ORACLE_BRIDGE_URL HANDOFF_TARGETS HANDOFF_ENTRY_PRODUCTS
		HANDOFF_SEALING_KEYS HANDOFF_ELEVATED_ROLES HANDOFF_PEER_VERIFIES_EMAIL FOS_PUBLIC_PREFIX COOKIE_SECURE
		JWT_SECRET_KEY JWT_SECRET_KEY_PREVIOUS JWT_ALGORITHM JWT_ISSUER JWT_AUDIENCE ACCESS_TOKEN_EXPIRE_MINUTES
		REFRESH_TOKEN_EXPIRE_DAYS AUDIT_PSEUDONYM_KEYS CORS_ORIGINS DAO_CORS_ORIGINS FRONTEND_URL COOKIE_DOMAIN TRUSTED_PROXIES
		LOG_LEVEL LOG_FORMAT METRICS_ENABLED API_DOCS_ENABLED OTEL_EXPORTER_OTLP_ENDPOINT OTEL_TRACES_SAMPLER_ARG DAO_MIGRATE_DATABASE_URL MIGRATE_DATABASE_URL
		RATE_LIMIT_LOGIN_PER_MINUTE RATE_LIMIT_LOGIN_ADDRESS_PER_MINUTE RATE_LIMIT_LOGIN_ACCOUNT_PER_MINUTE
		RATE_LIMIT_MINT_PER_MINUTE RATE_LIMIT_ARRIVAL_PER_MINUTE RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE`) {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// What Variables hands out is the caller's own.
func TestVariablesIsACopy(t *testing.T) {
	config.Variables()[0].Name = "X"
	if config.Variables()[0].Name == "X" {
		t.Error("a caller changed the table")
	}
}

type fullDisk struct{}

var errFull = errors.New("disk full")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

// A half-written example is an error.
func TestWriteExampleReportsAFailedWrite(t *testing.T) {
	if err := config.WriteExample(fullDisk{}); !errors.Is(err, errFull) {
		t.Errorf("error is %v", err)
	}
}
