package config_test

import (
	"strings"
	"testing"
)

// Each of these is refused wherever it is set.
func TestRefusedEverywhere(t *testing.T) {
	for _, tc := range []struct{ variable, value, words string }{
		{"LOG_LEVEL", "loud", "none of debug"},
		{"LOG_FORMAT", "xml", "none of json, text"},
		{"COOKIE_SECURE", "perhaps", "true or false"},
		{"METRICS_ENABLED", "2", "true or false"},
		{"API_DOCS_ENABLED", "yes please", "true or false"},
		{"METRICS_ADDR", "9090", "host:port"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "not an http"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://u:p@collector.example.org", "user or password"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.org/?a=b", "query"},
		{"OTEL_TRACES_SAMPLER_ARG", "1.1", "not between 0 and 1"},
		{"OTEL_TRACES_SAMPLER_ARG", "-0.1", "not between 0 and 1"},
		{"OTEL_TRACES_SAMPLER_ARG", "NaN", "not between 0 and 1"},
		{"OTEL_TRACES_SAMPLER_ARG", "half", "number"},
		{"DAO_ADDR", ":http", "port"},
		{"DAO_ADDR", ":65536", "port"},
		{"FOS_ADDR", "a b:1", "neither a name"},
		{"FOS_ADDR", "0.0.0.0:8787", "same listener as DAO_ADDR"},
		{"METRICS_ADDR", "127.0.0.1:8000", "same listener as FOS_ADDR"},
		{"SHUTDOWN_DELAY", "5", "duration with a unit"},
		{"SHUTDOWN_DELAY", "-1s", "outside 0s to 5m0s"},
		{"SHUTDOWN_TIMEOUT", "0s", "outside 1s to 5m0s"},
		{"MAX_REQUESTS_IN_FLIGHT", "7", "outside 8 to 100000"},
		{"MAX_CONNECTIONS", "100001", "outside 33 to 100000"},
		{"MAX_CONNECTIONS", "32", "outside 33 to 100000"},
		{"SECURITY_HSTS_MAX_AGE", "a year", "whole number"},
		{"SECURITY_HSTS_MAX_AGE", "-1", "outside 0"},
		{"SECURITY_FRAME_OPTIONS", "ALLOW-FROM https://example.org", "none of DENY"},
		{"SECURITY_CSP", "default-src 'none'\r\nSet-Cookie: a=b", "visible ASCII"},
		{"SECURITY_REFERRER_POLICY", "never", "not a word"},

		{"HANDOFF_TARGETS", ",", "no item"},
		{"HANDOFF_TARGETS", "founderyos.dev", "domain=landing"},
		{"HANDOFF_TARGETS", "FounderyOS.dev=https://founderyos.dev", "lower case"},
		{"HANDOFF_TARGETS", "founderyos.dev=https://a.dev,founderyos.dev=https://b.dev", "item 2 names a domain twice"},
		{"HANDOFF_TARGETS", "founderyos.dev=/cross-domain", "not an http"},
		{"HANDOFF_TARGETS", "founderyos.dev=https://u:p@founderyos.dev/", "user or password"},
		{"HANDOFF_TARGETS", "founderyos.dev=https://founderyos.dev/#x", "fragment"},
		{"HANDOFF_TARGETS", "founderyos.dev=https://founderyos.dev/?token=x", "token parameter"},
		{"HANDOFF_TARGETS", "founderyos.dev=javascript:alert(1)", "not an http"},
		{"HANDOFF_ENTRY_PRODUCTS", "dao,FOS", "item 2 is not a name"},
		{"HANDOFF_ENTRY_PRODUCTS", "dao,dao", "item 2 repeats"},
		{"HANDOFF_ENTRY_PRODUCTS", ",", "no item"},
		{"DAO_START_URLS", "https://think-tank.dev/open", "not entry product=URL"},
		{"DAO_START_URLS", "Think Tank=https://think-tank.dev/open", "not entry product=URL"},
		{"DAO_START_URLS", "think-tank=/open", "has a URL that is not an http"},
		{"DAO_START_URLS", "think-tank=https://think-tank.dev/open#x", "fragment"},
		{"DAO_START_URLS", "think-tank=https://think-tank.dev/?challenge=x", "challenge of its own"},
		{"DAO_START_URLS", "dao=https://a.dev,dao=https://b.dev", "item 2 names an entry product twice"},
		{"DAO_START_URLS", "dao=https://a.dev,casino=https://b.dev", "none of HANDOFF_ENTRY_PRODUCTS"},
		{"CROSS_DOMAIN_SERVICE_TOKEN_TARGETS", "founderyos.de", "none of HANDOFF_TARGETS"},
		{"CROSS_DOMAIN_EXPECTED_TARGET", "founderyos.de", "none of HANDOFF_TARGETS"},
		{"CROSS_DOMAIN_EXPECTED_TARGET", "https://founderyos.dev", "not a host name"},

		{"COOKIE_DOMAIN", ".helloworlddao.com", "bare host name"},
		{"COOKIE_DOMAIN", "https://helloworlddao.com", "bare host name"},
		{"COOKIE_DOMAIN", "helloworlddao.com:443", "bare host name"},
		{"COOKIE_DOMAIN", "a.com; Path=/x", "bare host name"},
		{"COOKIE_DOMAIN", "192.0.2.7", "bare host name"},
		{"COOKIE_DOMAIN", "localhost", "single label"},
		{"COOKIE_DOMAIN", "co.uk", "public suffix"},

		{"ORACLE_BRIDGE_URL", "dao.example.org", "not an http"},
		{"ORACLE_BRIDGE_URL", "https://dao.example.org/?a=b", "query"},
		{"ORACLE_BRIDGE_URL", "https://u:p@dao.example.org", "user or password"},
		{"FOUNDERYOS_API_URL", "api.example.org", "not an http"},
		{"FOUNDERYOS_API_URL", "https://api.example.org/fos?a=b", "query"},
		{"FRONTEND_URL", "founderyos.dev", "not an http"},
		{"FRONTEND_URL", "https://founderyos.dev/?", "query"},
		{"FOS_PUBLIC_PREFIX", "fos", "plain path"},
		{"FOS_PUBLIC_PREFIX", "/fos/", "plain path"},
		{"FOS_PUBLIC_PREFIX", "/", "plain path"},
		{"FOS_PUBLIC_PREFIX", "//fos", "plain path"},
		{"FOS_PUBLIC_PREFIX", "/fos/..", "plain path"},
		{"FOS_PUBLIC_PREFIX", "/fos; Domain=example.org", "plain path"},
		{"HANDOFF_PEER_VERIFIES_EMAIL", "maybe", "true or false"},
		{"HANDOFF_ELEVATED_ROLES", "deny", "none of step-up, allow"},

		{"JWT_ALGORITHM", "none", "is not HS256"},
		{"JWT_ALGORITHM", "RS256", "is not HS256"},
		{"JWT_AUDIENCE", "founderyos-refresh", "refresh tokens"},
		{"JWT_ISSUER", "a\nb", "visible ASCII"},
		{"ACCESS_TOKEN_EXPIRE_MINUTES", "0", "outside 1 to 1440"},
		{"REFRESH_TOKEN_EXPIRE_DAYS", "91", "outside 1 to 90"},
		{"JWT_SECRET_KEY", strings.Repeat("Ab3", 10), "shorter than 32"},
		{"JWT_SECRET_KEY_PREVIOUS", jwtKey2 + ",short", "item 2 is shorter than 32"},
		{"CROSS_DOMAIN_SERVICE_TOKEN", "short", "shorter than 32"},
		{"CROSS_DOMAIN_SERVICE_TOKEN", serviceToken + "\n", "white space"},
		{"CROSS_DOMAIN_SERVICE_TOKEN", serviceToken + "é", "white space or another character"},
		{"AUDIT_PSEUDONYM_KEYS", sealingKey[:63], "odd number"},
		{"AUDIT_PSEUDONYM_KEYS", pseudonymKey + "," + sealingKey[:62], "item 2 is shorter than 32 bytes once decoded"},
		{"AUDIT_PSEUDONYM_KEYS", "a key of words and not of bytes", "neither hexadecimal nor base64"},
		{"HANDOFF_SEALING_KEYS", sealingKey + "\n" + serviceToken2, "line break"},
		{"HANDOFF_SEALING_KEYS", "T3QK3Jm8cQ0h2fZt5y1uVw7xN9aB4dLs\nEoGiPrUvXzY=", "line break"},
		{"HANDOFF_SEALING_KEYS", ",", "no item"},
	} {
		t.Run(tc.variable, func(t *testing.T) {
			wantFault(t, development().with(environ{tc.variable: tc.value}), tc.variable, tc.words)
		})
	}
}

// An unknown environment is judged by the strictest rules, so that nobody learns
// of them one restart later.
func TestUnknownEnvironment(t *testing.T) {
	wantFault(t, production().with(environ{"ENVIRONMENT": "prod"}), "ENVIRONMENT", "none of development")
	if all := faultsOf(t, development().with(environ{"ENVIRONMENT": "prod"})); len(all) != 2 {
		t.Errorf("a plain-HTTP landing URL passes beside an unknown environment: %v", all)
	}
}

// The URLs of stores are judged by what can be seen without their drivers.
func TestStoreURLsThatCannotWork(t *testing.T) {
	for _, tc := range []struct{ variable, value, words string }{
		{"DATABASE_URL", "host=h dbname=d", "not a URL of the form"},
		{"DATABASE_URL", "mysql://h/d", "not a postgres"},
		{"DATABASE_URL", "postgresql+asyncpg://h/d", "driver suffix"},
		{"DATABASE_URL", "postgres:///d", "no host"},
		{"DATABASE_URL", "postgres://h", "no database"},
		{"DATABASE_URL", "postgres://u:a#b@h/d", "%XX"},
		{"DATABASE_URL", "postgres://u:ab@h/d#x", "%23"},
		{"DATABASE_URL", "postgres://u:a%zz@h/d", "percent escape"},
		{"DATABASE_URL", "postgres://u:p@evil@h/d", "%40"},
		{"DATABASE_URL", "postgres://u:p@h\x7f/d", "not a URL"},
		{"DATABASE_URL", "postgres://u:p@h h/d", "character in its host"},
		{"DATABASE_URL", "postgres://u:p@h/d?a=%zz", "malformed query"},
		{"DAO_DATABASE_URL", "postgres:h", "not a URL of the form"},
		{"DAO_MIGRATE_DATABASE_URL", "postgres://h", "no database"},
		{"MIGRATE_DATABASE_URL", "redis://h", "not a postgres"},
		// I14: the halves share no database, however it is spelled.
		{"DAO_DATABASE_URL", "postgresql://other@127.0.0.1/handoff_fos?sslmode=disable", "same database"},
		{"DAO_DATABASE_URL", "postgres://x/y?host=127.0.0.1&port=5432&dbname=handoff_fos", "same database"},
		{"REDIS_URL", "127.0.0.1:6379", "not a URL"},
		{"REDIS_URL", "http://h", "not a redis"},
		{"REDIS_URL", "redis://:6379", "no host"},
		{"REDIS_URL", "redis://h/zero", "database number"},
		{"REDIS_URL", "redis://h?addr=:1", "addr parameter"},
		{"DAO_REDIS_URL", "unix://", "no socket"},
		{"DAO_REDIS_URL", "unix:///s?master_name=m", "Sentinel"},
	} {
		wantFault(t, development().with(environ{tc.variable: tc.value}), tc.variable, tc.words)
	}
}

// Credentials are allowed, so that every origin let in acts as the person.
func TestOriginsThatLetStrangersIn(t *testing.T) {
	for _, variable := range []string{"CORS_ORIGINS", "DAO_CORS_ORIGINS"} {
		for value, words := range map[string]string{
			"*":                             "wildcard",
			"https://a.dev,https://*.a.dev": "item 2 is a wildcard",
			"null":                          "sandboxed",
			"https://a.dev/":                "without path",
			"https://a.dev:443":             "own port",
			"https://a.dev:":                "no port",
			"https://A.dev":                 "lower case",
			"https://a.dev?x":               "without path",
			"https://u@a.dev":               "user",
			"https://[2001:DB8::1]":         "lower case",
			"https://127.1":                 "neither a name",
			"https://a_b.dev":               "neither a name",
			"https://bücher.example":        "neither a name",
			"a.dev":                         "not an http",
			"ftp://a.dev":                   "not an http",
			`["https://a.dev"]`:             "not a",
			"https://a.dev,https://a.dev":   "item 2 repeats",
			"https://a.dev:0":               "no port",
			"https://" + strings.Repeat("a.", 130) + "dev": "neither a name",
		} {
			wantFault(t, development().with(environ{variable: value}), variable, words)
		}
	}
}

// I15: trusting everybody as a proxy is believing every forwarded header.
func TestI15_ProxiesThatAreEverybody(t *testing.T) {
	for value, words := range map[string]string{
		"0.0.0.0/0":           "far too many",
		"::/0":                "far too many",
		"127.0.0.1,0.0.0.0/1": "item 2 trusts far too many",
		"128.0.0.0/1":         "far too many",
		"2000::/3":            "far too many",
		"::ffff:0:0/96":       "far too many",
		"::ffff:0:0/90":       "neither",
		"0.0.0.0":             "far too many",
		"10.1.2.3/8":          "beyond its length",
		"fe80::1%eth0":        "zone",
		"proxy.internal":      "neither",
		"*":                   "neither",
		"10.0.0.1,10.0.0.1":   "item 2 repeats",
	} {
		wantFault(t, development().with(environ{"TRUSTED_PROXIES": value}), "TRUSTED_PROXIES", words)
	}
}

// What a developer may do on one machine is refused in production.
func TestRefusedInProduction(t *testing.T) {
	for _, tc := range []struct {
		variable, value, words string
		stagingToo             bool
	}{
		{"COOKIE_SECURE", "false", "must not be false", false},
		{"CORS_ORIGINS", "http://localhost:5173", "plain HTTP", false},
		{"CORS_ORIGINS", "http://founderyos.dev", "plain HTTP", true},
		{"DAO_CORS_ORIGINS", "http://10.0.0.1", "plain HTTP", true},
		{"FRONTEND_URL", "http://founderyos.dev", "plain HTTP", true},
		{"HANDOFF_TARGETS", "founderyos.dev=http://founderyos.dev/x", "plain HTTP", true},
		{"HANDOFF_TARGETS", "founderyos.dev=http://app.localhost/x", "plain HTTP", false},
		{"ORACLE_BRIDGE_URL", "http://dao.example.org", "over plain HTTP to a host outside", true},
		{"ORACLE_BRIDGE_URL", "http://192.0.2.7:8787", "over plain HTTP to a host outside", true},
		{"FOUNDERYOS_API_URL", "http://api.example.org/fos", "over plain HTTP to a host outside", true},
		{"CROSS_DOMAIN_SERVICE_TOKEN", strings.Repeat("a", 40), "guessable", true},
		{"JWT_SECRET_KEY", strings.Repeat("a", 64), "fewer than 8 different", true},
		{"JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef", "one pattern, repeated", true},
		{"JWT_SECRET_KEY", "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`", "in sequence", true},
		{"JWT_SECRET_KEY", "your-secret-key-Change-In-Production!", "placeholder", true},
		{"JWT_SECRET_KEY_PREVIOUS", jwtKey2 + "," + strings.Repeat("xy", 20), "item 2 is guessable", true},
		{"HANDOFF_SEALING_KEYS", strings.Repeat("00", 32), "item 1 is guessable", true},
		{"AUDIT_PSEUDONYM_KEYS", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "in sequence", true},
	} {
		set := environ{tc.variable: tc.value}
		wantFault(t, production().with(set), tc.variable, tc.words)
		staging := production().with(set).with(environ{"ENVIRONMENT": "staging"})
		if tc.stagingToo {
			wantFault(t, staging, tc.variable, tc.words)
		} else {
			mustLoad(t, staging)
		}
		mustLoad(t, development().with(set))
	}
}

// Inside a cluster the other half may be plain HTTP even in production: the reason
// stands at the rule.
func TestPlainBridgeInsideTheCluster(t *testing.T) {
	for _, bridge := range []string{
		"http://dao-half:8787", "http://dao.platform.svc", "http://dao.platform.svc.cluster.local:80",
		"http://10.1.2.3", "http://[fd00::1]:8787", "http://100.64.0.9", "http://localhost:8787", "http://dao.internal",
	} {
		c := mustLoad(t, production().with(environ{"ORACLE_BRIDGE_URL": bridge, "FOUNDERYOS_API_URL": bridge + "/fos/"}))
		if c.FOS.OracleBridgeURL != bridge || c.DAO.FounderyOSURL != bridge+"/fos" {
			t.Errorf("%s became %s and %s", bridge, c.FOS.OracleBridgeURL, c.DAO.FounderyOSURL)
		}
	}
}

// One value for two secrets is refused everywhere: who learns the one that
// crosses the network must not hold the one that signs. Spelling is no disguise.
func TestOneValueForTwoSecrets(t *testing.T) {
	for _, tc := range []struct{ variable, value, words string }{
		{"JWT_SECRET_KEY", serviceToken, "same value as CROSS_DOMAIN_SERVICE_TOKEN"},
		{"HANDOFF_SEALING_KEYS", serviceToken, "same value as CROSS_DOMAIN_SERVICE_TOKEN"},
		{"HANDOFF_SEALING_KEYS", strings.ToUpper(serviceToken), "same value as CROSS_DOMAIN_SERVICE_TOKEN"},
		{"HANDOFF_SEALING_KEYS", pseudonymKey, "same value as AUDIT_PSEUDONYM_KEYS"},
		{"HANDOFF_SEALING_KEYS", strings.TrimRight(pseudonymKey, "="), "same value as AUDIT_PSEUDONYM_KEYS"},
		{"HANDOFF_SEALING_KEYS", sealingKey + "," + strings.ToUpper(sealingKey), "one value twice"},
		{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS", serviceToken, "same value as CROSS_DOMAIN_SERVICE_TOKEN"},
		{"JWT_SECRET_KEY_PREVIOUS", jwtKey, "same value as JWT_SECRET_KEY"},
		{"JWT_SECRET_KEY_PREVIOUS", jwtKey2 + "," + jwtKey2, "one value twice"},
		{"DATABASE_PASSWORD", jwtKey, "same value as JWT_SECRET_KEY"},
		{"REDIS_URL", "redis://:" + jwtKey + "@h", "same value as JWT_SECRET_KEY"},
		{"DAO_DATABASE_URL", "postgres://h/d?password=" + serviceToken, "same value as CROSS_DOMAIN_SERVICE_TOKEN"},
	} {
		wantFault(t, development().with(environ{tc.variable: tc.value}), tc.variable, tc.words)
	}
	// One role may reach its database by two URLs.
	mustLoad(t, development().with(environ{"MIGRATE_DATABASE_URL": "postgres://fos:two@127.0.0.2:5432/handoff_fos"}))
}
