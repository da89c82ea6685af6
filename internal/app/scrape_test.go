package app_test

import (
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

// measuredWith is measured, with more of the environment.
func measuredWith(more map[string]string) map[string]string {
	env := maps.Clone(measured)
	maps.Copy(env, more)
	return env
}

// scraped are the figures of all processes of the service, by name and labels as they
// stand in Prometheus' text; what two processes have is added.
func scraped(t testing.TB, s *testkit.Service) map[string]float64 {
	t.Helper()
	figures := map[string]float64{}
	for _, a := range s.Started {
		answer := s.Browser(t).Get("http://" + a.Addr("metrics") + "/metrics")
		for line := range strings.Lines(answer.Raw) {
			space := strings.LastIndex(line, " ")
			if strings.HasPrefix(line, "#") || space < 0 {
				continue
			}
			value, err := strconv.ParseFloat(strings.TrimSpace(line[space:]), 64)
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			figures[line[:space]] += value
		}
	}
	return figures
}

// changed are the figures of some metrics that are not what they were.
func changed(before, after map[string]float64, names ...string) map[string]float64 {
	all := map[string]float64{}
	for name, value := range after {
		metric, _, _ := strings.Cut(name, "{")
		for _, wanted := range names {
			if metric == wanted && value != before[name] {
				all[name] = value - before[name]
			}
		}
	}
	return all
}

// wantChange demands what a story adds to the figures of some metrics.
func wantChange(t testing.TB, s *testkit.Service, names []string, want map[string]float64, story func()) {
	t.Helper()
	before := scraped(t, s)
	story()
	if diff := cmp.Diff(want, changed(before, scraped(t, s), names...)); diff != "" {
		t.Errorf("%v (-want +got):\n%s", names, diff)
	}
}

// eventually asks until the difference is none, for as long as a courier may take.
func eventually(t testing.TB, difference func() string) {
	t.Helper()
	var diff string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if diff = difference(); diff == "" {
			return
		}
	}
	t.Errorf("(-want +got):\n%s", diff)
}
