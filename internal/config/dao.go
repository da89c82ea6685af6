package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// dao resolves what only the DAO half reads.
func (l *loader) dao(c *Config, sharedRedis privacy.Secret) {
	raw := parse[rawDAO](l)
	d := &c.DAO
	d.Addr = l.address("DAO_ADDR", raw.Addr)
	d.DatabaseURL = l.postgresURL("DAO_DATABASE_URL", raw.DatabaseURL)
	d.MigrateDatabaseURL = l.postgresURL("DAO_MIGRATE_DATABASE_URL", raw.MigrateDatabaseURL)
	if raw.MigrateDatabaseURL.IsEmpty() {
		d.MigrateDatabaseURL = d.DatabaseURL
	}
	d.RedisURL = l.daoRedis(c, raw.RedisURL, sharedRedis)
	d.AllowedOrigins = l.origins("DAO_CORS_ORIGINS", raw.CORSOrigins)
	d.CookieDomain = raw.CookieDomain
	if d.CookieDomain != "" {
		if problem := cookieDomainProblem(d.CookieDomain); problem != "" {
			l.faults.add("COOKIE_DOMAIN", problem)
		}
	}
	d.Targets = l.targets(raw.Targets)
	d.EntryProducts = l.entryProducts(raw.EntryProducts)
	d.SealingKeys = l.keyList("HANDOFF_SEALING_KEYS", raw.SealingKeys)
	d.ServiceTokenTargets = l.tokenTargets(d, raw.TokenTargets)
	c.RateLimits.Mint = l.perMinute("RATE_LIMIT_MINT_PER_MINUTE", raw.MintPerMinute)
	d.FounderyOSURL = l.peerURL("FOUNDERYOS_API_URL", raw.FounderyOSURL)
}

// daoRedis falls back to REDIS_URL. When the FOS half runs too, that half reports
// what is wrong with it.
func (l *loader) daoRedis(c *Config, own, shared privacy.Secret) privacy.Secret {
	switch {
	case !own.IsEmpty() || l.faults.has("DAO_REDIS_URL"):
		return l.redisURL("DAO_REDIS_URL", own)
	case c.Halves.FOS:
		return privacy.NewSecret(strings.TrimSpace(shared.Reveal()))
	default:
		return l.requiredRedis(shared)
	}
}

// requiredRedis is REDIS_URL where nothing stands in for it.
func (l *loader) requiredRedis(shared privacy.Secret) privacy.Secret {
	if strings.TrimSpace(shared.Reveal()) == "" {
		l.faults.unreadable("REDIS_URL", "is required")
	}
	return l.redisURL("REDIS_URL", shared)
}

// targets reads "domain=landing URL,..." in order.
func (l *loader) targets(list string) []Target {
	const variable = "HANDOFF_TARGETS"
	var targets []Target
	seen := map[string]bool{}
	items := split(list)
	for i, item := range items {
		target, problem := l.target(item)
		if problem == "" && seen[target.Domain] {
			problem = "names a domain twice"
		}
		if problem != "" {
			l.faults.addItem(variable, i, problem)
			continue
		}
		seen[target.Domain] = true
		targets = append(targets, target)
	}
	if len(items) == 0 {
		l.faults.add(variable, "has no item")
	}
	return targets
}

func (l *loader) target(item string) (t Target, problem string) {
	domain, landing, found := strings.Cut(item, "=")
	domain, landing = strings.TrimSpace(domain), strings.TrimSpace(landing)
	if !found || !isHostname(domain) {
		return Target{}, "is not domain=landing URL with a host name in lower case before the ="
	}
	u, problem := webURL(landing)
	if problem != "" {
		return Target{}, "has a landing URL that " + problem
	}
	if u.Query().Has("token") {
		// Which of two tokens counts is up to whoever reads the page's address.
		return Target{}, "has a landing URL with a token parameter of its own"
	}
	if problem := l.plainHTTPProblem(u); problem != "" {
		return Target{}, "has a landing URL that " + problem
	}
	return Target{Domain: domain, LandingURL: u}, ""
}

var productName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

func (l *loader) entryProducts(list string) []string {
	const variable = "HANDOFF_ENTRY_PRODUCTS"
	products := l.distinct(variable, list)
	for i, product := range products {
		if !productName.MatchString(product) {
			l.faults.addItem(variable, i, "is not a name of lower-case letters, digits and hyphens")
		}
	}
	if len(products) == 0 {
		l.faults.add(variable, "has no item")
	}
	return products
}

// tokenTargets refuses domains that no token is ever minted for: a typing error
// there would shut a target out.
func (l *loader) tokenTargets(d *DAO, list string) []string {
	const variable = "CROSS_DOMAIN_SERVICE_TOKEN_TARGETS"
	domains := l.distinct(variable, list)
	if l.faults.has("HANDOFF_TARGETS") {
		return domains
	}
	for i, domain := range domains {
		if !slices.Contains(d.targetDomains(), domain) {
			l.faults.addItem(variable, i, "is none of HANDOFF_TARGETS' domains")
		}
	}
	return domains
}
