package config_test

import (
	"log/slog"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/config"
)

// plain is what of a Config can be compared as it stands.
func plain(c *config.Config) map[string]any {
	return map[string]any{
		"environment": c.Environment, "halves": c.Halves, "secure": c.CookieSecure, "log": c.Log,
		"metrics": c.MetricsAddr, "metrics on": c.MetricsEnabled, "docs on": c.APIDocsEnabled, "traces": c.TraceEndpoint, "share": c.TraceShare, "proxies": len(c.TrustedProxies),
		"delay": c.ShutdownDelay, "timeout": c.ShutdownTimeout, "hsts": c.Security.HSTS,
		"dao addr": c.DAO.Addr, "fos addr": c.FOS.Addr, "products": c.DAO.EntryProducts,
		"access": c.FOS.JWT.AccessTTL, "refresh": c.FOS.JWT.RefreshTTL,
		"iss": c.FOS.JWT.Issuer, "aud": c.FOS.JWT.Audience,
		"elevated": c.FOS.ElevatedRoles, "peer verifies": c.FOS.PeerVerifiesEmail, "bridge": c.FOS.OracleBridgeURL,
		"limits": c.RateLimits, "at once": [2]int{c.MaxRequests, c.MaxConnections},
	}
}

// A developer sets only what has no default, and gets a process that suits one
// machine.
func TestDevelopmentDefaults(t *testing.T) {
	got := mustLoad(t, development())
	want := map[string]any{
		"environment": config.Development, "halves": config.Halves{DAO: true, FOS: true}, "secure": false,
		"log": config.Log{Level: slog.LevelInfo}, "metrics": "127.0.0.1:9090", "metrics on": true, "docs on": true, "traces": "", "share": 1.0, "proxies": 0,
		"delay": time.Duration(0), "timeout": 4 * time.Second, "hsts": "",
		"dao addr": ":8787", "fos addr": ":8000", "products": []string{"dao", "fos", "lighthouse", "think-tank"},
		"access": 30 * time.Minute, "refresh": 7 * 24 * time.Hour, "iss": "founderyos", "aud": "founderyos-api",
		"elevated": config.ElevatedRolesStepUp, "peer verifies": false, "bridge": "",
		"at once": [2]int{32, 0}, "limits": config.RateLimits{LoginFailed: 5, LoginAddress: 30, LoginAccount: 20, Mint: 30, ExchangeFailures: 60, Arrival: 30},
	}
	if diff := cmp.Diff(want, plain(got)); diff != "" {
		t.Error(diff)
	}
	if got.DAO.MigrateDatabaseURL.Reveal() != got.DAO.DatabaseURL.Reveal() ||
		got.FOS.MigrateDatabaseURL.Reveal() != got.FOS.DatabaseURL.Reveal() ||
		got.DAO.RedisURL.Reveal() != got.FOS.RedisURL.Reveal() {
		t.Error("the second URLs do not default to the first")
	}
}

// In production the same few variables give the guarded defaults.
func TestProductionDefaults(t *testing.T) {
	c := mustLoad(t, production())
	if !c.CookieSecure || !c.Log.JSON || c.ShutdownDelay != 5*time.Second || c.ShutdownTimeout != 10*time.Second {
		t.Errorf("defaults are those of development: %+v", plain(c))
	}
	want := config.Security{
		HSTS: "max-age=31536000; includeSubDomains", HSTSMaxAge: 365 * 24 * time.Hour, FrameOptions: "DENY",
		CSP:            "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		ReferrerPolicy: "no-referrer",
	}
	if c.Security != want {
		t.Errorf("Security = %+v", c.Security)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("a plain production environment is warned about: %q", w)
	}
}

// An operator sets everything else, with the white space and the case that
// people type.
func TestEverythingSet(t *testing.T) {
	c := mustLoad(t, production().with(environ{
		"ENVIRONMENT": " Staging ", "COOKIE_SECURE": "true", "METRICS_ENABLED": "false", "METRICS_ADDR": "[::1]:9100", "API_DOCS_ENABLED": "false",
		"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.svc:4318/", "OTEL_TRACES_SAMPLER_ARG": "0.25",
		"LOG_LEVEL": "WARNING", "LOG_FORMAT": "TEXT", "TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.7 ,,::ffff:198.51.100.1,2001:db8::/32",
		"SHUTDOWN_DELAY": "250ms", "SHUTDOWN_TIMEOUT": "20s", "MAX_REQUESTS_IN_FLIGHT": "8", "MAX_CONNECTIONS": "100000",
		"SECURITY_HSTS_MAX_AGE": "0", "SECURITY_HSTS_INCLUDE_SUBDOMAINS": "false", "SECURITY_FRAME_OPTIONS": "sameorigin",
		"SECURITY_CSP": "default-src 'self'", "SECURITY_REFERRER_POLICY": "same-origin",
		"DAO_ADDR": "127.0.0.1:0", "DAO_MIGRATE_DATABASE_URL": "postgresql://owner@db.svc/handoff_dao",
		"DAO_REDIS_URL":    "rediss://:pw@r:6380/1?master_name=m&addr=s1:26379&addr=redis_two:26379",
		"DAO_CORS_ORIGINS": "https://helloworlddao.com, https://[2001:db8::1]:8443", "COOKIE_DOMAIN": "helloworlddao.com",
		"HANDOFF_TARGETS":        "founderyos.dev=https://founderyos.dev/in?a=b, second.example.org = https://second.example.org/",
		"HANDOFF_ENTRY_PRODUCTS": "dao,x-1", "CROSS_DOMAIN_SERVICE_TOKEN_TARGETS": "second.example.org,founderyos.dev",
		"FOS_ADDR": "localhost:8001", "MIGRATE_DATABASE_URL": "postgres:///handoff_fos?host=/run/postgresql",
		"CORS_ORIGINS": "https://founderyos.dev,https://b.example.org", "FRONTEND_URL": "https://FounderyOS.dev:443/",
		"ORACLE_BRIDGE_URL": "http://bridge.platform.svc:8787/", "FOS_PUBLIC_PREFIX": "/fos/v2",
		"HANDOFF_PEER_VERIFIES_EMAIL": "true", "HANDOFF_ELEVATED_ROLES": "Allow", "JWT_ALGORITHM": "HS256",
		"JWT_ISSUER": "us", "JWT_AUDIENCE": "them", "ACCESS_TOKEN_EXPIRE_MINUTES": "15", "REFRESH_TOKEN_EXPIRE_DAYS": "1",
		"RATE_LIMIT_LOGIN_PER_MINUTE": "1", "RATE_LIMIT_LOGIN_ADDRESS_PER_MINUTE": "100000", "RATE_LIMIT_LOGIN_ACCOUNT_PER_MINUTE": "3",
		"RATE_LIMIT_MINT_PER_MINUTE": "4", "RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE": "6", "RATE_LIMIT_ARRIVAL_PER_MINUTE": "7",
	}))
	want := map[string]any{
		"environment": config.Staging, "halves": config.Halves{DAO: true, FOS: true}, "secure": true,
		"log": config.Log{Level: slog.LevelWarn}, "metrics": "[::1]:9100", "metrics on": false, "docs on": false, "traces": "http://collector.svc:4318", "share": 0.25, "proxies": 4,
		"delay": 250 * time.Millisecond, "timeout": 20 * time.Second, "hsts": "max-age=0",
		"dao addr": "127.0.0.1:0", "fos addr": "localhost:8001", "products": []string{"dao", "x-1"},
		"access": 15 * time.Minute, "refresh": 24 * time.Hour, "iss": "us", "aud": "them",
		"elevated": config.ElevatedRolesAllow, "peer verifies": true, "bridge": "http://bridge.platform.svc:8787",
		"at once": [2]int{8, 100_000},
		"limits":  config.RateLimits{LoginFailed: 1, LoginAddress: 100_000, LoginAccount: 3, Mint: 4, ExchangeFailures: 6, Arrival: 7},
	}
	if diff := cmp.Diff(want, plain(c)); diff != "" {
		t.Error(diff)
	}
	wantProxies := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"),
		netip.MustParsePrefix("198.51.100.1/32"), netip.MustParsePrefix("2001:db8::/32"),
	}
	if !reflect.DeepEqual(c.TrustedProxies, wantProxies) {
		t.Errorf("TrustedProxies = %v", c.TrustedProxies)
	}
	if len(c.DAO.Targets) != 2 || c.DAO.Targets[0].Domain != "founderyos.dev" ||
		c.DAO.Targets[0].LandingURL.String() != "https://founderyos.dev/in?a=b" || c.DAO.Targets[1].Domain != "second.example.org" {
		t.Errorf("Targets = %v, order and URLs count", c.DAO.Targets)
	}
	for name, pair := range map[string][2]any{
		"DAO origins": {c.DAO.AllowedOrigins, []string{"https://helloworlddao.com", "https://[2001:db8::1]:8443"}},
		// FRONTEND_URL's origin is there already, once its spelling is undone.
		"FOS origins": {c.FOS.AllowedOrigins, []string{"https://founderyos.dev", "https://b.example.org"}},
		"frontend":    {c.FOS.FrontendURL, "https://FounderyOS.dev:443"},
		"prefix":      {c.FOS.PublicPrefix, "/fos/v2"},
		"domain":      {c.DAO.CookieDomain, "helloworlddao.com"},
		"for targets": {c.DAO.ServiceTokenTargets, []string{"second.example.org", "founderyos.dev"}},
		"headers":     {c.Security.FrameOptions + c.Security.CSP + c.Security.ReferrerPolicy, "SAMEORIGINdefault-src 'self'same-origin"},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: %v, want %v", name, pair[0], pair[1])
		}
	}
}

// What the Python side's files say about log levels is understood.
func TestLogLevels(t *testing.T) {
	for word, level := range map[string]slog.Level{
		"debug": slog.LevelDebug, "DEBUG": slog.LevelDebug, "Info": slog.LevelInfo, "warn": slog.LevelWarn,
		"WARNING": slog.LevelWarn, "error": slog.LevelError, "CRITICAL": slog.LevelError,
	} {
		if c := mustLoad(t, development().with(environ{"LOG_LEVEL": word})); c.Log.Level != level {
			t.Errorf("%s is %v", word, c.Log.Level)
		}
	}
}

// A variable that is set empty counts as not set. JWT_AUDIENCE is the exception:
// set empty it leaves the claim out, for verifiers that pass no audience (I12).
func TestI12_EmptyMeansUnsetExceptForTheAudience(t *testing.T) {
	empty := development()
	for _, v := range config.Variables() {
		if _, set := empty[v.Name]; !set && v.Name != "JWT_AUDIENCE" {
			empty[v.Name] = ""
		}
	}
	if diff := cmp.Diff(plain(mustLoad(t, development())), plain(mustLoad(t, empty))); diff != "" {
		t.Error(diff)
	}
	if c := mustLoad(t, development().with(environ{"JWT_AUDIENCE": ""})); c.FOS.JWT.Audience != "" {
		t.Errorf("audience is %q", c.FOS.JWT.Audience)
	}
}

// What Load reads is its argument. The process environment has no say: a nil map
// would have made the env package read it.
func TestOnlyTheArgumentIsRead(t *testing.T) {
	for name, value := range development() {
		t.Setenv(name, value)
	}
	if _, err := config.Load(nil); err == nil {
		t.Error("an empty argument loads from the process environment")
	}
}

// Unknown variables are somebody else's.
func TestUnknownVariablesAreIgnored(t *testing.T) {
	mustLoad(t, development().with(environ{"HANDOFF_NOBODY": "x", "PATH": "/bin", "EMPTY": ""}))
}
