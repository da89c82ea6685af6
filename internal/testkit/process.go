package testkit

import (
	"context"
	"encoding/hex"
	"maps"
	"net"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Process runs one more process on the same stores, clock and log, with env added
// to its environment, and returns a Service whose URLs are those of the new one.
func (s *Service) Process(t testing.TB, env map[string]string) *Service {
	t.Helper()
	other := *s
	other.Environ = maps.Clone(s.Environ)
	maps.Copy(other.Environ, env)
	other.Started, other.DAOURL, other.FOSURL, other.AuthzURL = nil, "", "", ""
	other.run(t, nil)
	return &other
}

// Links are the ways of one process to its stores.
type Links struct{ DAOPostgres, FOSPostgres, RedisLink *Link }

// Links makes a link to every store and returns them with the environment of a
// process that uses them.
func (s *Service) Links(t testing.TB) (Links, map[string]string) {
	t.Helper()
	var l Links
	env := map[string]string{}
	for name, link := range map[string]**Link{
		"DAO_DATABASE_URL": &l.DAOPostgres, "DATABASE_URL": &l.FOSPostgres, "REDIS_URL": &l.RedisLink,
	} {
		*link, env[name] = linkTo(t, s.Environ[name])
	}
	return l, env
}

// Linked is a process whose stores can be taken away and given back.
type Linked struct {
	*Service
	Links
}

// Linked runs one more process on the same stores, reached through links, with env
// added to its environment.
func (s *Service) Linked(t testing.TB, env map[string]string) *Linked {
	t.Helper()
	links, all := s.Links(t)
	maps.Copy(all, env)
	return &Linked{s.Process(t, all), links}
}

// linkTo makes a link to the server of a URL, and returns it with the URL through it.
func linkTo(t testing.TB, serverURL string) (*Link, string) {
	t.Helper()
	parsed, err := url.Parse(serverURL)
	if err != nil || parsed.Hostname() == "" {
		t.Fatal("testkit: a link needs a URL with a host")
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"redis": "6379"}[parsed.Scheme]
	}
	if port == "" {
		port = "5432"
	}
	link := NewLink(t, net.JoinHostPort(parsed.Hostname(), port))
	parsed.Host = link.Addr()
	return link, parsed.String()
}

// StartApart runs the halves as two deployments that share the service token and
// nothing else (I14): neither has a variable of the other, and keys, databases and
// Redis are their own. Service.Redis is the DAO half's; Service.Environ is empty.
func StartApart(t testing.TB) *Service {
	t.Helper()
	clock, log := NewClock(), &Log{}
	common := map[string]string{
		"ENVIRONMENT": "development", "METRICS_ENABLED": "false", "LOG_FORMAT": "json", "CROSS_DOMAIN_SERVICE_TOKEN": ServiceToken,
		"MAX_REQUESTS_IN_FLIGHT": "1000",
	}
	with := func(extra map[string]string) map[string]string {
		all := maps.Clone(common)
		maps.Copy(all, extra)
		return all
	}
	daoDatabase, daoRedis := DatabaseURL(t, datastore.DAO), RedisURL(t)
	dao := &Service{Clock: clock, Log: log, Environ: with(map[string]string{
		"HANDOFF_HALVES": "dao", "DAO_ADDR": "127.0.0.1:0", "DAO_DATABASE_URL": daoDatabase.Reveal(), "DAO_REDIS_URL": daoRedis.Reveal(),
		"HANDOFF_SEALING_KEYS": SealingKey, "AUDIT_PSEUDONYM_KEYS": PseudonymKey,
		"HANDOFF_TARGETS": Target + "=https://" + Target + "/cross-domain",
	})}
	dao.run(t, nil)

	fosDatabase := DatabaseURL(t, datastore.FOS)
	fos := &Service{Clock: clock, Log: log, Environ: with(map[string]string{
		"HANDOFF_HALVES": "fos", "FOS_ADDR": "127.0.0.1:0", "DATABASE_URL": fosDatabase.Reveal(), "REDIS_URL": RedisURL(t).Reveal(),
		"JWT_SECRET_KEY": JWTKey, "AUDIT_PSEUDONYM_KEYS": OtherPseudonymKey,
		"CROSS_DOMAIN_EXPECTED_TARGET": Target, "ORACLE_BRIDGE_URL": dao.DAOURL,
	})}
	fos.run(t, nil)
	return &Service{
		DAOURL: dao.DAOURL, FOSURL: fos.FOSURL, Clock: clock, Log: log,
		DAO: Pool(t, daoDatabase), FOS: Pool(t, fosDatabase), Redis: redisClient(t, daoRedis),
		Started: append(dao.Started, fos.Started...),
	}
}

// OtherPseudonymKey is the FOS half's key where the halves run apart.
const OtherPseudonymKey = "1fd20b9e4c6a8375e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7"

// Exec runs SQL, as an operator or an accident would.
func Exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// Key is SealingKey or another of these keys as the service reads it.
func Key(t testing.TB, text string) privacy.Key {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	key, err := privacy.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
