package rollout_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
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
		for _, at := range []*balancer{d.fleet.dao, d.fleet.fos} {
			if shares := at.shares(); len(shares) != 2 || slices.Contains(shares, 0) {
				t.Errorf("requests by replica: %v; the replicas did not serve the same people", shares)
			}
		}
	})
	wantUnnoticed(t, l.tally, says)
}

// wantUnnoticed demands 0 failed exchanges and 0 sign-outs since it was last asked.
func wantUnnoticed(t testing.TB, counted *tally, says string) {
	t.Helper()
	was := counted.take()
	t.Logf("%s: %v; %d failed, %d signed out", says, was.done, was.failed.sum(), was.signedOut.sum())
	if was.troubles() > 0 {
		t.Errorf("%s: failed: %v; signed out: %v", says, was.failed, was.signedOut)
	}
	for _, what := range []string{"hand-off", "FOS refresh", "FOS me", "DAO refresh", "DAO session"} {
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
	f, _, fos := apart(t)
	early := f.people(t, crowd)
	l := f.begin(t, newTally(), early)
	rollOut(t, l, fos, "JWT key, 1: the new one verifies", environ{"JWT_SECRET_KEY_PREVIOUS": secondJWTKey})
	rollOut(t, l, fos, "JWT key, 2: the new one signs", environ{"JWT_SECRET_KEY": secondJWTKey, "JWT_SECRET_KEY_PREVIOUS": testkit.JWTKey})
	l.end()

	f.Clock.Advance(day)
	late := f.people(t, crowd)
	f.Clock.Advance(6*day + time.Hour)
	for _, who := range early {
		if answer := who.atFOS(who.fos, http.MethodPost, "refresh", nil); answer.Code() != "session_required" && answer.Code() != "session_revoked" {
			t.Errorf("a session of more than seven days: %d %s", answer.Status, answer.Raw)
		}
	}
	l = f.begin(t, l.tally, slices.Concat(awake(l.tally, late), f.people(t, crowd)))
	l.turns(t, mixed)
	wantUnnoticed(t, l.tally, "JWT key, seven days later")
	rollOut(t, l, fos, "JWT key, 3: the old one is gone", environ{"JWT_SECRET_KEY_PREVIOUS": ""})

	wantNoticed(t, l, fos, "JWT key, another at once", environ{"JWT_SECRET_KEY": thirdJWTKey, "JWT_SECRET_KEY_PREVIOUS": secondJWTKey})
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

// The accepting side first: the DAO half knows the new token before the FOS half
// sends it.
func TestRotation_ofTheServiceTokenLosesNoHandOff(t *testing.T) {
	t.Parallel()
	f, dao, fos := apart(t)
	l := f.begin(t, newTally(), f.people(t, crowd))
	rollOut(t, l, dao, "service token, 1: the new one is accepted", environ{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": secondToken})
	rollOut(t, l, fos, "service token, 2: the new one is sent", environ{"CROSS_DOMAIN_SERVICE_TOKEN": secondToken})
	f.wantAtRest(t, l, testkit.ServiceToken, secondToken)
	rollOut(t, l, dao, "service token, 3: the old one is gone", environ{
		"CROSS_DOMAIN_SERVICE_TOKEN": secondToken, "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": "",
	})

	wantNoticed(t, l, fos, "service token, another at once", environ{"CROSS_DOMAIN_SERVICE_TOKEN": thirdToken})
}

// Where both halves are one process, each rollout changes both.
func TestRotation_ofTheServiceTokenOfBothHalvesTogether(t *testing.T) {
	t.Parallel()
	f, both := together(t)
	l := f.begin(t, newTally(), f.people(t, crowd))
	rollOut(t, l, both, "one process, service token, 1: the new one is accepted", environ{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": secondToken})
	rollOut(t, l, both, "one process, service token, 2: the new one is sent", environ{
		"CROSS_DOMAIN_SERVICE_TOKEN": secondToken, "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": testkit.ServiceToken,
	})
	f.wantAtRest(t, l, testkit.ServiceToken, secondToken)
	rollOut(t, l, both, "one process, service token, 3: the old one is gone", environ{"CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": ""})

	wantNoticed(t, l, both, "one process, service token, another at once", environ{
		"CROSS_DOMAIN_SERVICE_TOKEN": thirdToken, "CROSS_DOMAIN_SERVICE_TOKEN_PREVIOUS": secondToken,
	})
}

// wantAtRest is what an operator looks for before the old token goes: people go on,
// the new one's time moves and the old one's stands still. They ask under the new
// one; to ask is a use as well.
func (f *fleet) wantAtRest(t testing.TB, l *load, old, fresh string) {
	t.Helper()
	b := f.Browser(t)
	look := func() (ofOld, ofFresh float64) {
		answer := b.Get(f.DAOURL+"/health/detailed", testkit.Header{Name: "Authorization", Value: "Bearer " + fresh})
		times, _ := answer.Body["service_token_last_used"].(map[string]any)
		ofOld, known := times[privacy.NewSecret(old).KeyID()].(float64)
		ofFresh, used := times[privacy.NewSecret(fresh).KeyID()].(float64)
		if !known || !used {
			t.Errorf("the tokens' last use: %d %s", answer.Status, answer.Raw)
		}
		return ofOld, ofFresh
	}
	oldThen, freshThen := look()
	l.turns(t, 2)
	if oldNow, freshNow := look(); oldNow != oldThen || freshNow < freshThen+2*float64(pace.Milliseconds()) {
		t.Errorf("the old token was last used at %.0f and then at %.0f, the new one at %.0f and then at %.0f",
			oldThen, oldNow, freshThen, freshNow)
	}
}

// later lets everybody finish their round, lets time pass, and lets the same people
// go on.
func (f *fleet) later(t testing.TB, before *load, passed time.Duration) *load {
	t.Helper()
	before.end()
	f.Clock.Advance(passed)
	return f.begin(t, before.tally, before.people)
}

const (
	secondSealingKey = "e8a91f3c5d7b206498cfa1e3b5d7f90826c4e0a2f1b3d5978e6a4c2f0b1d3e59"
	thirdSealingKey  = "40d7b2e9f16c385ad0b4e7f2936a1c8d5e0f4b7a29c6d3e8f1052b7c9a4d6e83"
)

// A token lives for a minute. CSRF values, which the same keys sign, live as long as
// their session; a page whose value is too old reads another.
func TestRotation_ofTheSealingKeyLosesNoHandOff(t *testing.T) {
	t.Parallel()
	f, dao, _ := apart(t)
	l := f.begin(t, newTally(), f.people(t, crowd))
	rollOut(t, l, dao, "sealing key, 1: the new one opens", environ{"HANDOFF_SEALING_KEYS": testkit.SealingKey + "," + secondSealingKey})
	rollOut(t, l, dao, "sealing key, 2: the new one seals", environ{"HANDOFF_SEALING_KEYS": secondSealingKey + "," + testkit.SealingKey})

	l = f.later(t, l, 2*time.Minute+time.Millisecond)
	rollOut(t, l, dao, "sealing key, 3: the old one is gone", environ{"HANDOFF_SEALING_KEYS": secondSealingKey})

	wantNoticed(t, l, dao, "sealing key, another at once", environ{"HANDOFF_SEALING_KEYS": thirdSealingKey + "," + secondSealingKey})
}
