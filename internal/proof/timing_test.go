//go:build proof

package proof_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/hello-world-co-op/handoff/internal/member"
	"github.com/hello-world-co-op/handoff/internal/privacy"
	"github.com/hello-world-co-op/handoff/internal/testkit"
)

const (
	// tries is how often each kind of login is tried.
	tries = 40
	// level is the p below which two kinds differ. Nine pairs are compared by two
	// clocks, so that a run of equal kinds fails once in 10,000 times.
	level = 1e-4 / 18
	// bcryptCost is less than in life, to be quick, which makes a difference smaller
	// and so harder to find.
	bcryptCost = 10
)

// guess is one kind of login that fails.
type guess struct {
	name, email, body string // body in place of a whole one
	status            int
}

// The attack: a stranger tries any password at many addresses and sorts them by the
// time of the answer. Here the stranger sits on the same machine, with 40 tries or more
// at each kind of account and a rank test, and does not tell the kinds apart (protocol:
// invalid_credentials in equal time; ASVS 5.0, 6.3.8). The controls show that the
// same stranger finds an answer that was given without a hash, and the processor's
// clock one with two passes more.
func TestProof_AFailedLoginTakesTheSameTimeAtTheFOSHalf(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	s.UserWithPassword(t, "argon2id@example.org")
	s.User(t, "passwordless@example.org")
	for email, hash := range map[string]string{"bcrypt@example.org": bcrypted(t), "costlier@example.org": costlier()} {
		testkit.Exec(t, s.FOS, `UPDATE users SET password_hash = $2 WHERE id = $1`, s.User(t, email).ID, hash)
	}
	compare(t, s.FOSURL+fosAuth+"login", slices.Concat(kinds, []guess{{name: "bcrypt account", email: "bcrypt@example.org"}}))
}

// The same at the DAO half, which takes no bcrypt.
func TestProof_AFailedLoginTakesTheSameTimeAtTheDAOHalf(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	for email, hash := range map[string]string{
		"argon2id@example.org": testkit.PasswordHash(), "passwordless@example.org": "", "costlier@example.org": costlier(),
	} {
		s.Member(t, email, func(a *member.Account) { a.PasswordHash = privacy.NewSecret(hash) })
	}
	compare(t, s.DAOURL+daoAuth+"login", kinds)
}

var (
	kinds = []guess{
		{name: "unknown account", email: "nobody@example.org"},
		{name: "wrong password", email: "argon2id@example.org"},
		{name: "passwordless account", email: "passwordless@example.org"},
	}
	costly   = guess{name: "a hash with two passes more", email: "costlier@example.org"}
	hashless = guess{name: "a body without a password", body: `{"email":"argon2id@example.org"}`, status: http.StatusBadRequest}
	// controls are what each clock has to see. The wall's is not asked for the small
	// one: what other programs take may be more.
	controls = map[string][]guess{"wall": {hashless}, "processor": {hashless, costly}}
)

func bcrypted(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(testkit.Password), bcryptCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

// costlier is a hash with other numbers: five passes in place of three.
func costlier() string {
	salt := "0123456789abcdef"
	digest := argon2.IDKey([]byte(testkit.Password), []byte(salt), 5, 64<<10, 4, 32)
	return fmt.Sprintf("$argon2id$v=19$m=65536,t=5,p=4$%s$%s", unpadded(salt), unpadded(string(digest)))
}

// clocks are what an attempt takes by each of two clocks. The wall's is what the
// stranger has. The processor's, which counts what this process computed, the service
// with it, sees finer where other programs have the machine too, and does not see
// Postgres.
type clocks struct{ wall, processor []time.Duration }

func (c clocks) by(clock string) []time.Duration {
	return map[string][]time.Duration{"wall": c.wall, "processor": c.processor}[clock]
}

func compare(t *testing.T, login string, alike []guess) {
	t.Helper()
	everything := slices.Concat(alike, []guess{costly, hashless})
	taken := map[string]clocks{}
	p := func(clock, one, other string) float64 {
		return testkit.SameDistribution(taken[one].by(clock), taken[other].by(clock))
	}
	enough := func() bool {
		return !slices.ContainsFunc(everything, func(g guess) bool { return len(taken[g.name].wall) < tries })
	}
	w := newWire(t)
	measure(t, w, login, everything) // for connections and caches
	for turns := 0; !enough(); turns++ {
		if turns == 2*tries {
			t.Fatal("most tries are answered with 503")
		}
		for name, took := range measure(t, w, login, everything) {
			all := taken[name]
			taken[name] = clocks{append(all.wall, took.wall...), append(all.processor, took.processor...)}
		}
	}
	for _, g := range everything {
		t.Logf("%-26s %3d tries, median %v by the wall, %v by the processor", g.name, len(taken[g.name].wall),
			median(taken[g.name].wall), median(taken[g.name].processor))
	}
	for _, clock := range []string{"wall", "processor"} {
		for i, one := range alike {
			for _, other := range alike[i+1:] {
				same := p(clock, one.name, other.name)
				t.Logf("%s: %s, %s: p = %.2g", clock, one.name, other.name, same)
				if same < level {
					t.Errorf("the %s clock tells %q from %q: p = %.2g", clock, one.name, other.name, same)
				}
			}
		}
		for _, g := range controls[clock] {
			same := p(clock, g.name, "wrong password")
			t.Logf("%s: %s, wrong password: p = %.2g", clock, g.name, same)
			if same >= level {
				t.Errorf("the %s clock does not tell %q from a wrong password: p = %.2g: this test sees nothing", clock, g.name, same)
			}
		}
		t.Logf("%s: a difference of %v would have been found", clock,
			smallestFound(taken["unknown account"].by(clock), taken["passwordless account"].by(clock)))
	}
}

// measure takes each kind once, in another random order each time, so that whatever
// else the machine does hits all alike. What was answered with 503 says nothing.
func measure(t *testing.T, w wire, login string, all []guess) map[string]clocks {
	t.Helper()
	taken := map[string]clocks{}
	for _, i := range rand.Perm(len(all)) {
		g := all[i]
		body, status := g.body, g.status
		if body == "" {
			body, status = credentials(t, g.email, "not "+testkit.Password), http.StatusUnauthorized
		}
		begun, computed := time.Now(), processorTime(t)
		answer := w.post(t, newJar(), login, body)
		took := clocks{[]time.Duration{time.Since(begun)}, []time.Duration{processorTime(t) - computed}}
		switch {
		case answer.Status == status:
			taken[g.name] = took
		case answer.Status == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != "":
			t.Logf("%s: %s after %v: the machine is busy", g.name, answer.Code(), took.wall[0].Round(time.Millisecond))
		default:
			t.Fatalf("%s: %d %s", g.name, answer.Status, answer.Raw)
		}
	}
	return taken
}

// processorTime is what this process has computed so far, on all processors.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func credentials(t testing.TB, email, password string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"email": email, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func median(durations []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[len(sorted)/2].Round(100 * time.Microsecond)
}

// smallestFound is how much longer the one would have to take than the other to be
// told apart. The two are alike.
func smallestFound(one, other []time.Duration) time.Duration {
	by := time.Duration(0)
	for longer := slices.Clone(other); testkit.SameDistribution(one, longer) >= level; by += time.Millisecond {
		for i := range longer {
			longer[i] += time.Millisecond
		}
	}
	return by
}

func unpadded(raw string) string { return base64.RawStdEncoding.EncodeToString([]byte(raw)) }
