package config

import (
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// The raw structs. Tags: env is the name (notEmpty: required), envDefault the
// default; default describes one that depends on ENVIRONMENT or another variable;
// required marks what env cannot decide alone; example is a legal value (for a
// secret, only its form). A field of type privacy.Secret is a secret and can come
// as X_FILE. A pointer tells "not set" from the zero value.

// rawShared is read whichever halves run.
type rawShared struct {
	Environment string `env:"ENVIRONMENT" envDefault:"development" example:"production" help:"Where this runs: development, staging or production. It decides defaults and what is refused."`
	Halves      string `env:"HANDOFF_HALVES" envDefault:"dao,fos" example:"fos" help:"Which halves this process runs: dao, fos or dao,fos. Only their variables are read."`

	PseudonymKeys        privacy.Secret `env:"AUDIT_PSEUDONYM_KEYS,notEmpty" example:"the output of openssl rand -hex 32" help:"List of keys under which client addresses become pseudonyms; the first is used. Hexadecimal or base64, at least 32 bytes each."`
	ServiceToken         privacy.Secret `env:"CROSS_DOMAIN_SERVICE_TOKEN" example:"the output of openssl rand -hex 32" help:"The bearer between the halves, the same text on both, at least 32 characters. Without it exchange and cross-domain-login answer 503."`
	ServiceTokenPrevious privacy.Secret `env:"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS" example:"the token before the rotation" help:"A second bearer that is accepted during a rotation, never sent."`
	RedisURL             privacy.Secret `env:"REDIS_URL" required:"true" example:"redis://:PASSWORD@127.0.0.1:6379/0" help:"Redis, in go-redis' URL forms: plain, with ?master_name=...&addr=... for Sentinel, with ?addr=... for Cluster. Not required when only the DAO half runs and DAO_REDIS_URL is set."`

	CookieSecure   *bool  `env:"COOKIE_SECURE" default:"true, in development false" example:"true" help:"Whether cookies carry Secure and the __Host- and __Secure- prefixes. Must be true in production."`
	TrustedProxies string `env:"TRUSTED_PROXIES" example:"10.0.0.0/8,2001:db8::7" help:"List of addresses and prefixes of the proxies whose forwarded headers are believed. None by default."`

	LoginPerMinute        int `env:"RATE_LIMIT_LOGIN_PER_MINUTE" envDefault:"5" example:"5" help:"Failed logins a minute for one account from one address, or from one browser that has signed in to it before. 1 to 100000, like every RATE_LIMIT_ number."`
	LoginAddressPerMinute int `env:"RATE_LIMIT_LOGIN_ADDRESS_PER_MINUTE" envDefault:"30" example:"30" help:"Logins a minute from one address (IPv6: one /64), whatever the account and the outcome."`
	LoginAccountPerMinute int `env:"RATE_LIMIT_LOGIN_ACCOUNT_PER_MINUTE" envDefault:"20" example:"20" help:"Logins a minute for one account from all browsers together that have not signed in to it before."`

	ExchangeFailures int `env:"RATE_LIMIT_EXCHANGE_FAILURES_PER_MINUTE" envDefault:"60" example:"60" help:"Wrong service tokens that one address may show in a minute."`

	MaxRequests    int `env:"MAX_REQUESTS_IN_FLIGHT" envDefault:"32" example:"32" help:"How many requests this process works on at once; beyond, the answer is 503 with Retry-After. 8 to 100000."`
	MaxConnections int `env:"MAX_CONNECTIONS" default:"2048, in a small container fewer" example:"2048" help:"How many connections each listener holds open; for one more, the one that has been of no use for longest is closed. More than MAX_REQUESTS_IN_FLIGHT, to 100000."`

	LogLevel       string `env:"LOG_LEVEL" envDefault:"info" example:"info" help:"debug, info, warn or error, in either case; Python's WARNING and CRITICAL are understood."`
	LogFormat      string `env:"LOG_FORMAT" default:"json, in development text" example:"json" help:"json or text."`
	MetricsEnabled bool   `env:"METRICS_ENABLED" envDefault:"true" example:"true" help:"Whether /metrics is served."`
	APIDocsEnabled bool   `env:"API_DOCS_ENABLED" envDefault:"true" example:"true" help:"Whether the API description and its pages (/docs and the like) are served."`
	MetricsAddr    string `env:"METRICS_ADDR" envDefault:"127.0.0.1:9090" example:"127.0.0.1:9090" help:"host:port of the metrics listener."`

	TraceEndpoint string  `env:"OTEL_EXPORTER_OTLP_ENDPOINT" example:"http://127.0.0.1:4318" help:"Where traces go: the base URL of an OpenTelemetry collector that takes OTLP over HTTP. Empty: nothing is traced."`
	TraceShare    float64 `env:"OTEL_TRACES_SAMPLER_ARG" envDefault:"1" example:"0.1" help:"The share of traces that are recorded, 0 to 1."`

	ShutdownDelay   *time.Duration `env:"SHUTDOWN_DELAY" default:"5s, in development 0s" example:"5s" help:"How long readiness answers 503 before the listeners close, so that load balancers notice."`
	ShutdownTimeout *time.Duration `env:"SHUTDOWN_TIMEOUT" default:"10s, in development 4s" example:"10s" help:"How long requests in flight then have to finish."`

	HSTSMaxAge            *int   `env:"SECURITY_HSTS_MAX_AGE" default:"31536000, in development no header" example:"31536000" help:"max-age of Strict-Transport-Security in seconds. 0 tells browsers to forget the policy."`
	HSTSIncludeSubdomains bool   `env:"SECURITY_HSTS_INCLUDE_SUBDOMAINS" envDefault:"true" example:"true" help:"Whether Strict-Transport-Security covers subdomains. Set false when this host has subdomains that still speak plain HTTP."`
	FrameOptions          string `env:"SECURITY_FRAME_OPTIONS" envDefault:"DENY" example:"DENY" help:"X-Frame-Options: DENY or SAMEORIGIN."`
	CSP                   string `env:"SECURITY_CSP" envDefault:"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" example:"default-src 'none'; frame-ancestors 'none'" help:"Content-Security-Policy of JSON answers."`
	ReferrerPolicy        string `env:"SECURITY_REFERRER_POLICY" envDefault:"no-referrer" example:"no-referrer" help:"Referrer-Policy, one of its defined words."`
}

// rawDAO is read when the DAO half runs.
type rawDAO struct {
	Addr               string         `env:"DAO_ADDR" envDefault:":8787" example:":8787" help:"host:port of the DAO half."`
	DatabaseURL        privacy.Secret `env:"DAO_DATABASE_URL,notEmpty" example:"postgres://handoff_dao:PASSWORD@127.0.0.1:5432/handoff_dao" help:"Postgres of the DAO half; never the FOS half's database."`
	MigrateDatabaseURL privacy.Secret `env:"DAO_MIGRATE_DATABASE_URL" default:"DAO_DATABASE_URL" example:"postgres://handoff_dao_owner:PASSWORD@127.0.0.1:5432/handoff_dao" help:"The same database under the role that runs migrations."`
	RedisURL           privacy.Secret `env:"DAO_REDIS_URL" default:"REDIS_URL" example:"redis://:PASSWORD@127.0.0.1:6379/1" help:"Redis of the DAO half, in the forms of REDIS_URL."`
	CORSOrigins        string         `env:"DAO_CORS_ORIGINS" example:"https://helloworlddao.com,http://localhost:5173" help:"List of front-end origins that may call the DAO half with cookies."`
	CookieDomain       string         `env:"COOKIE_DOMAIN" example:"helloworlddao.com" help:"Domain attribute of the DAO cookies. Empty keeps them on this host alone, which is safer."`
	Targets            string         `env:"HANDOFF_TARGETS,notEmpty" example:"founderyos.dev=https://founderyos.dev/cross-domain" help:"List of domain=landing URL. The first is the default target."`
	EntryProducts      string         `env:"HANDOFF_ENTRY_PRODUCTS" envDefault:"dao,fos,lighthouse,think-tank" example:"dao,fos,lighthouse,think-tank" help:"List of the products a hand-off may start from."`
	SealingKeys        privacy.Secret `env:"HANDOFF_SEALING_KEYS,notEmpty" example:"the output of openssl rand -hex 32" help:"List of keys that seal what Redis carries; the first seals, all open. Hexadecimal or base64, at least 32 bytes each."`
	TokenTargets       string         `env:"CROSS_DOMAIN_SERVICE_TOKEN_TARGETS" default:"every domain of HANDOFF_TARGETS" example:"founderyos.dev" help:"List of the target domains that the service token may exchange for."`
	MintPerMinute      int            `env:"RATE_LIMIT_MINT_PER_MINUTE" envDefault:"30" example:"30" help:"Hand-offs that one session may start in a minute."`
	FounderyOSURL      string         `env:"FOUNDERYOS_API_URL" default:"the FOS half of this process; without one nobody is told" example:"https://api.example.org/fos" help:"The FOS half, which is told which hand-offs have ended, so that signing out here ends what came of them there."`
}

// rawFOS is read when the FOS half runs.
type rawFOS struct {
	Addr               string         `env:"FOS_ADDR" envDefault:":8000" example:":8000" help:"host:port of the FOS half."`
	DatabaseURL        privacy.Secret `env:"DATABASE_URL,notEmpty" example:"postgres://handoff_fos:PASSWORD@127.0.0.1:5432/handoff_fos" help:"Postgres of the FOS half."`
	DatabaseUser       string         `env:"DATABASE_USER" default:"the user in DATABASE_URL" example:"handoff_fos" help:"Overrides the user in DATABASE_URL."`
	DatabasePassword   privacy.Secret `env:"DATABASE_PASSWORD" default:"the password in DATABASE_URL" example:"a generated password" help:"Overrides the password in DATABASE_URL."`
	MigrateDatabaseURL privacy.Secret `env:"MIGRATE_DATABASE_URL" default:"DATABASE_URL with its overrides" example:"postgres://handoff_fos_owner:PASSWORD@127.0.0.1:5432/handoff_fos" help:"The same database under the role that runs migrations. DATABASE_USER and DATABASE_PASSWORD do not apply to it."`
	CORSOrigins        string         `env:"CORS_ORIGINS" example:"https://founderyos.dev,http://localhost:5174" help:"List of front-end origins that may call the FOS half with cookies; FRONTEND_URL's origin is added."`
	FrontendURL        string         `env:"FRONTEND_URL" example:"https://founderyos.dev" help:"The FOS front end."`
	ExpectedTarget     string         `env:"CROSS_DOMAIN_EXPECTED_TARGET,notEmpty" example:"founderyos.dev" help:"The only target domain whose tokens are taken; one of HANDOFF_TARGETS of the DAO half."`
	OracleBridgeURL    string         `env:"ORACLE_BRIDGE_URL" default:"none: exchange in process, with the DAO half" example:"https://dao.example.org" help:"The DAO half to exchange at, over HTTP. Required when the DAO half does not run in this process."`
	PublicPrefix       string         `env:"FOS_PUBLIC_PREFIX" example:"/fos" help:"The path prefix that a gateway strips before the FOS half; it becomes part of cookie paths."`
	DAOStartURLs       string         `env:"DAO_START_URLS" example:"think-tank=https://think-tank.example.org/open-founderyos" help:"List of entry product=URL: the DAO front end's page to which a journey that begins at the FOS half is sent. Without, none can begin here."`
	PeerVerifiesEmail  bool           `env:"HANDOFF_PEER_VERIFIES_EMAIL" envDefault:"false" example:"false" help:"Whether addresses count as verified when the peer's answer does not say so. Only for a peer that is known to verify them."`
	ElevatedRoles      string         `env:"HANDOFF_ELEVATED_ROLES" envDefault:"step-up" example:"step-up" help:"What a founder's or admin's hand-off session may do: step-up (acts as member until proven here) or allow."`
	Unbound            string         `env:"HANDOFF_UNBOUND" envDefault:"allow" example:"confirm" help:"What becomes of an arrival whose journey did not begin in the same browser at the FOS half: allow, confirm (the person is asked first) or refuse."`
	JWTKey             privacy.Secret `env:"JWT_SECRET_KEY,notEmpty" example:"the output of openssl rand -hex 32" help:"The key that signs sessions, used as the text itself, at least 32 bytes. Without commas, so that it can be rotated."`
	JWTPrevious        privacy.Secret `env:"JWT_SECRET_KEY_PREVIOUS" example:"the key before the rotation" help:"List of keys that only verify."`
	JWTAlgorithm       string         `env:"JWT_ALGORITHM" envDefault:"HS256" example:"HS256" help:"Only HS256."`
	JWTIssuer          string         `env:"JWT_ISSUER" envDefault:"founderyos" example:"founderyos" help:"The iss claim."`
	JWTAudience        string         `env:"JWT_AUDIENCE" envDefault:"founderyos-api" example:"founderyos-api" help:"The aud claim of access tokens. Set empty, the claim is left out for verifiers that pass no audience."`
	AccessMinutes      int            `env:"ACCESS_TOKEN_EXPIRE_MINUTES" envDefault:"30" example:"30" help:"Life of an access token in minutes."`
	RefreshDays        int            `env:"REFRESH_TOKEN_EXPIRE_DAYS" envDefault:"7" example:"7" help:"Absolute life of a session in days."`
	AuthzAddr          string         `env:"AUTHZ_ADDR" default:"none: it is off" example:"127.0.0.1:8001" help:"host:port of the listener that a gateway asks whether a request may pass (Traefik's ForwardAuth); only those of TRUSTED_PROXIES may ask. Never route it from outside."`
	ServiceDigests     string         `env:"SERVICE_TOKEN_DIGESTS" example:"billing=6f1b0a3c9e5d7248b1c0f3a6d9e2857413fcb05a8e9d7c6240b3a1f5e8d7c692" help:"List of service=SHA-256 of the bearer that the service shows at /authz/service. Twice under one name while a bearer is rotated, the new one last. The bearers are random, at least 32 characters: printf %s TOKEN | sha256sum."`
	ArrivalPerMinute   int            `env:"RATE_LIMIT_ARRIVAL_PER_MINUTE" envDefault:"30" example:"30" help:"Cross-domain logins a minute from one address (IPv6: one /64)."`
}
