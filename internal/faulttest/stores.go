package faulttest

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// Stores are where a service under test keeps what it keeps. DAO and FOS are the
// test's own way to the databases, which no fault is on.
type Stores struct {
	DAODatabaseURL, FOSDatabaseURL, RedisURL string
	DAO, FOS                                 *pgxpool.Pool
}

// NewStores makes new databases on the servers that all tests of the process share.
// They are not to be broken; a [Line] to them may be.
func NewStores(t testing.TB) *Stores {
	t.Helper()
	dao, fos := testkit.DatabaseURL(t, datastore.DAO), testkit.DatabaseURL(t, datastore.FOS)
	return &Stores{
		DAODatabaseURL: dao.Reveal(), FOSDatabaseURL: fos.Reveal(), RedisURL: testkit.RedisURL(t).Reveal(),
		DAO: testkit.Pool(t, dao), FOS: testkit.Pool(t, fos),
	}
}

// Environ is the environment of one process with both halves on the stores, which
// exchanges in process and limits nobody.
func (s *Stores) Environ() map[string]string {
	environ := map[string]string{
		"ENVIRONMENT": "development", "METRICS_ENABLED": "false", "LOG_FORMAT": "json", "LOG_LEVEL": "info",
		"DAO_ADDR": "127.0.0.1:0", "FOS_ADDR": "127.0.0.1:0", "SHUTDOWN_DELAY": "0s",
		"DAO_DATABASE_URL": s.DAODatabaseURL, "DATABASE_URL": s.FOSDatabaseURL, "REDIS_URL": s.RedisURL,
		"CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken, "JWT_SECRET_KEY": testkit.JWTKey,
		"HANDOFF_SEALING_KEYS": testkit.SealingKey, "AUDIT_PSEUDONYM_KEYS": testkit.PseudonymKey,
		"HANDOFF_TARGETS": testkit.Target + "=https://" + testkit.Target + "/cross-domain," +
			testkit.OtherTarget + "=https://" + testkit.OtherTarget + "/land",
		"CROSS_DOMAIN_EXPECTED_TARGET": testkit.Target, "FRONTEND_URL": "https://" + testkit.Target,
		"DAO_CORS_ORIGINS": "https://think-tank.test",
		// Callers say whence they come, so that no limit takes them for one.
		"TRUSTED_PROXIES": "127.0.0.0/8",
		// Callers come all at once, and that is no overload.
		"MAX_REQUESTS_IN_FLIGHT": "1000",
	}
	for _, limit := range []string{"LOGIN", "LOGIN_ADDRESS", "LOGIN_ACCOUNT", "MINT", "ARRIVAL", "EXCHANGE_FAILURES"} {
		environ["RATE_LIMIT_"+limit+"_PER_MINUTE"] = "100000"
	}
	return environ
}
