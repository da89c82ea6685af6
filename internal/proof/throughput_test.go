//go:build proof

package proof_test

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/hello-world-co-op/handoff/internal/faulttest"
	"github.com/hello-world-co-op/handoff/internal/testkit"
	"github.com/hello-world-co-op/handoff/password"
)

const (
	laps   = 9
	perLap = 12
	roomy  = 1 << 30 // bytes
	// absurd is the share of the bare hash's throughput that no login may fall below,
	// however busy the machine is.
	absurd = 0.5
)

// What a login costs beside its hash. Logins at the FOS half, over HTTP, as many at
// once as the hasher computes, take turns with the bare argon2.IDKey of the same
// numbers, as many at once; the figure is the median of the ratios of their
// throughputs, and the aim is 0.9. Beside it stands what the server computes for a
// login and what a bare hash takes, which does not depend on who else has the machine.
func TestProof_ALoginCostsLittleMoreThanItsHash(t *testing.T) {
	s := testkit.Start(t, testkit.Options{})
	s.UserWithPassword(t, person)
	server := faulttest.Serve(t, s.Environ, map[string]string{"GOMEMLIMIT": strconv.Itoa(roomy)})
	login := server.FOSURL + fosAuth + "login"
	w := newWire(t)
	atOnce := password.ConcurrencyFor(roomy)
	salt := []byte("0123456789abcdef")

	throughput := func(do func()) float64 {
		begun := time.Now()
		var workers sync.WaitGroup
		for range atOnce {
			workers.Go(func() {
				for range perLap / atOnce {
					do()
				}
			})
		}
		workers.Wait()
		return float64(perLap/atOnce*atOnce) / time.Since(begun).Seconds()
	}
	signIn := func() {
		if answer := w.post(t, newJar(), login, credentials(t, person, testkit.Password)); answer.Status != http.StatusOK {
			t.Errorf("%d %s", answer.Status, answer.Raw)
		}
	}
	hash := func() { argon2.IDKey([]byte(testkit.Password), salt, 3, 64<<10, 4, 32) }

	throughput(signIn)
	throughput(hash)
	var ratios, logins, hashes []float64
	var served, hashed time.Duration
	for lap := range laps {
		turns := []func(){
			func() {
				before := server.ProcessorTime(t)
				logins = append(logins, throughput(signIn))
				served += server.ProcessorTime(t) - before
			},
			func() {
				before := processorTime(t)
				hashes = append(hashes, throughput(hash))
				hashed += processorTime(t) - before
			},
		}
		turns[lap%2]()
		turns[1-lap%2]()
		ratios = append(ratios, logins[lap]/hashes[lap])
	}
	for _, figures := range [][]float64{ratios, logins, hashes} {
		slices.Sort(figures)
	}
	middle := laps / 2
	t.Logf("%d at once: %.1f logins a second, %.1f bare hashes; of %d ratios the median is %.3f, the least %.3f, the most %.3f",
		atOnce, logins[middle], hashes[middle], laps, ratios[middle], ratios[0], ratios[laps-1])
	each := time.Duration(laps * (perLap / atOnce * atOnce))
	t.Logf("processor: %v for a login in the server, %v for a bare hash: %.3f",
		(served / each).Round(100*time.Microsecond), (hashed / each).Round(100*time.Microsecond), hashed.Seconds()/served.Seconds())
	if ratios[middle] < absurd {
		t.Errorf("a login costs more than twice its hash: %.3f", ratios[middle])
	}
}
