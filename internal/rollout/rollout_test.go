package rollout_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/internal/user"
)

const (
	// crowd is how many people use the service at once, and mixed how many rounds they
	// do, at the least, whenever one replica was exchanged: while the two differ, and
	// when they are the same again.
	crowd = 4
	mixed = 2
)

type environ = map[string]string

// rollOut gives a deployment the changed environment while people go on, and demands
// that nobody noticed.
func rollOut(t testing.TB, l *load, d *deployment, says string, change environ) {
	t.Helper()
	d.roll(t, change, func() {
		l.turns(t, mixed)
		for _, at := range []*balancer{d.fleet.dao, d.fleet.fos, d.fleet.authz} {
			if shares := at.shares(); len(shares) != 2 || slices.Contains(shares, 0) {
				t.Errorf("requests by replica: %v; the replicas did not serve the same people", shares)
			}
		}
	})
	wantUnnoticed(t, l.tally, says)
	d.fleet.wantNews(t, l, says)
}

// wantNews demands that whatever has ended so far on one half is known to the other.
func (f *fleet) wantNews(t testing.TB, l *load, says string) {
	t.Helper()
	for half, pool := range map[string]*pgxpool.Pool{"DAO": f.DAO, "FOS": f.FOS} {
		var until time.Time
		if err := pool.QueryRow(t.Context(), `SELECT clock_timestamp()`).Scan(&until); err != nil {
			t.Fatal(err)
		}
		waiting := func() int {
			return testkit.Count(t, pool, `SELECT count(*) FROM handoff_endings WHERE queued_at < $1`, until)
		}
		if l.await(t, 20, func() bool { return waiting() == 0 }); waiting() > 0 {
			t.Errorf("%s: the %s half could not say what has ended: %d hand-offs", says, half, waiting())
		}
	}
}

// wantUnnoticed demands 0 failed exchanges and 0 sign-outs since it was last asked.
func wantUnnoticed(t testing.TB, counted *tally, says string) {
	t.Helper()
	was := counted.take()
	t.Logf("%s: %v; %d failed, %d signed out", says, was.done, was.failed.sum(), was.signedOut.sum())
	if was.troubles() > 0 {
		t.Errorf("%s: failed: %v; signed out: %v", says, was.failed, was.signedOut)
	}
	for _, what := range []string{"hand-off", "FOS refresh", "FOS me", "DAO refresh", "DAO session", "end of a hand-off", "gateway's question"} {
		if was.done[what] == 0 {
			t.Errorf("%s: nobody did a %s, which proves nothing", says, what)
		}
	}
}

// wantNoticed leaves a step out and demands that it is noticed: the harness can fail.
func wantNoticed(t testing.TB, l *load, d *deployment, says string, change environ) {
	t.Helper()
	d.roll(t, change, func() { l.await(t, 50, l.inTrouble) })
	was := l.take()
	t.Logf("%s: %v; failed: %v; signed out: %v", says, was.done, was.failed, was.signedOut)
	if was.troubles() == 0 {
		t.Errorf("%s: nobody noticed", says)
	}
}

const (
	secondJWTKey = "another-signing-key-for-tests-e41c07f2b95d836a-of-some-length"
	thirdJWTKey  = "a-third-signing-key-for-tests-05b8d3f6127ac94e-of-some-length"
	day          = 24 * time.Hour
)

// I11: a session lasts seven days at most, whoever refreshes it. So seven days after
// the last replica stopped signing with the old key nothing of it is alive.
func TestRotation_ofTheJWTKeySignsNobodyOut(t *testing.T) {
	t.Parallel()
	r := begun(apart(t))(t)
	r.follow(t, "JWT_SECRET_KEY", testkit.JWTKey, secondJWTKey)

	wantNoticed(t, r.load, r.fos, "JWT key, another at once", environ{"JWT_SECRET_KEY": thirdJWTKey, "JWT_SECRET_KEY_PREVIOUS": secondJWTKey})
}

// waitSevenDays demands that who was there before is signed out by then, and that who
// came a day later is not.
func (r *rotation) waitSevenDays(t testing.TB) {
	t.Helper()
	early := r.load.people
	r.load.end()
	r.Clock.Advance(day)
	late := r.people(t, crowd)
	r.Clock.Advance(6 * day)
	for _, who := range early {
		if answer := who.atFOS(who.fos, http.MethodPost, "refresh", nil); answer.Code() != "session_required" && answer.Code() != "session_revoked" {
			t.Errorf("a session of more than seven days: %d %s", answer.Status, answer.Raw)
		}
	}
	r.load = r.begin(t, r.load.tally, slices.Concat(awake(r.load.tally, late), r.people(t, crowd)))
	r.load.turns(t, mixed)
	wantUnnoticed(t, r.load.tally, "seven days later")
}

// awake are people whose laptops slept: their pages refresh before anything else.
// Afterwards as much time has passed as between two rounds.
func awake(counted *tally, people []*person) []*person {
	for _, who := range people {
		inTwoTabs(func() { who.refreshFOS(counted) })
		who.refreshDAOInTabs(counted)
	}
	people[0].fleet.Clock.Advance(pace)
	return people
}

const (
	secondToken = "b7d20c5f81e6493aa4f1b0d95c7e2386f01d9a4be35c7628d04f91ab73e5c26d"
	thirdToken  = "91c4e0a7d35f4b28867be1f2c05da9346f7e80b21d43c95ae6f0718b2d9c4a53"
)

// Each half sends it to the other: one to exchange, the other to say who has left.
func TestRotation_ofTheServiceTokenLosesNoHandOff(t *testing.T) {
	t.Parallel()
	r := begun(apart(t))(t)
	r.follow(t, "CROSS_DOMAIN_SERVICE_TOKEN", testkit.ServiceToken, secondToken)

	wantNoticed(t, r.load, r.fos, "service token, another at once", environ{"CROSS_DOMAIN_SERVICE_TOKEN": thirdToken})
}

// Where both halves are one process, each rollout changes both.
func TestRotation_ofTheServiceTokenOfBothHalvesTogether(t *testing.T) {
	t.Parallel()
	f, both := together(t)
	r := begun(f, both, both)(t)
	r.follow(t, "CROSS_DOMAIN_SERVICE_TOKEN", testkit.ServiceToken, secondToken)

	wantNoticed(t, r.load, both, "one process, service token, another at once", environ{
		"CROSS_DOMAIN_SERVICE_TOKEN": thirdToken, "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": secondToken,
	})
}

const (
	firstBearer  = "a-service-behind-the-gateway-3c7f1e9a5d2b8046"
	secondBearer = "a-service-behind-the-gateway-9e4b0d6c2f8a1735"
	thirdBearer  = "a-service-behind-the-gateway-51d7a3f9c0e6b284"
)

// A service behind the gateway is known throughout, by whichever of its two bearers.
func TestRotation_ofAServicesBearerStopsNoService(t *testing.T) {
	t.Parallel()
	f, daoEnviron, fosEnviron := newFleet(t)
	first := stepsOf(t, "SERVICE_TOKEN_DIGESTS")[0].with(firstBearer, firstBearer)["SERVICE_TOKEN_DIGESTS"]
	fosEnviron["SERVICE_TOKEN_DIGESTS"], _, _ = strings.Cut(first, ",") // as it was: the old one alone
	held := firstBearer
	f.bearer.Store(&held)
	r := begun(f, f.deploy(t, daoEnviron), f.deploy(t, fosEnviron))(t)
	r.follow(t, "SERVICE_TOKEN_DIGESTS", firstBearer, secondBearer)

	wantNoticed(t, r.load, r.fos, "a service's bearer, another at once",
		environ{"SERVICE_TOKEN_DIGESTS": strings.Replace(fosEnviron["SERVICE_TOKEN_DIGESTS"], keyOf(firstBearer), keyOf(thirdBearer), 1)})
}

// keyOf is the beginning of a bearer's digest, by which operators know it.
func keyOf(bearer string) string { return privacy.NewSecret(bearer).KeyID() }

// begun lets people begin at a fleet of two deployments.
func begun(f *fleet, dao, fos *deployment) func(t testing.TB) *rotation {
	return func(t testing.TB) *rotation {
		t.Helper()
		return &rotation{fleet: f, dao: dao, fos: fos, load: f.begin(t, newTally(), f.people(t, crowd))}
	}
}

// wantAtRest is what an operator looks for before the old token goes: people go on,
// the new one's time moves and the old one's stands still, on each half that has it. At the DAO half they ask under the
// new one; to ask is a use as well.
func (f *fleet) wantAtRest(t testing.TB, l *load, old, fresh string) {
	t.Helper()
	before := f.lastUses(t, fresh)
	l.turns(t, 3)
	for half, now := range f.lastUses(t, fresh) {
		was := before[half]
		if now[keyOf(old)] != was[keyOf(old)] || now[keyOf(fresh)] <= was[keyOf(fresh)] {
			t.Errorf("%s: the old token was last used at %.0f and then at %.0f, the new one at %.0f and then at %.0f",
				half, was[keyOf(old)], now[keyOf(old)], was[keyOf(fresh)], now[keyOf(fresh)])
		}
	}
}

// lastUses are the times of all tokens by half and key id, where the half knows the token.
func (f *fleet) lastUses(t testing.TB, fresh string) map[string]map[string]float64 {
	t.Helper()
	founder := f.SignInAtFOS(t, f.User(t, uuid.NewString()+"@example.org", func(u *user.User) { u.Role = user.Founder }))
	all := map[string]map[string]float64{}
	for half, answer := range map[string]testkit.Answer{
		"dao": f.Browser(t).Get(f.DAOURL+"/health/detailed", testkit.Header{Name: "Authorization", Value: "Bearer " + fresh}),
		"fos": founder.Get(f.FOSURL + "/health/detailed"),
	} {
		times, _ := answer.Body["service_token_last_used"].(map[string]any)
		if _, knows := times[keyOf(fresh)]; !knows {
			continue
		}
		all[half] = map[string]float64{}
		for keyID, at := range times {
			all[half][keyID], _ = at.(float64)
		}
	}
	if len(all) == 0 {
		t.Error("no half has seen the new token")
	}
	return all
}

const (
	secondSealingKey = "e8a91f3c5d7b206498cfa1e3b5d7f90826c4e0a2f1b3d5978e6a4c2f0b1d3e59"
	thirdSealingKey  = "40d7b2e9f16c385ad0b4e7f2936a1c8d5e0f4b7a29c6d3e8f1052b7c9a4d6e83"
)

// A token lives for a minute. CSRF values, which the same keys sign, live as long as
// their session; a page whose value is too old reads another.
func TestRotation_ofTheSealingKeyLosesNoHandOff(t *testing.T) {
	t.Parallel()
	r := begun(apart(t))(t)
	r.follow(t, "HANDOFF_SEALING_KEYS", testkit.SealingKey, secondSealingKey)

	wantNoticed(t, r.load, r.dao, "sealing key, another at once", environ{"HANDOFF_SEALING_KEYS": thirdSealingKey + "," + secondSealingKey})
}

// Who is in a hurry waits for two minutes, as the document says: the pages read other
// CSRF values.
func TestRotation_ofTheSealingKeyInAHurryLosesNoHandOff(t *testing.T) {
	t.Parallel()
	r := begun(apart(t))(t)
	for _, s := range stepsOf(t, "HANDOFF_SEALING_KEYS") {
		if s.line != sevenDays {
			rollOut(t, r.load, r.dao, s.line, s.with(testkit.SealingKey, secondSealingKey))
			continue
		}
		r.load.end()
		r.Clock.Advance(2 * time.Minute)
		r.load = r.begin(t, r.load.tally, r.load.people)
	}
}
