package config

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// fos resolves what only the FOS half reads.
func (l *loader) fos(c *Config, sharedRedis privacy.Secret) {
	raw := parse[rawFOS](l)
	f := &c.FOS
	f.Addr = l.address("FOS_ADDR", raw.Addr)
	f.DatabaseURL = l.postgresURL("DATABASE_URL", raw.DatabaseURL)
	f.DatabaseURL = l.withCredentials(f.DatabaseURL, raw.DatabaseUser, raw.DatabasePassword)
	l.reuse.connection("DATABASE_PASSWORD", raw.DatabasePassword)
	f.MigrateDatabaseURL = l.postgresURL("MIGRATE_DATABASE_URL", raw.MigrateDatabaseURL)
	if raw.MigrateDatabaseURL.IsEmpty() {
		f.MigrateDatabaseURL = f.DatabaseURL
	}
	f.RedisURL = l.requiredRedis(sharedRedis)
	f.AllowedOrigins = l.origins("CORS_ORIGINS", raw.CORSOrigins)
	l.frontend(f, raw.FrontendURL)
	f.ExpectedTarget = l.expectedTarget(raw.ExpectedTarget)
	f.OracleBridgeURL = l.oracleBridge(raw.OracleBridgeURL, c.Halves)
	f.PublicPrefix = l.publicPrefix(raw.PublicPrefix)
	f.StartURLs = l.startURLs(raw.DAOStartURLs)
	f.PeerVerifiesEmail = raw.PeerVerifiesEmail
	f.ElevatedRoles = ElevatedRoles(strings.ToLower(raw.ElevatedRoles))
	l.oneOf("HANDOFF_ELEVATED_ROLES", string(f.ElevatedRoles), string(ElevatedRolesStepUp), string(ElevatedRolesAllow))
	f.Unbound = Unbound(strings.ToLower(raw.Unbound))
	l.oneOf("HANDOFF_UNBOUND", string(f.Unbound), string(UnboundAllow), string(UnboundConfirm), string(UnboundRefuse))
	f.JWT = l.jwt(raw)
	f.AuthzAddr, f.Services = raw.AuthzAddr, l.services(raw.ServiceDigests, c)
	l.authz(f, c)
	c.RateLimits.Arrival = l.perMinute("RATE_LIMIT_ARRIVAL_PER_MINUTE", raw.ArrivalPerMinute)
}

// frontend sets FrontendURL and adds its origin to the allowed ones.
func (l *loader) frontend(f *FOS, value string) {
	if value == "" {
		return
	}
	u, problem := webURL(value)
	if problem == "" {
		problem = l.plainHTTPProblem(u)
	}
	if problem == "" && (u.RawQuery != "" || u.ForceQuery) {
		problem = "has a query"
	}
	if problem != "" {
		l.faults.add("FRONTEND_URL", problem)
		return
	}
	f.FrontendURL = strings.TrimRight(value, "/")
	if origin := originOf(u); !slices.Contains(f.AllowedOrigins, origin) {
		f.AllowedOrigins = append(f.AllowedOrigins, origin)
	}
}

// startURLs reads "entry product=URL" items.
func (l *loader) startURLs(list string) map[string]*url.URL {
	const variable = "DAO_START_URLS"
	urls := map[string]*url.URL{}
	for i, item := range split(list) {
		product, page, found := strings.Cut(item, "=")
		product = strings.TrimSpace(product)
		u, problem := webURL(strings.TrimSpace(page))
		switch {
		case !found || !productName.MatchString(product):
			problem = "is not entry product=URL"
		case problem != "":
			problem = "has a URL that " + problem
		case urls[product] != nil:
			problem = "names an entry product twice"
		case u.Query().Has("challenge"):
			problem = "has a URL with a challenge of its own"
		default:
			if plain := l.plainHTTPProblem(u); plain != "" {
				problem = "has a URL that " + plain
			}
		}
		if problem != "" {
			l.faults.addItem(variable, i, problem)
			continue
		}
		urls[product] = u
	}
	return urls
}

func (l *loader) expectedTarget(domain string) string {
	if !isHostname(domain) {
		l.faults.add("CROSS_DOMAIN_EXPECTED_TARGET", "is not a host name in lower case")
	}
	return domain
}

// oracleBridge checks the URL of the DAO half.
func (l *loader) oracleBridge(value string, halves Halves) string {
	const variable = "ORACLE_BRIDGE_URL"
	if value == "" && !halves.DAO {
		l.faults.add(variable, "is required when the DAO half does not run in this process")
	}
	return l.peerURL(variable, value)
}

// peerURL checks the URL of the other half, if there is one. Inside a cluster plain HTTP is
// common: TLS ends at the edge or a mesh adds it, and there the service token
// crosses no foreign network. Elsewhere it would cross the internet readable, so
// outside development a host must evidently be internal for plain HTTP.
func (l *loader) peerURL(variable, value string) string {
	if value == "" {
		return ""
	}
	u, problem := webURL(value)
	switch {
	case problem != "":
		l.faults.add(variable, problem)
	case u.RawQuery != "" || u.ForceQuery:
		l.faults.add(variable, "has a query")
	case u.Scheme == "http" && l.environment != Development && !isInternal(u.Hostname()):
		l.faults.add(variable, "sends the service token over plain HTTP to a host outside; "+
			"use https, or the cluster's name for it (service.namespace.svc)")
	}
	return strings.TrimRight(value, "/")
}

// prefixShape keeps to characters that mean nothing in a cookie's Path attribute
// and need no escape in a URL (RFC 3986, 2.3). A ";" would add an attribute.
var prefixShape = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

func (l *loader) publicPrefix(value string) string {
	if value != "" && (!prefixShape.MatchString(value) || path.Clean(value) != value) {
		l.faults.add("FOS_PUBLIC_PREFIX", "is not a plain path with one leading and no trailing slash")
	}
	return value
}

// refreshAudience is what refresh tokens carry (protocol, section 2).
const refreshAudience = "founderyos-refresh"

func (l *loader) jwt(raw rawFOS) JWT {
	l.textKey("JWT_SECRET_KEY", raw.JWTKey)
	j := JWT{
		Key:        raw.JWTKey,
		Previous:   l.textKeys("JWT_SECRET_KEY_PREVIOUS", raw.JWTPrevious),
		Issuer:     raw.JWTIssuer,
		Audience:   raw.JWTAudience,
		AccessTTL:  time.Duration(raw.AccessMinutes) * time.Minute,
		RefreshTTL: time.Duration(raw.RefreshDays) * 24 * time.Hour,
	}
	// Exactly this one: a verifier that lets the token choose takes "none", or an
	// RSA public key as an HMAC secret (RFC 8725, 2.1).
	l.oneOf("JWT_ALGORITHM", raw.JWTAlgorithm, "HS256")
	// env gives the default for a variable that is set empty; here that is a value.
	if value, set := l.env["JWT_AUDIENCE"]; set && value == "" {
		j.Audience = ""
	}
	if j.Audience == refreshAudience {
		l.faults.add("JWT_AUDIENCE", "is the audience of refresh tokens, which would then pass as access tokens")
	}
	l.visible("JWT_ISSUER", j.Issuer)
	l.visible("JWT_AUDIENCE", j.Audience)
	within(&l.faults, "ACCESS_TOKEN_EXPIRE_MINUTES", raw.AccessMinutes, [2]int{1, 24 * 60})
	within(&l.faults, "REFRESH_TOKEN_EXPIRE_DAYS", raw.RefreshDays, [2]int{1, 90})
	return j
}
