package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// A warning is a setting that is legal but risky, each with what can come of it.
type warning struct {
	is   bool
	text string
}

// Warnings lists settings that are legal but risky, each as "VARIABLE: what can
// come of it". It holds no secret and is meant for the log at start.
func (c *Config) Warnings() []string {
	all := c.sharedWarnings()
	if c.Halves.DAO {
		all = append(all, c.daoWarnings()...)
	}
	if c.Halves.FOS {
		all = append(all, c.fosWarnings()...)
	}
	all = append(all, c.keyWarnings()...)
	var texts []string
	for _, w := range all {
		if w.is {
			texts = append(texts, w.text)
		}
	}
	return texts
}

func (c *Config) sharedWarnings() []warning {
	deployed := c.Environment != Development
	const year = 365 * 24 * time.Hour
	const grace = 30 * time.Second // Kubernetes' default terminationGracePeriodSeconds
	return []warning{
		{!deployed && c.looksPublic(), "ENVIRONMENT: is development, but public HTTPS addresses are configured; weak settings are not refused"},
		{len(c.ServiceTokens) == 0, "CROSS_DOMAIN_SERVICE_TOKEN: is not set; exchange and cross-domain-login answer 503"},
		{deployed && !c.CookieSecure, "COOKIE_SECURE: is false; sessions cross the network readable on any plain-HTTP request"},
		{deployed && len(c.TrustedProxies) == 0, "TRUSTED_PROXIES: is empty; behind a proxy all clients are one address, with one budget of logins and arrivals"},
		{c.MetricsEnabled && !isLoopback(hostOf(c.MetricsAddr)), "METRICS_ADDR: is reachable from other machines; whoever reaches it reads the metrics"},
		{deployed && c.Log.Level < 0, "LOG_LEVEL: is debug; more is logged than operation needs"},
		{deployed && c.Security.HSTSMaxAge < year, "SECURITY_HSTS_MAX_AGE: is below a year (ASVS 5.0, 3.4.1)"},
		{deployed && c.ShutdownDelay+c.ShutdownTimeout >= grace, "SHUTDOWN_TIMEOUT: with SHUTDOWN_DELAY it reaches 30s, when Kubernetes kills by default"},
		{weakCSP(c.Security.CSP), "SECURITY_CSP: does not start from default-src 'none' or 'self', or allows unsafe-inline or unsafe-eval"},
		{c.Security.ReferrerPolicy == "unsafe-url" || c.Security.ReferrerPolicy == "no-referrer-when-downgrade",
			"SECURITY_REFERRER_POLICY: sends whole addresses to other sites, tokens in them included"},
	}
}

func (c *Config) daoWarnings() []warning {
	deployed := c.Environment != Development
	all := []warning{
		{c.DAO.CookieDomain != "", "COOKIE_DOMAIN: every subdomain can read and set the session cookie, and it loses its __Host- prefix"},
		{c.Halves.FOS && c.FOS.OracleBridgeURL == "" && len(c.DAO.ServiceTokenTargets) > 0 &&
			!slices.Contains(c.DAO.ServiceTokenTargets, c.FOS.ExpectedTarget),
			"CROSS_DOMAIN_SERVICE_TOKEN_TARGETS: leaves out CROSS_DOMAIN_EXPECTED_TARGET; no hand-off arrives in this process"},
		{!c.Halves.FOS && c.DAO.FounderyOSURL == "",
			"FOUNDERYOS_API_URL: is not set; who signs out here stays signed in on the FOS half, and rows of handoff_endings wait"},
	}
	for _, t := range c.DAO.Targets {
		host := t.LandingURL.Hostname()
		elsewhere := host != t.Domain && !strings.HasSuffix(host, "."+t.Domain)
		all = append(all, warning{deployed && elsewhere,
			"HANDOFF_TARGETS: tokens for " + t.Domain + " are delivered to a host outside that domain"})
	}
	return append(all, c.storeWarnings("DAO_", c.DAO.DatabaseURL, c.DAO.MigrateDatabaseURL, c.DAO.RedisURL)...)
}

func (c *Config) fosWarnings() []warning {
	f, deployed := c.FOS, c.Environment != Development
	all := []warning{
		{f.ElevatedRoles == ElevatedRolesAllow, "HANDOFF_ELEVATED_ROLES: is allow; who takes over a DAO session of a founder has the founder's rights here"},
		{c.Environment == Production && f.Unbound == UnboundAllow,
			"HANDOFF_UNBOUND: is allow; a link that somebody else made signs people in to that person's account (login CSRF)"},
		{f.Unbound == UnboundRefuse && len(f.StartURLs) == 0, "HANDOFF_UNBOUND: is refuse, and without DAO_START_URLS no journey can begin here; nobody arrives"},
		{f.PeerVerifiesEmail, "HANDOFF_PEER_VERIFIES_EMAIL: is true; if the peer does not verify addresses, accounts here can be taken over"},
		{f.JWT.Audience == "", "JWT_AUDIENCE: is empty; other services with this key accept these tokens and cannot tell them from theirs"},
		{f.JWT.AccessTTL > time.Hour, "ACCESS_TOKEN_EXPIRE_MINUTES: is above 60; a revoked session acts until its access token ends"},
		{f.JWT.RefreshTTL > 30*24*time.Hour, "REFRESH_TOKEN_EXPIRE_DAYS: is above 30"},
		{f.AuthzAddr != "" && deployed && !onlyInside(f.AuthzAddr),
			"AUTHZ_ADDR: is reachable from other machines; it must not be routed from outside"},
		{f.AuthzAddr == "" && len(f.Services) > 0, "SERVICE_TOKEN_DIGESTS: is set, and without AUTHZ_ADDR nobody can ask"},
		{!rotatable(f.JWT.Key.Reveal()), "JWT_SECRET_KEY: has a comma or white space around it; JWT_SECRET_KEY_PREVIOUS cannot hold it when it is rotated"},
	}
	return append(all, c.storeWarnings("", f.DatabaseURL, f.MigrateDatabaseURL, f.RedisURL)...)
}

// storeWarnings looks at where the stores are. prefix is that of the half's
// variables.
func (c *Config) storeWarnings(prefix string, db, migrate, redis privacy.Secret) []warning {
	at, tls, _ := databaseAt(db)
	migrateAt, _, _ := databaseAt(migrate)
	cache, problem := parseURL(redis.Reveal())
	if problem != "" {
		cache = &url.URL{}
	}
	deployed := c.Environment != Development
	return []warning{
		{deployed && !tls && !isInternal(at.host), prefix + "DATABASE_URL: does not demand TLS (sslmode=require or stricter) of a host outside"},
		{deployed && cache.Scheme == "redis" && !isInternal(cache.Hostname()), prefix + "REDIS_URL: is plain redis to a host outside; rediss is TLS"},
		{at.name != migrateAt.name, prefix + "MIGRATE_DATABASE_URL: names another database than " + prefix + "DATABASE_URL"},
	}
}

// keyWarnings finds in development what the other environments refuse.
func (c *Config) keyWarnings() []warning {
	if c.Environment != Development {
		return nil
	}
	var all []warning
	look := func(variable string, keys ...privacy.Secret) {
		for _, key := range keys {
			if !key.IsEmpty() {
				all = append(all, warning{weakness([]byte(key.Reveal())) != "", variable + ": has a guessable key, which staging and production refuse"})
			}
		}
	}
	for _, key := range c.PseudonymKeys {
		look("AUDIT_PSEUDONYM_KEYS", key.Secret)
	}
	for _, key := range c.DAO.SealingKeys {
		look("HANDOFF_SEALING_KEYS", key.Secret)
	}
	look("CROSS_DOMAIN_SERVICE_TOKEN", c.ServiceTokens...)
	look("JWT_SECRET_KEY", append([]privacy.Secret{c.FOS.JWT.Key}, c.FOS.JWT.Previous...)...)
	return all
}

// looksPublic reports whether people are sent to an HTTPS address that is not on
// this machine.
func (c *Config) looksPublic() bool {
	addresses := slices.Concat(c.DAO.AllowedOrigins, c.FOS.AllowedOrigins)
	for _, t := range c.DAO.Targets {
		addresses = append(addresses, t.LandingURL.String())
	}
	return slices.ContainsFunc(addresses, func(address string) bool {
		u, problem := webURL(address)
		return problem == "" && u.Scheme == "https" && !isInternal(u.Hostname())
	})
}

func weakCSP(csp string) bool {
	strict := strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "default-src 'self'")
	return !strict || strings.Contains(csp, "'unsafe-")
}

// rotatable reports whether key survives being an item of a list.
func rotatable(key string) bool {
	items := split(key)
	return len(items) == 1 && items[0] == key
}

// onlyInside reports whether addr is one address, and evidently no public one.
func onlyInside(addr string) bool { return !isWildcard(hostOf(addr)) && isInternal(hostOf(addr)) }

func hostOf(addr string) string {
	host, _, _ := net.SplitHostPort(addr) // Load has checked it
	return host
}
