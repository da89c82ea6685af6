package config_test

import (
	"strings"
	"testing"
)

// Each legal but risky setting is pointed out, once, under its own name.
func TestRiskySettingsAreWarnedAbout(t *testing.T) {
	staging := production().with(environ{"ENVIRONMENT": "staging"})
	for _, tc := range []struct {
		base                  environ
		variable, value, want string
	}{
		{staging, "COOKIE_SECURE", "false", "COOKIE_SECURE: "},
		{production(), "METRICS_ADDR", ":9090", "METRICS_ADDR: "},
		{production(), "LOG_LEVEL", "debug", "LOG_LEVEL: "},
		{production(), "SECURITY_HSTS_MAX_AGE", "3600", "SECURITY_HSTS_MAX_AGE: "},
		{production(), "SHUTDOWN_TIMEOUT", "25s", "SHUTDOWN_TIMEOUT: "},
		{production(), "SECURITY_CSP", "default-src 'self' 'unsafe-inline'", "SECURITY_CSP: "},
		{production(), "SECURITY_CSP", "img-src *", "SECURITY_CSP: "},
		{production(), "SECURITY_REFERRER_POLICY", "unsafe-url", "SECURITY_REFERRER_POLICY: "},
		{production(), "TRUSTED_PROXIES", "", "TRUSTED_PROXIES: "},
		{production(), "COOKIE_DOMAIN", "helloworlddao.com", "COOKIE_DOMAIN: "},
		{production(), "HANDOFF_TARGETS", "founderyos.dev=https://evilfounderyos.dev/", "HANDOFF_TARGETS: "},
		{production(), "HANDOFF_TARGETS", "founderyos.dev=https://app.founderyos.dev/", ""},
		{production(), "HANDOFF_ELEVATED_ROLES", "allow", "HANDOFF_ELEVATED_ROLES: "},
		{production(), "HANDOFF_UNBOUND", "allow", "HANDOFF_UNBOUND: is allow"},
		{staging, "HANDOFF_UNBOUND", "allow", ""},
		{production(), "HANDOFF_UNBOUND", "refuse", "HANDOFF_UNBOUND: is refuse, and without DAO_START_URLS"},
		{production(), "HANDOFF_PEER_VERIFIES_EMAIL", "true", "HANDOFF_PEER_VERIFIES_EMAIL: "},
		{production(), "JWT_AUDIENCE", "", "JWT_AUDIENCE: "},
		{production(), "ACCESS_TOKEN_EXPIRE_MINUTES", "120", "ACCESS_TOKEN_EXPIRE_MINUTES: "},
		{production(), "REFRESH_TOKEN_EXPIRE_DAYS", "60", "REFRESH_TOKEN_EXPIRE_DAYS: "},
		{production(), "JWT_SECRET_KEY", jwtKey[:20] + "," + jwtKey[20:], "JWT_SECRET_KEY: "},
		{production(), "JWT_SECRET_KEY", jwtKey + " ", "JWT_SECRET_KEY: "},
		{production(), "DATABASE_URL", "postgres://u@db.example.org/handoff_fos", "DATABASE_URL: "},
		{production(), "DATABASE_URL", "postgres://u@db.example.org/handoff_fos?sslmode=verify-full", ""},
		{production(), "DAO_DATABASE_URL", "postgres://u@db.example.org/handoff_dao?sslmode=prefer", "DAO_DATABASE_URL: "},
		{production(), "MIGRATE_DATABASE_URL", "postgres://u@127.0.0.1/elsewhere", "MIGRATE_DATABASE_URL: "},
		{production(), "DAO_REDIS_URL", "redis://cache.example.org", "DAO_REDIS_URL: "},
		{production(), "DAO_REDIS_URL", "rediss://cache.example.org", ""},
		{production(), "HANDOFF_HALVES", "dao", "FOUNDERYOS_API_URL: "},
		{production().with(environ{"HANDOFF_HALVES": "dao"}), "FOUNDERYOS_API_URL", "https://api.example.org/fos", ""},
		{production(), "AUTHZ_ADDR", ":8001", "AUTHZ_ADDR: is reachable"},
		{production(), "AUTHZ_ADDR", "0.0.0.0:8001", "AUTHZ_ADDR: is reachable"},
		{production(), "AUTHZ_ADDR", "203.0.113.7:8001", "AUTHZ_ADDR: is reachable"},
		{production(), "AUTHZ_ADDR", "127.0.0.1:8001", ""},
		{production(), "AUTHZ_ADDR", "10.1.2.3:8001", ""},
		{production(), "SERVICE_TOKEN_DIGESTS", "billing=" + strings.Repeat("0f", 32), "SERVICE_TOKEN_DIGESTS: is set, and without AUTHZ_ADDR"},
		{development(), "LOG_LEVEL", "debug", ""},
		{development(), "FRONTEND_URL", "https://founderyos.dev", "ENVIRONMENT: "},
		{development(), "JWT_SECRET_KEY", strings.Repeat("a", 32), "JWT_SECRET_KEY: has a guessable"},
		{development(), "HANDOFF_SEALING_KEYS", strings.Repeat("00", 32), "HANDOFF_SEALING_KEYS: has a guessable"},
		{development(), "AUDIT_PSEUDONYM_KEYS", strings.Repeat("00", 32), "AUDIT_PSEUDONYM_KEYS: has a guessable"},
		{development(), "CROSS_DOMAIN_SERVICE_TOKEN", strings.Repeat("a", 32), "CROSS_DOMAIN_SERVICE_TOKEN: has a guessable"},
	} {
		got := mustLoad(t, tc.base.with(environ{tc.variable: tc.value})).Warnings()
		if tc.want == "" && len(got) > 0 || tc.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], tc.want)) {
			t.Errorf("%s=%s: want one warning %q, got %q", tc.variable, tc.value, tc.want, got)
		}
	}
}

// In one process, a service token that is not good for the expected target lets
// nobody arrive; the warning says which list to look at.
func TestTokenTargetsThatShutThisProcessOut(t *testing.T) {
	c := mustLoad(t, production().with(environ{
		"HANDOFF_TARGETS":                    "founderyos.dev=https://founderyos.dev/,b.example.org=https://b.example.org/",
		"CROSS_DOMAIN_SERVICE_TOKEN_TARGETS": "b.example.org",
	}))
	if w := c.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0], "CROSS_DOMAIN_SERVICE_TOKEN_TARGETS: ") {
		t.Errorf("warnings: %q", w)
	}
}

// A developer who sets only what is required is left in peace.
func TestPlainDevelopmentHasNoWarnings(t *testing.T) {
	if w := mustLoad(t, development()).Warnings(); len(w) > 0 {
		t.Errorf("warnings: %q", w)
	}
}
