package rollout_test

import (
	"maps"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/hello-world-co-op/handoff/internal/datastore"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// fleet is the service as it is deployed: two replicas of everything, behind one
// address for each half.
type fleet struct {
	*testkit.Service // its URLs are the load balancers'
	dao, fos, authz  *balancer
	bearer           atomic.Pointer[string] // of a service behind the gateway, if there is one
}

// deployment is two replicas of one environment.
type deployment struct {
	fleet    *fleet
	environ  map[string]string
	replicas [2]*testkit.Running
}

// newFleet makes the stores and the load balancers.
func newFleet(t testing.TB) (f *fleet, daoEnviron, fosEnviron map[string]string) {
	t.Helper()
	f = &fleet{dao: newBalancer(t), fos: newBalancer(t), authz: newBalancer(t)}
	daoDatabase, fosDatabase := testkit.DatabaseURL(t, datastore.DAO), testkit.DatabaseURL(t, datastore.FOS)
	f.Service = &testkit.Service{
		DAOURL: f.dao.URL, FOSURL: f.fos.URL, Clock: testkit.NewClock(), Log: &testkit.Log{},
		DAO: testkit.Pool(t, daoDatabase), FOS: testkit.Pool(t, fosDatabase),
	}
	common := map[string]string{
		"ENVIRONMENT": "development", "METRICS_ENABLED": "false", "LOG_FORMAT": "json", "LOG_LEVEL": "warn",
		"MAX_REQUESTS_IN_FLIGHT":     "1000",
		"CROSS_DOMAIN_SERVICE_TOKEN": testkit.ServiceToken,
	}
	daoEnviron = with(common, map[string]string{
		"HANDOFF_HALVES": "dao", "DAO_ADDR": "127.0.0.1:0", "DAO_DATABASE_URL": daoDatabase.Reveal(), "DAO_REDIS_URL": testkit.RedisURL(t).Reveal(),
		"HANDOFF_SEALING_KEYS": testkit.SealingKey, "AUDIT_PSEUDONYM_KEYS": testkit.PseudonymKey,
		"HANDOFF_TARGETS": testkit.Target + "=https://" + testkit.Target + "/cross-domain", "RATE_LIMIT_MINT_PER_MINUTE": "100000", "FOUNDERYOS_API_URL": f.fos.URL,
	})
	fosEnviron = with(common, map[string]string{
		"HANDOFF_HALVES": "fos", "FOS_ADDR": "127.0.0.1:0", "DATABASE_URL": fosDatabase.Reveal(), "REDIS_URL": testkit.RedisURL(t).Reveal(),
		"JWT_SECRET_KEY": testkit.JWTKey, "AUDIT_PSEUDONYM_KEYS": testkit.OtherPseudonymKey,
		"CROSS_DOMAIN_EXPECTED_TARGET": testkit.Target, "ORACLE_BRIDGE_URL": f.dao.URL, "RATE_LIMIT_ARRIVAL_PER_MINUTE": "100000",
		"AUTHZ_ADDR": "127.0.0.1:0", "TRUSTED_PROXIES": "127.0.0.1",
	})
	return f, daoEnviron, fosEnviron
}

// apart deploys the halves by themselves. They share the service token and nothing
// else.
func apart(t testing.TB) (f *fleet, dao, fos *deployment) {
	t.Helper()
	f, daoEnviron, fosEnviron := newFleet(t)
	return f, f.deploy(t, daoEnviron), f.deploy(t, fosEnviron)
}

// together deploys both halves as one process, which exchange over HTTP all the
// same, through the load balancer.
func together(t testing.TB) (*fleet, *deployment) {
	t.Helper()
	f, daoEnviron, fosEnviron := newFleet(t)
	both := with(daoEnviron, fosEnviron)
	both["HANDOFF_HALVES"] = "dao,fos"
	return f, f.deploy(t, both)
}

func with(environ, change map[string]string) map[string]string {
	all := maps.Clone(environ)
	maps.Copy(all, change)
	return all
}

func (f *fleet) deploy(t testing.TB, environ map[string]string) *deployment {
	t.Helper()
	d := &deployment{fleet: f, environ: environ}
	for i := range d.replicas {
		d.start(t, i)
	}
	return d
}

// start runs the i-th replica and, once it is ready, lets people at it.
func (d *deployment) start(t testing.TB, i int) {
	t.Helper()
	started := d.fleet.Launch(t, d.environ)
	d.replicas[i] = started
	b := d.fleet.Browser(t)
	d.each(started, func(at *balancer, url string) {
		if ready := b.Get(url + "/health"); ready.Status != http.StatusOK {
			t.Fatalf("a replica is not ready: %d %s", ready.Status, ready.Raw)
		}
		at.put(t, url)
	})
}

// each calls do for every half that the replica runs, the FOS half first: what that
// one has begun needs the other.
func (d *deployment) each(of *testkit.Running, do func(at *balancer, url string)) {
	if of.FOSURL != "" {
		do(d.fleet.fos, of.FOSURL)
	}
	if of.AuthzURL != "" {
		do(d.fleet.authz, of.AuthzURL)
	}
	if of.DAOURL != "" {
		do(d.fleet.dao, of.DAOURL)
	}
}

// roll gives all replicas the changed environment, one at a time. meanwhile is
// called whenever one is back.
func (d *deployment) roll(t testing.TB, change map[string]string, meanwhile func()) {
	t.Helper()
	d.environ = with(d.environ, change)
	for i, old := range d.replicas {
		d.each(old, func(at *balancer, url string) { at.drain(url) })
		old.Leave(t)
		d.start(t, i)
		meanwhile()
	}
}
