//go:build proof

package password_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hello-world-co-op/handoff/password"
)

// A child process with the memory of a small container, and the storm in it.
const (
	stormLimit  = 256 << 20 // bytes, of the container
	stormGo     = "GOMEMLIMIT=230MiB"
	stormQueue  = 16
	stormLogins = 200
	stormWaves  = 3
)

// stormReport is what the child saw.
type stormReport struct {
	Right, Wrong int // answers to right and to wrong passwords, as they should be
	Busy         int
	Other        []string
	PeakKiB      int
}

// I13: 200 people sign in at the same moment, three times over, on a server with 256 MiB.
// Each gets an answer about their password or is told to come back; the process
// keeps within its memory and lives.
func TestProofI13_AStormOfLoginsStaysWithinTheMemory(t *testing.T) {
	if report := os.Getenv("STORM_REPORT"); report != "" {
		beTheServer(t, report)
		return
	}
	concurrent := password.ConcurrencyFor(stormLimit)
	got := child(t, concurrent, stormWaves)
	t.Logf("%d at once: %d right, %d wrong, %d busy, at most %d MiB", concurrent, got.Right, got.Wrong, got.Busy, got.PeakKiB>>10)
	if len(got.Other) > 0 {
		t.Errorf("answered otherwise: %q", got.Other)
	}
	if all := got.Right + got.Wrong + got.Busy; all != stormWaves*stormLogins {
		t.Errorf("%d of %d were answered", all, stormWaves*stormLogins)
	}
	if served, least := got.Right+got.Wrong, stormWaves*(concurrent+stormQueue); served < least {
		t.Errorf("%d were served, want at least those that compute and those that wait: %d", served, least)
	}
	if got.PeakKiB<<10 >= stormLimit {
		t.Errorf("the process held %d MiB, want less than %d", got.PeakKiB>>10, stormLimit>>20)
	}

	// And the same with a bound that is too high shows that the measure sees it.
	tooMany := child(t, 6, 1)
	t.Logf("6 at once: at most %d MiB", tooMany.PeakKiB>>10)
	if tooMany.PeakKiB<<10 < stormLimit {
		t.Errorf("six computations of 64 MiB held %d MiB together: the peak is not measured", tooMany.PeakKiB>>10)
	}
}

// child runs this test again, in a process of its own.
func child(t *testing.T, concurrent, waves int) stormReport {
	t.Helper()
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "report")
	cmd := exec.CommandContext(t.Context(), itself, "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), stormGo, "GOGC=100", "STORM_REPORT="+report,
		"STORM_CONCURRENT="+strconv.Itoa(concurrent), "STORM_WAVES="+strconv.Itoa(waves))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the process did not live: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	var got stormReport
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func beTheServer(t *testing.T, path string) {
	t.Helper()
	concurrent, err := strconv.Atoi(os.Getenv("STORM_CONCURRENT"))
	if err != nil {
		t.Fatal(err)
	}
	waves, err := strconv.Atoi(os.Getenv("STORM_WAVES"))
	if err != nil {
		t.Fatal(err)
	}
	h := password.NewHasher(password.Limits{Concurrent: concurrent, Queue: stormQueue})
	stored, err := h.Hash(t.Context(), "right")
	if err != nil {
		t.Fatal(err)
	}
	var got stormReport
	for range waves {
		got.wave(t, h, stored)
	}
	got.PeakKiB = peakKiB(t)
	raw, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// wave is 200 people at once, every second of whom types a wrong password.
func (r *stormReport) wave(t *testing.T, h *password.Hasher, stored string) {
	t.Helper()
	var mu sync.Mutex
	var people sync.WaitGroup
	gate := make(chan struct{})
	for i := range stormLogins {
		right := i%2 == 0
		people.Go(func() {
			<-gate
			result, err := h.Verify(t.Context(), stored, map[bool]string{true: "right", false: "wrong"}[right])
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, password.ErrBusy):
				r.Busy++
			case err != nil || result.Match != right:
				r.Other = append(r.Other, fmt.Sprintf("right %v: %+v, %v", right, result, err))
			case right:
				r.Right++
			default:
				r.Wrong++
			}
		})
	}
	close(gate)
	people.Wait()
}

// peakKiB is the most memory that this process ever held, as the kernel counted it.
// It is asked from inside, since what wait4 reports also counts the parent's memory at
// the moment of the fork.
func peakKiB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kib
		}
	}
	t.Fatal("the kernel does not say VmHWM")
	return 0
}
