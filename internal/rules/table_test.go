package rules_test

// rooms says which of our packages each package may import in what is shipped.
// Every package has a room. Words that end in "/..." stand for all below.
var rooms = map[string][]string{
	// What has no need of us.
	"internal/privacy":     {},
	"internal/outage":      {},
	"internal/behind":      {},
	"internal/batch":       {},
	"internal/groupcommit": {"internal/batch", "internal/outage"},
	"internal/health":      {},
	"internal/metrics":     {},
	"internal/tracing":     {},
	"internal/devstack":    {},
	"internal/rules":       {},
	"internal/drift":       {},
	"internal/rollout":     {},
	"internal/proof":       {},
	"migrations":           {},
	"deploy":               {},
	"password":             {},
	"password/interop":     {},
	"client":               {},

	// Domains: one concept each, its storage adapter included, none knows another.
	"internal/token":   {"internal/privacy", "internal/outage"},
	"internal/member":  {"internal/privacy", "internal/outage", "password"},
	"internal/user":    {"internal/privacy", "internal/outage", "password"},
	"internal/session": {"internal/privacy", "internal/outage"},
	"internal/audit":   {"internal/groupcommit", "internal/privacy", "internal/outage"},

	// Who may try how often: no domain, since it knows neither accounts nor tokens.
	"internal/ratelimit": {"internal/outage", "internal/privacy"},

	// How one half speaks to the other: it knows no message by its meaning.
	"internal/peer": {"internal/privacy"},

	// Use cases: the order of steps across domains.
	"internal/handoff": {"internal/behind", "internal/groupcommit", "internal/peer", "internal/ratelimit", "internal/token", "internal/member", "internal/user", "internal/session", "internal/audit", "internal/privacy", "internal/outage"},
	"internal/signin":  {"internal/behind", "internal/groupcommit", "internal/member", "internal/user", "internal/session", "internal/audit", "internal/privacy", "internal/outage"},

	"internal/leaving": {"internal/peer", "internal/member", "internal/session", "internal/audit", "internal/privacy", "internal/outage"},

	// The edge: requests in, answers out, no store.
	"internal/httpapi": {
		"internal/token", "internal/member", "internal/user", "internal/session", "internal/audit", "internal/handoff", "internal/signin", "internal/leaving", // for the problem table
		"internal/health", "internal/metrics", "internal/outage", "internal/privacy", "internal/ratelimit", "internal/tracing", "password",
	},
	"internal/httpapi/daoapi": {"internal/httpapi", "internal/handoff", "internal/signin", "internal/leaving", "internal/token", "internal/member", "internal/privacy", "internal/ratelimit"},
	"internal/httpapi/fosapi": {"internal/httpapi", "internal/handoff", "internal/signin", "internal/leaving", "internal/token", "internal/user", "internal/session", "internal/privacy", "internal/ratelimit"},
	"internal/httpapi/pages":  {},
	"internal/httpapi/apidoc": {},

	"internal/httpapi/apidoc/generate": {"internal/httpapi"},

	// Around it.
	"internal/config":         {"internal/privacy"},
	"internal/config/example": {"internal/config"},
	"internal/datastore":      {"internal/batch", "internal/outage", "internal/privacy", "migrations"},
	"internal/seed":           {"internal/user", "internal/member", "internal/audit", "internal/outage", "internal/privacy"},
	"internal/selftest":       {"internal/privacy"},

	// Who brings all together.
	"internal/app": {
		"internal/config", "internal/datastore", "internal/groupcommit", "internal/handoff", "internal/health", "internal/httpapi", "internal/httpapi/...", "internal/leaving",
		"internal/audit", "internal/member", "internal/metrics", "internal/peer", "internal/privacy", "internal/ratelimit", "internal/session", "internal/signin", "internal/token", "internal/tracing", "internal/user", "password",
	},
	"cmd/server":       {"internal/app", "internal/config", "internal/datastore", "internal/drift", "internal/privacy", "internal/selftest"},
	"cmd/seed":         {"internal/config", "internal/datastore", "internal/member", "internal/privacy", "internal/seed", "password"},
	"cmd/demo":         {"internal/app", "internal/config", "internal/datastore", "internal/devstack", "internal/member", "internal/privacy", "internal/seed", "internal/selftest", "internal/user", "password"},
	"internal/testkit": {"internal/...", "password"},

	// What measures: both programs under measure, and who drives them.
	"internal/bench": {
		"internal/app", "internal/config", "internal/datastore", "internal/devstack", "internal/handoff", "internal/member",
		"internal/privacy", "internal/session", "internal/token", "password",
	},
	"cmd/bench": {"internal/bench", "internal/devstack"},

	// What tests of faults share.
	"internal/faulttest":          {"internal/datastore", "internal/devstack", "internal/member", "internal/privacy", "internal/testkit", "internal/token", "migrations"},
	"internal/faulttest/crash":    {},
	"internal/faulttest/crowd":    {},
	"internal/faulttest/exact":    {},
	"internal/faulttest/failover": {},
	"internal/mutants":            {},
}

// domains know nobody of their own kind, whatever rooms says.
var domains = []string{"internal/token", "internal/member", "internal/user", "internal/session", "internal/audit"}

// The two halves share the protocol and nothing else (invariant I14), so that
// each can be run, and replaced, alone. They meet in meetings only.
var (
	daoHalf  = []string{"internal/token", "internal/member"}
	fosHalf  = []string{"internal/user", "internal/session"}
	meetings = []string{
		"internal/handoff", "internal/signin", "internal/leaving", "internal/app", "internal/seed", "internal/testkit", "internal/bench", "cmd/...",
		"internal/httpapi",        // problem.go alone, see meetingFile
		"internal/httpapi/fosapi", // parses the token that arrives
	}
	// meetingFile is the one file of the edge that knows the errors of both.
	meetingFile = "internal/httpapi/problem.go"
)

// openTo limits who may import the packages that are no building blocks.
var openTo = map[string][]string{
	"cmd/...":              {},
	"internal/httpapi":     {"internal/app", "internal/httpapi/...", "cmd/...", "internal/testkit"},
	"internal/httpapi/...": {"internal/app", "cmd/...", "internal/testkit"},
	"internal/app":         {"cmd/...", "internal/testkit", "internal/bench"},
	"internal/devstack":    {"cmd/demo", "cmd/bench", "internal/testkit", "internal/faulttest", "internal/bench"}, // never in what is shipped
	"internal/testkit":     {"internal/faulttest"},                                                                // tests only
	"internal/faulttest":   {},                                                                                    // tests only
	"internal/bench":       {"cmd/bench"},                                                                         // never in what is shipped
}

// places names the files that may import a library in what is shipped: one
// library, one place. A pattern is path.Match's. Tests import what they need.
var places = []struct {
	library string // with everything below it
	files   []string
	why     string
}{
	{"github.com/jackc/pgx", []string{"internal/*/postgres.go", "internal/*/dao_postgres.go", "internal/*/fos_postgres.go", "internal/datastore/migrate.go", "internal/testkit/*", "internal/faulttest/*", "internal/bench/*"}, "SQL is the adapter's"},
	{"github.com/redis/go-redis", []string{"internal/*/redis.go", "internal/testkit/*", "internal/faulttest/*", "internal/bench/*"}, "Redis is the adapter's"},
	{"github.com/go-redis/redis_rate", []string{"internal/ratelimit/redis.go"}, "its keys are put under the half's prefix there"},
	{"github.com/pressly/goose", []string{"internal/datastore/migrate.go"}, ""},
	{"database/sql", []string{"internal/datastore/migrate.go"}, "pgx by itself is enough for the rest"},
	{"html/template", nil, "it calls methods by name, and the linker then keeps every method of every type: ten megabytes"},
	{"text/template", nil, "as html/template"},
	{"github.com/alicebob/miniredis", []string{"internal/devstack/embedded.go"}, "an imitation is no test of behaviour, and no part of the service"},
	{"github.com/labstack/echo", []string{"internal/httpapi/*", "internal/httpapi/*api/*", "internal/app/*", "internal/bench/floor*.go"}, "no domain and no use case sees an HTTP type"},
	{"net/http", []string{"internal/httpapi/*", "internal/httpapi/*/*", "internal/app/*", "client/*", "internal/metrics/*", "internal/tracing/*", "internal/selftest/*", "internal/peer/*", "internal/handoff/peer*.go", "internal/leaving/peer.go", "cmd/server/healthcheck.go", "internal/testkit/*", "internal/faulttest/*", "internal/bench/floor*.go"}, "no domain and no use case sees an HTTP type"},
	{"github.com/golang-jwt/jwt", []string{"internal/session/*", "internal/bench/floor*.go"}, "its defaults are dangerous, and session pins them"},
	{"golang.org/x/crypto/argon2", []string{"password/*"}, "hash with package password"},
	{"golang.org/x/crypto/bcrypt", []string{"password/*"}, "hash with package password"},
	{"github.com/caarlos0/env", []string{"internal/config/*"}, "the environment is config's"},
	{"github.com/prometheus/client_golang", []string{"internal/metrics/*", "internal/faulttest/*"}, "labels are bounded there"},
	{"go.opentelemetry.io", []string{"internal/tracing/*"}, "what a span may hold is decided there"},
	{"os", []string{"cmd/*/*", "internal/config/secretfile.go", "internal/config/example/*", "internal/httpapi/apidoc/generate/*", "internal/app/*", "internal/devstack/*", "internal/testkit/*", "internal/faulttest/*", "internal/bench/*"}, "environment and files come in as values"},
	{"crypto/rand", []string{"internal/app/*", "client/*", "password/*", "cmd/demo/*", "internal/devstack/*", "internal/testkit/*", "internal/faulttest/*", "internal/bench/*"}, "randomness is a constructor's argument"},
	{"testing", []string{"internal/testkit/*", "internal/faulttest/*"}, "test helpers do not belong in the binary"},
	{"github.com/google/go-cmp", nil, "test helpers do not belong in the binary"},
	{"go.uber.org/goleak", nil, "test helpers do not belong in the binary"},
	{"pgregory.net/rapid", nil, "test helpers do not belong in the binary"},
	{"github.com/Shopify/toxiproxy", []string{"internal/faulttest/*"}, "test helpers do not belong in the binary"},
	{"github.com/anishathalye/porcupine", []string{"internal/faulttest/*"}, "test helpers do not belong in the binary"},
}

// clockless packages get the time as a value, one for each operation.
var clockless = []string{
	"internal/token", "internal/member", "internal/user", "internal/session", "internal/audit",
	"internal/handoff", "internal/signin", "internal/leaving", "internal/privacy", "password",
}

// clocks are the functions of package time that read one.
var clocks = []string{"Now", "Since", "Until", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "Sleep"}

// emptyNames say nothing about what is inside; everything ends up there.
var emptyNames = []string{"util", "utils", "common", "model", "models", "helper", "helpers", "misc", "shared", "lib", "types", "base"}

// maxLines is what can be read in one sitting.
const maxLines = 400
