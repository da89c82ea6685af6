package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Environment is where the process runs. It decides defaults and what is refused.
type Environment string

// The environments. Development is the default; whoever forgets ENVIRONMENT in
// production is told by [Config.Warnings].
const (
	Development Environment = "development"
	Staging     Environment = "staging"
	Production  Environment = "production"
)

// Halves says which halves this process runs; at least one is true.
type Halves struct{ DAO, FOS bool }

// Config is the resolved configuration. It is made by [Load] only, and read-only
// from then on.
type Config struct {
	Environment Environment
	Halves      Halves

	// CookieSecure sets Secure and the __Host- and __Secure- prefixes on cookies.
	CookieSecure bool

	MetricsAddr    string // host:port
	MetricsEnabled bool
	APIDocsEnabled bool
	Log            Log

	// TraceEndpoint is the base URL of a collector, "" for no traces; TraceShare is how
	// many of them are recorded, 0 to 1.
	TraceEndpoint string
	TraceShare    float64

	// TrustedProxies are the networks whose forwarded headers are believed
	// (invariant I15); masked, IPv4 in its short form, none by default.
	TrustedProxies []netip.Prefix

	// ShutdownDelay is how long readiness answers 503 before listeners close;
	// ShutdownTimeout is how long requests in flight then have.
	ShutdownDelay, ShutdownTimeout time.Duration

	// MaxRequests bounds what the process works on at once, MaxConnections what each
	// listener holds (invariant I13); none is as many as the memory is enough for.
	MaxRequests, MaxConnections int

	// PseudonymKeys has at least one key; the first is used (invariant I6).
	PseudonymKeys []privacy.Key

	// ServiceTokens are the accepted bearers between the halves, the current one
	// first, then the previous. Empty means that exchange answers 503
	// (invariant I3).
	ServiceTokens []privacy.Secret

	Security Security

	RateLimits RateLimits

	DAO DAO // zero unless Halves.DAO
	FOS FOS // zero unless Halves.FOS
}

// Log says how much is logged and in which form.
type Log struct {
	Level slog.Level
	JSON  bool // else text
}

// RateLimits are tries a minute, 1 to 100000 each. What a half that does not run
// would count is zero.
type RateLimits struct {
	LoginFailed  int // failed logins per account and address, and per account and known browser
	LoginAddress int // logins per address
	LoginAccount int // logins per account from unknown browsers

	ExchangeFailures int // wrong bearers per address

	Mint int // DAO half: mints per session

	Arrival int // FOS half: cross-domain logins per address
}

// Security holds the values of response headers. An empty one is not sent.
type Security struct {
	HSTS           string        // Strict-Transport-Security (RFC 6797)
	HSTSMaxAge     time.Duration // the max-age in HSTS
	FrameOptions   string        // X-Frame-Options (RFC 7034)
	CSP            string        // Content-Security-Policy of JSON answers
	ReferrerPolicy string        // Referrer-Policy
}

// DAO is the configuration of the half where the person is signed in.
type DAO struct {
	Addr                            string // host:port
	DatabaseURL, MigrateDatabaseURL privacy.Secret
	RedisURL                        privacy.Secret
	AllowedOrigins                  []string // scheme://host[:port], lower case
	CookieDomain                    string   // bare host name, or empty for host-only cookies

	// Targets has at least one entry; the first is the default of a mint.
	Targets []Target

	EntryProducts []string

	// SealingKeys has at least one key; the first seals, all open.
	SealingKeys []privacy.Key

	// ServiceTokenTargets are the domains that the service token is good for;
	// empty means all of Targets.
	ServiceTokenTargets []string

	// FounderyOSURL is the FOS half's, without trailing slash; empty means in process,
	// or nobody.
	FounderyOSURL string
}

// Target is a domain that tokens are good for, and where its arrivals land.
type Target struct {
	Domain     string
	LandingURL *url.URL
}

// Unbound says what becomes of an arrival whose journey did not begin in the same
// browser at the FOS half.
type Unbound string

// The choices.
const (
	UnboundAllow   Unbound = "allow"   // as any other
	UnboundConfirm Unbound = "confirm" // the person is asked first
	UnboundRefuse  Unbound = "refuse"  // none is taken
)

// ElevatedRoles says what a founder's or admin's session may do that came by
// hand-off (invariant I10).
type ElevatedRoles string

// The two policies for elevated roles.
const (
	ElevatedRolesStepUp ElevatedRoles = "step-up" // acts as member until proven here
	ElevatedRolesAllow  ElevatedRoles = "allow"   // acts with its role at once
)

// FOS is the configuration of the half where the person arrives.
type FOS struct {
	Addr                            string // host:port
	DatabaseURL, MigrateDatabaseURL privacy.Secret
	RedisURL                        privacy.Secret
	AllowedOrigins                  []string // CORS_ORIGINS and the origin of FrontendURL
	FrontendURL                     string   // without trailing slash; empty when not set
	ExpectedTarget                  string   // the only target whose tokens are taken
	OracleBridgeURL                 string   // without trailing slash; empty means in process
	PublicPrefix                    string   // "" or "/fos": what a gateway strips
	// StartURLs are the DAO front end's pages by entry product, to which journeys are
	// sent that begin here.
	StartURLs         map[string]*url.URL
	PeerVerifiesEmail bool
	ElevatedRoles     ElevatedRoles
	Unbound           Unbound
	JWT               JWT
	// AuthzAddr is where gateways ask whether a request may pass, host:port; empty means
	// nowhere. Services are who calls with a bearer of their own.
	AuthzAddr string
	Services  []Service
}

// JWT is how FOS sessions are signed: HS256, nothing else.
type JWT struct {
	Key      privacy.Secret   // the string's own bytes, at least 32
	Previous []privacy.Secret // verify only

	Issuer   string
	Audience string // empty leaves the claim out of access tokens

	AccessTTL, RefreshTTL time.Duration
}

// Load resolves environ, which has the form of os.Environ: "NAME=value". It reads
// the files that X_FILE variables name. On any fault it returns no Config and an
// error that joins (errors.Join) every [*Fault]; its text has no secret in it.
func Load(environ []string) (*Config, error) {
	c, l := resolve(environ)
	if err := l.faults.err(); err != nil {
		return nil, err
	}
	return c, nil
}

// resolve goes through everything, whatever is wrong with it; with a fault, parts of
// the Config mean nothing.
func resolve(environ []string) (*Config, *loader) {
	l := newLoader(environ)
	c := &Config{}
	redis := l.shared(c)
	if c.Halves.DAO {
		l.dao(c, redis)
	}
	if c.Halves.FOS {
		l.fos(c, redis)
	}
	l.between(c)
	return c, l
}

// targetDomains are the domains of Targets, in order.
func (d *DAO) targetDomains() []string {
	domains := make([]string, 0, len(d.Targets))
	for _, t := range d.Targets {
		domains = append(domains, t.Domain)
	}
	return slices.Clip(domains)
}
